import { expect, test } from 'vitest';
import { createSessionReply } from '../../lib/dingtalk/session-reply.ts';
import { readConfig } from '../../lib/config/config.ts';
import { createFastClock } from '../support/virtual-clock.ts';

const result = readConfig({ DINGTALK_CLIENT_ID: 'ding1', DINGTALK_CLIENT_SECRET: 's', DIFY_API_KEY: 'k' });
const found = result.ok ? result.config.robots[0]?.dingtalk : undefined;
if (!found) throw new Error('the configuration is not complete');
const config = found;

/** Sends a message, where each try is answered by the next of these; null breaks the connection. */
async function send(answers: (object | null)[]) {
  const ids: unknown[] = [];
  const reply = createSessionReply({
    config,
    message: {
      id: 'msg-1',
      chat: { id: 'cid1', isGroup: false, title: null },
      sender: { staffId: 'staff-1', unionId: null, id: 'sender-1', nick: 'A', isAdmin: false },
      session: { webhook: 'https://oapi.dingtalk.com/robot/sendBySession?session=1', expiresAtMs: null },
    },
    clock: createFastClock(1_000),
    async fetch(_url, { body }) {
      ids.push((JSON.parse(body as string) as { msgUuid: unknown }).msgUuid);
      const answer = answers.shift() ?? null;
      if (answer === null) throw new TypeError('reset');
      return Response.json(answer);
    },
  });
  const outcome = await reply.send({ title: 'a', text: 'b', mentionAsker: false }).then(
    () => 'sent',
    (error: unknown) => (error as { code: string }).code,
  );
  return { outcome, tries: ids.length, names: new Set(ids).size };
}

const ok = { errcode: 0 };
const robotGone = { errcode: 400106 };

test.each([
  ['is sent once where it is answered', [ok], 'sent', 1],
  ['is refused at once', [robotGone], 'dingtalk_refused', 1],
  ['without an answer is sent again under its own name', [null, null, ok], 'sent', 3],
  ['that never gets an answer is given up', [null, null, null, null], 'dingtalk_unreachable', 4],
  // A refusal would let it go another way, and then it might be seen twice.
  ['is not called refused when a try before may have been shown', [null, robotGone, ok], 'sent', 3],
  ['that the content check refuses was not shown before', [null, { errcode: 430104 }], 'dingtalk_content_unsafe', 2],
  ['that may be there counts as such to the end', [null, robotGone, robotGone, robotGone], 'dingtalk_unreachable', 4],
])('a reply %s', async (_, answers, outcome, tries) => {
  expect(await send([...answers])).toEqual({ outcome, tries, names: 1 });
});
