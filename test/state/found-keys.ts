import { START_CONVERSATION, STOP } from '../../lib/state/redis/conversation-scripts.ts';
import { FINISH } from '../../lib/state/redis/finish-script.ts';
import { POSTPONE_FORM } from '../../lib/state/redis/form-scripts.ts';
import { HOLD_FILES } from '../../lib/state/redis/held-scripts.ts';
import { RECEIPT_OF } from '../../lib/state/redis/record-scripts.ts';
import { ACCEPT, CLAIM, OVERDUE, RENEW, TAKE_OVER } from '../../lib/state/redis/scripts.ts';

const ACCOUNT = 'dify-on-dingtalk:calls:*';
const of = (...kinds: string[]) => kinds.map((kind) => `dify-on-dingtalk:{*}:${kind}:*`);

/** What the comment of each script says under `FOUND`. */
const found = new Map<string, readonly string[]>([
  [CLAIM, of('turn')],
  [ACCEPT, of('turn', 'held')],
  [RENEW, of('turn')],
  [FINISH, [...of('turn', 'payload', 'conversation', 'forms-of'), ACCOUNT]],
  [TAKE_OVER, of('turn', 'payload', 'conversation', 'forms-of')],
  [OVERDUE, of('turn')],
  [HOLD_FILES, of('turn', 'held')],
  [START_CONVERSATION, of('held')],
  [STOP, [...of('turn', 'payload'), ACCOUNT]],
  [POSTPONE_FORM, of('forms-of')],
  [RECEIPT_OF, of('turn', 'answered')],
]);

/** The keys that a script of the state finds out itself: all others must have been passed. */
export const foundKeys = (script: string): readonly string[] => found.get(script) ?? [];
