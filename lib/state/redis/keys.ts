import { BUDGET_STEPS } from '../budget.ts';

/**
 * The names of what is kept of one robot. A cluster is not served: it keeps the names of a robot, which have the same text in
 * braces, in one slot, and the account of the month, which robots share, in another.
 */
export function keysOf(clientId: string) {
  const prefix = `dify-on-dingtalk:{${clientId}}:`;
  const one = (name: string) => `${prefix}${name}`;
  const named = (kind: string) => (name: string) => `${prefix}${kind}:${name}`;
  return {
    turn: named('turn'),
    payload: named('payload'),
    answered: named('answered'),
    reply: named('reply'),
    conversation: named('conversation'),
    /** The conversation, the turn that runs in it, and those that wait. */
    conversationKeys: (name: string) =>
      [one(`conversation:${name}`), one(`running:${name}`), one(`queue:${name}`)] as const,
    card: named('card'),
    row: named('robots'),
    formsOf: named('forms-of'),
    flag: named('mark'),
    calls: named('calls'),
    /** A fixed window of time. Its name is made by the instance, so a clock that is wrong only moves the window. */
    rate: (asker: string, nowMs: number, windowMs: number) => `${prefix}rate:${asker}:${Math.floor(nowMs / windowMs)}`,
    leases: one('leases'),
    waiting: one('waiting'),
    accepted: one('accepted'),
    /** The last message by each way. */
    arrivals: one('arrivals'),
    forms: one('forms'),
    failures: one('failures'),
    failed: one('failed'),
    token: one('token'),
    tokenRenewal: one('token-renewal'),
  };
}

/** The organisation's month, which its robots share: what is used of it, what is spent, and a mark for each step. */
export function accountKeys(account: string): string[] {
  const used = `dify-on-dingtalk:calls:${account}`;
  return [used, `${used}:spent`, ...Object.values(BUDGET_STEPS).map((step) => `${used}:${step}`)];
}
