import type { Behaviour, DifyVersion } from './types.ts';

const modern: Behaviour = {
  style: 'compact',
  chatflowEnd: 'message-end-then-finished',
  staleConversation: 'not-found',
  runsSurvive: true,
  easyAnswers: 'lost',
  runEvents: true,
  firstPing: true,
  silenceAfterErrorMs: 300_000,
  pingMs: 10_000,
  stopNoticeMs: 1_500,
  tooManyRequests: 429,
};

const versions: Record<DifyVersion, Behaviour> = {
  legacy: {
    ...modern,
    style: 'spaced',
    chatflowEnd: 'finished-then-message-end',
    runsSurvive: false,
    runEvents: false,
    firstPing: false,
    silenceAfterErrorMs: 0,
    tooManyRequests: 400,
  },
  '1.13.0': {
    ...modern,
    chatflowEnd: 'finished-only',
    staleConversation: 'nameless-error',
    runEvents: false,
    tooManyRequests: 400,
  },
  '1.14': { ...modern, staleConversation: 'nameless-error' },
  // protocol 3.8: since 1.16 an in-process run is aborted when its client goes away.
  modern: { ...modern, easyAnswers: 'aborted' },
};

export function behaviourOf(version: DifyVersion = 'modern', changes: Partial<Behaviour> = {}): Behaviour {
  return { ...versions[version], ...changes };
}
