// The cases through the running function: frames while typing, the card at the end, and how much the chat sees.
import { expect, test } from 'vitest';
import { bytesOf, casesOf, textsOf, type Case } from '../support/cases.ts';
import { read, withoutSpace } from '../support/reader.ts';
import { askAs, fetched, shownIn, takingAll } from '../support/quotes.ts';
import { heldAnswer, stage, words } from '../support/stage.ts';
import { createFastClock } from '../support/virtual-clock.ts';

const { start, bridge } = stage();

/** Cuts a text into some pieces, as a model sends it. */
function piecesOf(text: string): string[] {
  const size = Math.max(7, Math.ceil(text.length / 12));
  return Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
    text.slice(index * size, (index + 1) * size),
  );
}

function expectRight({ expect: right }: Case): void {
  const { content, frames, phase } = bridge().card();
  const typing = frames.filter(({ final }) => !final).map((frame) => frame.content);
  expect(phase).toBe('finished');
  if (right.exact !== undefined) expect(content).toBe(right.exact);
  if (right.seen !== undefined) expect(withoutSpace(read(content).seen)).toBe(withoutSpace(right.seen));
  for (const part of [...(right.contains ?? []), ...(right.seenInOrder ?? [])]) expect(content).toContain(part);
  for (const part of right.excludes ?? []) expect(content).not.toContain(part);
  for (const part of right.frames?.excludes ?? []) expect(typing.join('\n')).not.toContain(part);
  if (right.frames?.seenIsBeginning) {
    const seen = typing.map((frame) => withoutSpace(read(frame).seen));
    expect(seen[0]).toBe(withoutSpace(right.frames.firstSeen ?? ''));
    for (const frame of seen) expect(withoutSpace(right.seen ?? '').startsWith(frame)).toBe(true);
  }
  const outcomes = bridge().dingtalk.cards.size + bridge().dingtalk.messages.length;
  if (typeof right.outcomes === 'string') expect(outcomes).toBeGreaterThan(1);
  else expect(outcomes).toBe(right.outcomes ?? 1);
}

const written = casesOf('markdown').flatMap((one) =>
  textsOf(one).map((text) => ({ name: `${one.file}, ${text.length} characters`, one, text })),
);

test.each(written)('$name', async ({ one, text }) => {
  const pieces = one.source?.pieces ?? piecesOf(text);
  const chunks = pieces.map((piece, index) => ({ afterMs: index === 0 ? 5 : 1_500, text: piece }));
  await start({ app: { script: { chunks } }, clock: createFastClock(20) });
  await bridge().ask('问题');
  expectRight(one);
});

test.each(casesOf('dify').map((one) => ({ name: one.file, one })))('$name', async ({ name, one }) => {
  expect(bytesOf(one)).toContain('data:');
  await start({ app: { mode: one.source?.mode ?? 'chat', script: { bytes: `../cases/${name}` } } });
  await bridge().ask('问题');
  expectRight(one);
});

/** What Dify was asked, with its files. */
const asked = () => bridge().dify.runs;

function expectQuery(query: string, { expect: right }: Case): void {
  if (right.exact !== undefined) expect(query).toBe(right.exact);
  for (const part of right.contains ?? []) expect(query).toContain(part);
  for (const part of right.excludes ?? []) expect(query).not.toContain(part);
  let from = 0;
  for (const part of right.inOrder ?? []) {
    expect(query.indexOf(part, from)).not.toBe(-1);
    from = query.indexOf(part, from) + part.length;
  }
  if (right.oneQuotedBlock) expect(query).toMatch(/^(?:>.*\n)+\n[^>\n]+$/);
  if (right.wellFormed) expect(query.isWellFormed()).toBe(true);
}

const callbacks = casesOf('callback').flatMap((one) => textsOf(one).map((text) => ({ name: one.file, one, text })));

test.each(callbacks)('$name', async ({ one, text }) => {
  const { body } = JSON.parse(text) as { body: Record<string, unknown> };
  const parameters = one.source?.app?.files === false ? {} : takingAll;
  const held = heldAnswer();
  const isStop = one.expect.stops !== undefined;
  const script = isStop ? held.script('more') : words('好的。');
  await start({ app: { parameters, script }, ...(isStop ? { clock: createFastClock(20) } : {}) });
  if (isStop) {
    await bridge().send('先问一个');
    await expect.poll(() => bridge().dingtalk.cards.size).toBe(1);
    await expect.poll(() => bridge().card().content).toContain('well');
  }
  const before = asked().length;
  await askAs(bridge(), body);
  held.goOn();
  await bridge().idle();
  expect(asked().length - before).toBe(one.expect.runs);
  const run = asked()[before];
  if (run) expectQuery(run.query, one);
  if (one.expect.files) {
    expect(run?.files.map(({ type }) => type)).toEqual(one.expect.files.map(({ type }) => type));
    expect(fetched(bridge())).toEqual(one.expect.files.map(({ downloadCode }) => downloadCode));
  }
  if (isStop) expect(bridge().dify.requests.filter(({ path }) => path.endsWith('/stop'))).toHaveLength(1);
  for (const part of one.expect.shown?.contains ?? []) expect(shownIn(bridge())).toContain(part);
  for (const part of one.expect.shown?.excludes ?? []) expect(shownIn(bridge())).not.toContain(part);
});
