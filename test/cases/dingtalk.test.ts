// The cases of what DingTalk answers to the frames of a card, through the running function.
import { expect, test } from 'vitest';
import { bytesOf, casesOf, textsOf } from '../support/cases.ts';
import { fast, stage } from '../support/stage.ts';

const { start, bridge } = stage();

interface Refusal {
  carriedOut: boolean;
  answer: { status: number; body: { code: string; message: string } };
}

interface FrameBody {
  content: string;
  isFinalize: boolean;
}

/** Which frames are refused, and how often: the files say it in words. */
const WHICH: Record<string, { when: (body: FrameBody) => boolean; times: number }> = {
  'dingtalk-last-frame-system-error.json': { when: ({ isFinalize }) => isFinalize, times: 1 },
  'dingtalk-last-frame-too-large.json': { when: ({ content }) => content.length > 1_500, times: Infinity },
};

test.each(casesOf('dingtalk').map((one) => ({ name: one.file, one })))('$name', async ({ name, one }) => {
  const [answer = ''] = textsOf(one);
  const which = WHICH[name];
  if (!which) throw new Error(`say which frames ${name} refuses`);
  await start({ ...fast(), app: { script: { chunks: [{ afterMs: 5, text: answer }] } } });
  const { carriedOut, answer: refusal } = JSON.parse(bytesOf(one)) as Refusal;
  bridge().dingtalk.faults.inject({
    api: 'streaming',
    kind: 'status',
    status: refusal.status,
    ...refusal.body,
    carriedOut,
    times: which.times,
    when: (body) => which.when(body as FrameBody),
  });
  await bridge().ask('问题');
  const { exact, endsWith = '', messages, outcomes, openCards } = one.expect;
  const { content } = bridge().card();
  if (exact !== undefined) expect(content).toBe(exact);
  expect(content.endsWith(endsWith)).toBe(true);
  const below = bridge()
    .dingtalk.messages.map(({ text }) => text)
    .join('\n');
  let from = 0;
  for (const part of messages?.inOrder ?? []) expect((from = below.indexOf(part, from))).toBeGreaterThanOrEqual(0);
  for (const part of messages?.once ?? []) expect(below.split(part)).toHaveLength(2);
  const shown = bridge().cards().length + bridge().dingtalk.messages.length;
  if (typeof outcomes === 'number') expect(shown).toBe(outcomes);
  else expect(shown).toBeGreaterThan(1);
  expect(
    bridge()
      .cards()
      .filter(({ endedAt }) => endedAt === null),
  ).toHaveLength(openCards ?? 0);
});
