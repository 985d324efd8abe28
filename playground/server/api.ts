import * as z from 'zod';
import type { Chats } from './chats.ts';
import { curlOf } from './curl.ts';
import { renderGallery } from './gallery.ts';
import { openEvents } from './events.ts';
import type { Journal } from './journal.ts';
import type { FileContent } from '../dingtalk/types.ts';
import {
  PRESS_SHAPES,
  REPLY_LANGUAGES,
  STREAMINGS,
  TROUBLES,
  type Setup,
  type Snapshot,
  type Trouble,
} from './protocol.ts';
import { fileResponse, type Uploads } from './uploads.ts';

export interface ApiOptions {
  journal: Journal;
  chats: Chats;
  uploads: Uploads;
  /** What the robot uploaded. */
  media: (id: string) => FileContent | undefined;
  snapshot: () => Snapshot;
  /** One question, or the whole session with `null`, as JSON to test with. Null when it is too large. */
  exportFixture: (question: string | null) => string | null;
  /** Takes effect with the next question. False when there is no such app. */
  configure: (change: Partial<Setup>) => boolean;
  reset: () => void;
}

const sending = z.object({
  chat: z.string(),
  from: z.string(),
  text: z.string().trim().max(10_000).default(''),
  files: z.array(z.string()).max(9).default([]),
  voice: z.string().nullable().default(null),
  quote: z.string().nullable().default(null),
  record: z.boolean().default(false),
});
const tapping = z.object({
  card: z.string(),
  from: z.string(),
  actionId: z.string(),
  params: z.record(z.string(), z.unknown()),
  label: z.string(),
});
const following = z.object({ chat: z.string(), from: z.string(), url: z.string() });
const again = z.object({ id: z.string() });
const switching = z.object({ name: z.enum(TROUBLES), on: z.boolean() });
const configuring = z
  .object({
    app: z.string(),
    streaming: z.enum(STREAMINGS),
    showThinking: z.boolean(),
    replyLanguage: z.enum(REPLY_LANGUAGES),
    followsPage: z.boolean(),
    buttons: z.boolean(),
    press: z.enum(PRESS_SHAPES),
  })
  .partial();

const done = (body: object = {}) => Response.json(body);
const failed = (status: number, reason: string) => Response.json({ error: reason }, { status });

/** What the page asks of the server. */
export function createApi(options: ApiOptions): (request: Request, path: string) => Promise<Response> {
  const { journal, chats, uploads, media, snapshot, exportFixture, configure, reset } = options;

  const post: Record<string, (body: unknown) => Response | Promise<Response>> = {
    send(body) {
      const question = chats.send(sending.parse(body));
      return question ? done({ id: question.id }) : failed(404, 'no such chat or person, or nothing to send');
    },
    async tap(body) {
      const tap = await chats.tap(tapping.parse(body));
      return tap ? done({ id: tap.id, status: tap.deliveries[0]?.status }) : failed(404, 'no such card or person');
    },
    link(body) {
      const question = chats.followLink(following.parse(body));
      return question ? done({ id: question.id }) : failed(404, 'the link sends nothing');
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

  const fileOf = (name: string): Response => {
    const [kind, id = ''] = name.split('/');
    const file = kind === 'media' ? media(decodeURIComponent(id)) : uploads.find(id);
    return file ? fileResponse(file) : failed(404, 'that file is gone');
  };

  const curlFor = (id: number): Response => {
    const call = journal.contents().calls.find((each) => each.id === id);
    const text = call ? curlOf(call) : null;
    return text === null ? failed(404, 'that call cannot be copied') : done({ text });
  };

  const fixtureOf = (question: string | null): Response => {
    if (question !== null && !journal.item(question)) return failed(404, 'that message is gone');
    const text = exportFixture(question);
    if (text === null) return failed(413, 'that is too much to export');
    return new Response(text, {
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'content-disposition': 'attachment; filename="playground-fixture.json"',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      },
    });
  };

  return async (request, path) => {
    const name = path.replace(/^\/playground\//, '');
    const { searchParams: query } = new URL(request.url);
    if (request.method === 'GET') {
      if (name === 'events') return openEvents(journal, snapshot);
      if (name === 'snapshot') return done(snapshot());
      if (name === 'gallery') return done(renderGallery(query.get('language') === 'en' ? 'en' : 'zh-CN'));
      if (name === 'curl') return curlFor(Number(query.get('call')));
      if (name === 'export') return fixtureOf(query.get('question'));
      if (/^(?:uploads|media)\//.test(name)) return fileOf(name);
    }
    if (request.method === 'POST' && name === 'upload') {
      const taken = await uploads.take(request, query.get('name') ?? '');
      return taken ? done(taken) : failed(413, 'the file is too large');
    }
    const action = Object.hasOwn(post, name) ? post[name] : undefined;
    if (request.method !== 'POST' || !action) return failed(404, 'not found');
    try {
      return await action(await request.json());
    } catch (error) {
      if (error instanceof z.ZodError || error instanceof SyntaxError) return failed(400, 'malformed request');
      throw error;
    }
  };
}
