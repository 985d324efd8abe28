import * as z from 'zod';
import type { MessageEnd, Price } from '../answer/event.ts';
import { isOwnFile } from './answer-file.ts';
import { answerFiles, files, number, text } from './wire-fields.ts';

// Dify writes prices as texts, also `0E-7`.
const usageShape = z.object({
  total_tokens: number,
  total_price: z.union([z.string(), z.number()]).nullish().catch(null),
  currency: text,
});

export const messageEndShape = z.object({
  files,
  metadata: z
    .object({
      usage: usageShape.nullish().catch(null),
      retriever_resources: z
        .array(z.object({ document_id: text, document_name: text }))
        .nullish()
        .catch(null),
    })
    .nullish()
    .catch(null),
});

export function readMessageEnd({ files: made, metadata }: z.output<typeof messageEndShape>): MessageEnd {
  return {
    files: answerFiles(made?.filter((file) => !isOwnFile(file))),
    citations: (metadata?.retriever_resources ?? []).flatMap((source) =>
      source.document_name ? [{ documentId: source.document_id ?? null, documentName: source.document_name }] : [],
    ),
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
