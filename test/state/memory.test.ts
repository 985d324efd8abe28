import { describe } from 'vitest';
import { createMemoryState } from '../../lib/state/memory/memory.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { describeState } from './contract.ts';

describe('the in-process store', () => {
  describeState(() => {
    const clock = createVirtualClock();
    const state = createMemoryState(clock);
    return { state, other: state, pass: (ms) => clock.advance(ms) };
  });
});
