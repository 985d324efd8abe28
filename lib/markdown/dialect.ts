/**
 * Where a text will be rendered: `card` is the markdown variable of an AI card, `message` a robot's
 * markdown message. Their subsets are in docs on DingTalk's wire format (KB-C3/0016, KB-API/0699).
 */
export type Dialect = 'card' | 'message';

/** Words shown in place of what DingTalk cannot show, in the reader's language. */
export interface MarkdownWords {
  /** Stands for an image without a description, or one whose address may not be loaded. */
  image: string;
  /** Stands for a chart that could not be turned into a table, and for one still being written. */
  chart: string;
  /** The label of a link to a sound, a video or an embedded page. */
  media: string;
}

interface DialectRules {
  /** What ends a line within a paragraph. A bare newline is shown as a space. */
  lineBreak: string;
  /** The deepest heading; deeper ones are shown at this level. */
  maxHeading: number;
  rule: string;
}

export const DIALECTS: Record<Dialect, DialectRules> = {
  card: { lineBreak: '<br>', maxHeading: 5, rule: '***' },
  // The message subset lists no rule; three hyphens at least look like one.
  message: { lineBreak: '  \n', maxHeading: 6, rule: '---' },
};
