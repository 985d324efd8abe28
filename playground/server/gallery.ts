import { emptyAnswer, type Answer } from '../../lib/answer/answer.ts';
import { textsFor } from '../../lib/texts/index.ts';
import { finalView } from '../../lib/answer/view.ts';
import { GALLERY_SAMPLES } from './gallery-samples.ts';
import type { GalleryEntry, ReplyLanguage } from './protocol.ts';

/** The function's own default. */
const CARD_MAX_CHARS = 3_000;

/** Every construct as an app writes it, and as the function passes it on. */
export function renderGallery(language: ReplyLanguage): GalleryEntry[] {
  const options = { texts: textsFor(language), showThinking: true, cardMaxChars: CARD_MAX_CHARS, links: true };
  return GALLERY_SAMPLES.map(({ id, name, source, documents = [] }) => {
    const answer: Answer = {
      ...emptyAnswer,
      texts: { ...emptyAnswer.texts, message: source },
      citations: documents.map((documentName) => ({ documentId: documentName, documentName })),
      ending: { kind: 'complete' },
    };
    const card = finalView(answer, [], true, options).card ?? '';
    const message = finalView(answer, [], false, options).messages.join('\n\n');
    return { id, name, source, card, message };
  });
}
