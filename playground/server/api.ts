import * as z from 'zod';
import type { Chats } from './chats.ts';
import { openEvents } from './events.ts';
import type { Journal } from './journal.ts';
import { REPLY_LANGUAGES, STREAMINGS, TROUBLES, type Setup, type Snapshot, type Trouble } from './protocol.ts';

export interface ApiOptions {
  journal: Journal;
  chats: Chats;
  snapshot: () => Snapshot;
  /** Takes effect with the next question. False when there is no such app. */
  configure: (change: Partial<Setup>) => boolean;
  reset: () => void;
}

const sending = z.object({ chat: z.string(), from: z.string(), text: z.string().trim().min(1).max(10_000) });
const again = z.object({ id: z.string() });
const switching = z.object({ name: z.enum(TROUBLES), on: z.boolean() });
const configuring = z
  .object({
    app: z.string(),
    streaming: z.enum(STREAMINGS),
    showThinking: z.boolean(),
    replyLanguage: z.enum(REPLY_LANGUAGES),
  })
  .partial();

const done = (body: object = {}) => Response.json(body);
const failed = (status: number, reason: string) => Response.json({ error: reason }, { status });

/** What the page asks of the server. */
export function createApi(options: ApiOptions): (request: Request, path: string) => Promise<Response> {
  const { journal, chats, snapshot, configure, reset } = options;

  const post: Record<string, (body: unknown) => Response> = {
    send(body) {
      const question = chats.send(sending.parse(body));
      return question ? done({ id: question.id }) : failed(404, 'no such chat or person');
    },
    redeliver: (body) => (chats.redeliver(again.parse(body).id) ? done() : failed(404, 'that message is gone')),
    trouble(body) {
      const { name, on } = switching.parse(body);
      const trouble: Trouble = { ...snapshot().setup.trouble, [name]: on };
      configure({ trouble });
      return done();
    },
    config(body) {
      const given = Object.entries(configuring.parse(body)).filter(([, value]) => value !== undefined);
      return configure(Object.fromEntries(given)) ? done() : failed(404, 'no such app');
    },
    reset() {
      reset();
      return done();
    },
  };

  return async (request, path) => {
    const name = path.replace(/^\/playground\//, '');
    if (request.method === 'GET' && name === 'events') return openEvents(journal, snapshot);
    if (request.method === 'GET' && name === 'snapshot') return done(snapshot());
    const action = Object.hasOwn(post, name) ? post[name] : undefined;
    if (request.method !== 'POST' || !action) return failed(404, 'not found');
    try {
      return action(await request.json());
    } catch (error) {
      if (error instanceof z.ZodError || error instanceof SyntaxError) return failed(400, 'malformed request');
      throw error;
    }
  };
}
