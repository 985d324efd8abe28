import { expect, test } from 'vitest';
import { sendByDigest } from '../../lib/state/redis/by-digest.ts';

/** A store that has forgotten every script, and what was sent to it whole. */
function stage(onDigest: () => void = () => {}) {
  const sent: string[] = [];
  const send = sendByDigest({
    whole: async (script) => sent.push(script),
    async byDigest() {
      onDigest();
      throw new Error('NOSCRIPT No matching script. Please use EVAL.');
    },
  });
  return { sent, send };
}

test('a script that the store has forgotten is sent whole once more', async () => {
  const { sent, send } = stage();
  const { signal } = new AbortController();
  await send(signal, 'return 1', [], []);
  await send(signal, 'return 1', [], []);
  expect(sent).toEqual(['return 1', 'return 1']);
});

test('but not after its time: the caller has gone on without the store', async () => {
  const time = new AbortController();
  const { sent, send } = stage(() => time.abort());
  await send(time.signal, 'return 1', [], []);
  await expect(send(time.signal, 'return 1', [], [])).rejects.toThrow('aborted');
  expect(sent).toEqual(['return 1']);
});
