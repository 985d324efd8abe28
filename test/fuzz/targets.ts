import { difyAnswers, difyStreams, dingtalkAnswers } from './answers.ts';
import { callbacks, presses, records } from './callbacks.ts';
import { stored, storeReplies } from './stored.ts';
import type { Target } from './target.ts';

export const targets: readonly Target[] = [
  callbacks,
  records,
  presses,
  difyStreams,
  difyAnswers,
  dingtalkAnswers,
  stored,
  storeReplies,
];
