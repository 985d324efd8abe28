import { expect, test } from 'vitest';
import { deliver } from '../../lib/delivery/deliver.ts';
import { createLog } from '../../lib/runtime/log.ts';
import { textsFor } from '../../lib/texts/index.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

test.each([true, false])(
  'an answer that cannot be rendered ends in a sentence all the same (card: %s)',
  async (hasCard) => {
    const shown: string[] = [];
    const logs: string[] = [];
    const clock = createVirtualClock();
    const writer = {
      show: () => undefined,
      finish: async ({ text }: { text: string }) => void shown.push(`card ${text}`),
      leave: async () => undefined,
      frames: 0,
      hasShown: false,
    };
    const outcome = await deliver(
      hasCard ? writer : null,
      'finished',
      () => {
        throw new RangeError('on purpose');
      },
      {
        reply: { send: async ({ text }) => void shown.push(`message ${text}`) },
        clock,
        log: createLog(clock, 'info', (line) => logs.push(line)),
        texts: textsFor('en'),
        reference: '0a1b2c3d',
      },
    );
    const place = hasCard ? 'card' : 'message';
    expect(outcome).toBe(place);
    expect(shown).toEqual([expect.stringMatching(new RegExp(`^${place} ⚠️ Something unexpected.*0a1b2c3d$`, 's'))]);
    expect(logs.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { event: 'turn_crashed', turn: '0a1b2c3d', error: 'RangeError' },
    ]);
  },
);
