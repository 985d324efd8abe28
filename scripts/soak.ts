// npm run soak -- [--answers 20000] [--from 2000]: answers so many questions over real HTTP and a real Redis, and compares the
// heap at the end with the heap after the first `from`. It fails where it has grown by more than 10 %.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createApp } from '../lib/app.ts';
import { robotSignature } from '../lib/dingtalk/signature.ts';
import { systemClock } from '../lib/runtime/clock.ts';
import { createTcpRedis } from '../lib/state/redis/tcp.ts';
import { createWire, DIFY, DINGTALK } from '../test/fuzz/wire.ts';
import { listenOnLoopback } from '../test/support/loopback.ts';
import { startRedisServer } from '../test/support/redis-server.ts';
import { numberOf } from './number-of.ts';

const { values } = parseArgs({
  options: { answers: { type: 'string', default: '20000' }, from: { type: 'string', default: '2000' } },
});
const answers = numberOf('answers', values.answers);
const from = numberOf('from', values.from);

/** Answers that are written at the same time. */
const AT_ONCE = 40;
const MOST_GROWTH = 0.1;
const SECRET = 'secret';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** After a pause, so that what ends a moment later has ended. */
async function heap(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

const wire = createWire(systemClock, 'chat');
const vendors = createServer((request, response) => {
  void (async () => {
    const body = await buffer(request);
    const path = request.url ?? '/';
    const isDingTalk = path.startsWith('/v1.0/') || path.startsWith('/robot/');
    const url = isDingTalk ? `${DINGTALK}${path}` : `${new URL(DIFY).origin}${path}`;
    const answer = await wire.fetch(url, { method: request.method ?? 'GET', body: body.toString('utf8') });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(await answer.bytes());
  })().catch(() => request.socket.destroy());
});
const origin = `http://127.0.0.1:${await listenOnLoopback(vendors)}`;
const redis = await startRedisServer();

const codes = new Map<unknown, number>();
const app = createApp({
  env: {
    DINGTALK_CLIENT_ID: 'ding1',
    DINGTALK_CLIENT_SECRET: SECRET,
    DINGTALK_CARD_TEMPLATE_ID: 'answer.schema',
    DINGTALK_QPS: '10000',
    DINGTALK_API_URL: origin,
    DINGTALK_OAPI_URL: origin,
    DIFY_API_URL: `${origin}/v1`,
    DIFY_API_KEY: 'key',
    REDIS_URL: redis.url,
    LOG_LEVEL: 'error',
  },
  connectRedis: (url) => createTcpRedis({ url, clock: systemClock }),
  writeLog: (line) => {
    const { event } = JSON.parse(line) as { event: unknown };
    codes.set(event, (codes.get(event) ?? 0) + 1);
  },
});
if (!app.ok) throw new Error('the configuration is not complete');

function callback(number: number): Request {
  const timestamp = String(Date.now());
  return new Request('http://127.0.0.1/api/dingtalk', {
    method: 'POST',
    headers: { 'content-type': 'application/json', timestamp, sign: robotSignature(timestamp, SECRET) },
    body: JSON.stringify({
      msgId: `msg-${number}`,
      msgtype: 'text',
      text: { content: `question ${number}` },
      conversationId: `chat-${number}`,
      conversationType: '1',
      senderId: `sender-${number}`,
      senderStaffId: `staff-${number}`,
      robotCode: 'ding1',
      sessionWebhook: `${origin}/robot/sendBySession?session=1`,
      sessionWebhookExpiredTime: Date.now() + 3_600_000,
    }),
  });
}

/** Asks one question and waits until its answer has ended. */
async function ask(number: number): Promise<void> {
  const background: Promise<void>[] = [];
  const platform = { deadlineMs: null, waitUntil: (work: Promise<void>) => void background.push(work) };
  const response = await app.handle(callback(number), platform);
  await response.text();
  for (const work of background) await work;
}

let next = 0;
let ended = 0;
async function askUntil(end: number): Promise<void> {
  const lane = async () => {
    while (next < end) {
      next += 1;
      await ask(next);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  ended += [...wire.cards.values()].filter(({ state }) => state === 'finished').length;
  // The vendors' own memory is not what is measured.
  wire.cards.clear();
  wire.messages.length = 0;
  wire.calls.length = 0;
}

const beganAt = performance.now();
await askUntil(from);
const before = await heap();
while (next < answers) await askUntil(Math.min(next + 2_000, answers));
const after = await heap();
const grown = after / before - 1;
const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MB`;
console.log(`${ended} of ${answers} answers in ${Math.round((performance.now() - beganAt) / 1_000)} s`);
console.log(`heap ${megabytes(before)} after ${from}, ${megabytes(after)} at the end: ${(grown * 100).toFixed(1)} %`);
// On a busy machine the store is too slow for a moment: such a question is answered without it.
for (const [event, count] of codes) console.log(`${count} times ${String(event)} in the log`);
app.shutDown();
vendors.close();
vendors.closeAllConnections();
await once(vendors, 'close').catch(() => undefined);
await redis.close();
process.exit(ended === answers && grown <= MOST_GROWTH ? 0 : 1);
