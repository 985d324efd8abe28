import * as z from 'zod';
import type { Citation, MessageEnd, Price } from '../answer/event.ts';
import { isOwnFile, readAnswerFiles } from './answer-file.ts';
import { list, number, text } from './wire-fields.ts';

// Dify writes prices as texts, also `0E-7`.
const usageShape = z.object({
  total_tokens: number,
  total_price: z.union([z.string(), z.number()]).nullish().catch(null),
  currency: text,
});

/** `retriever_resources`: what an answer was made from. */
export const sources = z
  .array(z.object({ document_id: text, document_name: text }))
  .nullish()
  .catch(null);

export const citationsOf = (wire: z.output<typeof sources>): Citation[] =>
  (wire ?? []).flatMap(({ document_id: documentId = null, document_name: documentName }) =>
    documentName ? [{ documentId, documentName }] : [],
  );

export const messageEndShape = z.object({
  files: list,
  metadata: z
    .object({
      usage: usageShape.nullish().catch(null),
      retriever_resources: sources,
    })
    .nullish()
    .catch(null),
});

export function readMessageEnd({ files: made, metadata }: z.output<typeof messageEndShape>): MessageEnd {
  return {
    files: readAnswerFiles(made?.filter((file) => !isOwnFile(file))),
    citations: citationsOf(metadata?.retriever_resources),
    ...costOf(metadata?.usage),
  };
}

/** After a stop Dify has counted nothing, whatever the model has written: what it cost is not known. */
function costOf(usage: z.output<typeof usageShape> | null | undefined): Pick<MessageEnd, 'totalTokens' | 'price'> {
  const price = priceOf(usage);
  const totalTokens = usage?.total_tokens || null;
  return { totalTokens, price: totalTokens === null && price?.amount === 0 ? null : price };
}

function priceOf(usage: z.output<typeof usageShape> | null | undefined): Price | null {
  const amount = Number(usage?.total_price ?? Number.NaN);
  return Number.isFinite(amount) && /^[A-Z]{3}$/.test(usage?.currency ?? '')
    ? { amount, currency: usage?.currency ?? '' }
    : null;
}
