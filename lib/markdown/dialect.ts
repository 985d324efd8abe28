/**
 * The place that shows a text: `card` is the markdown variable of an AI card, `message` a robot's markdown message.
 * DingTalk describes what each of them supports (KB-C3/0016, KB-API/0699; `docs/wire-dingtalk.md`).
 */
export type Dialect = 'card' | 'message';

/** Words in the reader's language for content that DingTalk cannot show. */
export interface MarkdownWords {
  /** For an image without a description, when its address may not be loaded. */
  image: string;
  /** For a chart that could not be turned into a table, and for a chart that is still being written. */
  chart: string;
  /** The label of a link to a sound, a video or an embedded page. */
  media: string;
}

interface DialectRules {
  /** Ends a line within a paragraph. DingTalk shows a bare newline as a space. */
  lineBreak: string;
  /** The deepest heading; deeper ones are shown at this level. */
  maxHeading: number;
  rule: string;
}

export const DIALECTS: Record<Dialect, DialectRules> = {
  card: { lineBreak: '<br>', maxHeading: 5, rule: '***' },
  // DingTalk's list for messages has no rule; three hyphens look like one as plain text too.
  message: { lineBreak: '  \n', maxHeading: 6, rule: '---' },
};
