import { describe, expect, test } from 'vitest';
import { createHandover, handOn, readHandover, type HandedOver } from '../../lib/turn/handover.ts';
import { robotSignature } from '../../lib/dingtalk/signature.ts';
import { BridgeError } from '../../lib/errors.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const clock = createVirtualClock();
const handover = { turnId: 'turn-1', fence: 2, hop: 1 };

/** The request that hands a turn over, as the function gets it. */
async function sent(
  secrets: string[],
  robotName: string | null = null,
  {
    status = 200,
    turn = handover,
    bypassSecret = 'bypass',
  }: { status?: number; turn?: HandedOver; bypassSecret?: string | null } = {},
) {
  const requests: { url: string; headers: Headers; body: string }[] = [];
  const sender = createHandover({
    publicUrl: 'https://bot.example',
    robotName,
    secrets,
    bypassSecret,
    clock,
    storeTime: (nowMs) => nowMs + 500,
    fetch: async (url, init) => {
      const body = typeof init.body === 'string' ? init.body : '';
      requests.push({ url, headers: new Headers(init.headers), body });
      return new Response('{}', { status });
    },
  });
  // More than belongs into a handover: what people wrote must not travel.
  const withText = Object.assign({ payload: 'what a person wrote' }, turn);
  const answered = await sender.resume(withText);
  const [request] = requests;
  if (!request) throw new Error('nothing was sent');
  return { answered, ...request };
}

function verdict(headers: Headers, body: string, secrets: string[], robotName: string | null = null) {
  try {
    return readHandover(headers, body, { robotName, secrets });
  } catch (error) {
    return error instanceof BridgeError ? error.code : 'unexpected';
  }
}

describe('a handover', () => {
  test('goes to the function’s own address, holds ids only, and is believed there', async () => {
    const { answered, url, headers, body } = await sent(['s1'], 'hr');
    expect(answered).toBe(200);
    expect(url).toBe('https://bot.example/api/dingtalk/hr?resume');
    expect(JSON.parse(body)).toEqual({ turnId: 'turn-1', claim: 2, hop: 1 });
    expect(headers.get('x-vercel-protection-bypass')).toBe('bypass');
    // The time is the store's.
    const received = { ...handover, sentAtMs: clock.now() + 500 };
    expect(verdict(headers, body, ['s1'], 'hr')).toEqual(received);
    expect(verdict(headers, body, ['new', 's1'], 'hr')).toEqual(received);
  });

  test('is refused with another body, robot or secret, or without a time', async () => {
    const { headers, body } = await sent(['s1']);
    expect(verdict(headers, body.replace('turn-1', 'turn-2'), ['s1'])).toBe('route_closed');
    expect(verdict(headers, body, ['s1'], 'hr')).toBe('route_closed');
    expect(verdict(headers, body, ['s2'])).toBe('route_closed');
    headers.delete('x-bridge-timestamp');
    expect(verdict(headers, body, ['s1'])).toBe('route_closed');
  });

  test('is never opened by DingTalk’s own signature', async () => {
    const { headers, body } = await sent(['s1']);
    headers.set('x-bridge-signature', robotSignature(headers.get('x-bridge-timestamp') ?? '', 's1'));
    expect(verdict(headers, body, ['s1'])).toBe('route_closed');
    expect(verdict(new Headers(), body, ['s1'])).toBe('route_closed');
  });

  test.each([
    ['beyond the fourth hop', { ...handover, hop: 5 }],
    ['without a turn', { ...handover, turnId: '' }],
    ['of no holder', { ...handover, fence: 0 }],
  ])('%s is refused although it is signed', async (_, turn) => {
    const { headers, body } = await sent(['s1'], null, { turn });
    expect(verdict(headers, body, ['s1'])).toBe('route_closed');
    const good = await sent(['s1'], null, { turn: { ...handover, hop: 4 } });
    expect(verdict(good.headers, good.body, ['s1'])).toMatchObject({ ...handover, hop: 4 });
  });

  test('opens a protected deployment only where there is a secret for that', async () => {
    const { headers } = await sent(['s1'], null, { bypassSecret: null });
    expect(headers.has('x-vercel-protection-bypass')).toBe(false);
  });

  test('that gets no answer was not taken', async () => {
    const sender = createHandover({
      publicUrl: 'https://bot.example',
      robotName: null,
      secrets: ['s1'],
      bypassSecret: null,
      clock,
      storeTime: (nowMs) => nowMs,
      fetch: async () => Promise.reject(new TypeError('no connection')),
    });
    expect(await sender.resume(handover)).toBeNull();
    expect(await handOn(sender, { ...handover, hop: 0 })).toEqual({ isTaken: false, status: null });
  });

  test.each([401, 404, 508, 500])('answered with %i was not taken, and the status is told', async (status) => {
    const { answered } = await sent(['s1'], null, { status });
    expect(await handOn({ resume: async () => answered }, { ...handover, hop: 0 })).toEqual({ isTaken: false, status });
  });
});
