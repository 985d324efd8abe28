import type { Journal } from './journal.ts';
import type { Snapshot } from './protocol.ts';

/** Proxies and laptops drop connections on which nothing is said. */
const KEEP_ALIVE_MS = 15_000;
/** A page that does not read (a sleeping tab) is let go; it gets a new snapshot when it comes back. */
const MAX_WAITING_CHUNKS = 2_000;

/** Server-sent events: first everything there is, then every change. */
export function openEvents(journal: Journal, snapshot: () => Snapshot): Response {
  const encoder = new TextEncoder();
  let stop = () => {};
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const write = (text: string) => {
          controller.enqueue(encoder.encode(text));
          if ((controller.desiredSize ?? 0) > -MAX_WAITING_CHUNKS) return;
          stop();
          controller.close();
        };
        const send = (event: string, data: unknown) => write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
        const timer = setInterval(() => write(': still here\n\n'), KEEP_ALIVE_MS);
        const unsubscribe = journal.subscribe((change) => send('change', change));
        stop = () => {
          clearInterval(timer);
          unsubscribe();
        };
        write('retry: 1000\n');
        send('snapshot', snapshot());
      },
      cancel() {
        stop();
      },
    },
    { highWaterMark: 1 },
  );
  return new Response(stream, {
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' },
  });
}
