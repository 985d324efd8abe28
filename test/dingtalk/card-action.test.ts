import { describe, expect, it } from 'vitest';
import { cardCallbackSecret, cardSignature, verifyCardSignature } from '../../lib/dingtalk/signature.ts';
import { cardUpdateBody, readCardAction } from '../../lib/dingtalk/card-action.ts';
import { BridgeError } from '../../lib/errors.ts';

const NOW = 1_800_000_000_000;

const headers = (timestamp: string, secret: string) =>
  new Headers({
    'x-ddpaas-signature-timestamp': timestamp,
    'x-ddpaas-signature': cardSignature(timestamp, cardCallbackSecret(secret)),
  });

function codeOf(check: () => void): string | null {
  try {
    check();
    return null;
  } catch (error) {
    return error instanceof BridgeError ? error.code : String(error);
  }
}

describe('the signature of a card callback', () => {
  it('is the one of the official page', () => {
    expect(cardSignature('1577262236757', 'example-secret')).toBe('9EQUhx+gSqHfgSF/OnOV2ifDC9m1VzjPj00L/WOZeew=');
  });

  it('has a secret that does not give the client secret away', () => {
    expect(cardCallbackSecret('client-secret')).toMatch(/^[0-9a-f]{64}$/u);
    expect(cardCallbackSecret('client-secret')).not.toBe(cardCallbackSecret('another'));
  });

  it.each([String(NOW), String(NOW / 1_000), String(NOW - 3_599_000), String(NOW + 3_599_000)])(
    'is taken with the timestamp %s',
    (timestamp) => {
      expect(codeOf(() => verifyCardSignature(headers(timestamp, 'secret'), ['secret'], NOW))).toBeNull();
    },
  );

  it('is taken with either secret while one is being rotated', () => {
    for (const secret of ['new', 'old']) {
      expect(codeOf(() => verifyCardSignature(headers(String(NOW), secret), ['new', 'old'], NOW))).toBeNull();
    }
  });

  it.each([
    ['the client secret itself', cardSignature(String(NOW), 'secret'), String(NOW), 'signature_wrong'],
    ['another secret', cardSignature(String(NOW), cardCallbackSecret('other')), String(NOW), 'signature_wrong'],
    ['nothing', '', String(NOW), 'signature_missing'],
    ['no timestamp', 'x', '', 'signature_missing'],
  ])('is refused when made with %s', (_what, signature, timestamp, code) => {
    const given = new Headers({ 'x-ddpaas-signature': signature, 'x-ddpaas-signature-timestamp': timestamp });
    expect(codeOf(() => verifyCardSignature(given, ['secret'], NOW))).toBe(code);
  });

  it.each([String(NOW - 3_601_000), String(NOW + 3_601_000), 'now'])(
    'is refused with the timestamp %s',
    (timestamp) => {
      expect(codeOf(() => verifyCardSignature(headers(timestamp, 'secret'), ['secret'], NOW))).toBe(
        'signature_expired',
      );
    },
  );

  it('is refused by a robot without secrets', () => {
    expect(codeOf(() => verifyCardSignature(headers(String(NOW), ''), [''], NOW))).toBe('signature_wrong');
  });
});

describe('the body of a card callback', () => {
  const pressed = JSON.stringify({ cardPrivateData: { actionIds: ['stop'], params: { action: 'stop' } } });
  const action = { cardId: 'card', userId: 'user', actionIds: ['stop'], params: { action: 'stop' } };

  it.each(['content', 'value'])('is read from %s', (field) => {
    const body = { type: 'actionCallback', outTrackId: 'card', userId: 'user', [field]: pressed };
    expect(readCardAction(JSON.stringify(body))).toEqual(action);
  });

  it.each<[string, object]>([
    ['at the top', { actionId: 'stop', params: { action: 'stop' } }],
    ['at the top, with parameters in content', { actionId: 'stop', content: '{"params":{"action":"stop"}}' }],
    ['at the top, with content without anything', { actionId: 'stop', params: { action: 'stop' }, content: '{}' }],
    ['in content', { content: JSON.stringify({ actionId: 'stop', params: { action: 'stop' } }) }],
    ['in content that is an object', { content: JSON.parse(pressed) as object }],
    ['in actionData', { actionData: { actionId: 'stop', params: { action: 'stop' } } }],
    ['in actionData as JSON', { actionData: JSON.stringify({ actionId: 'stop', params: { action: 'stop' } }) }],
    ['in the cardPrivateData of actionData', { actionData: JSON.parse(pressed) as object }],
    ['in the actionData of content', { content: JSON.stringify({ actionData: JSON.parse(pressed) as object }) }],
    ['in two places', { actionId: 'stop', content: pressed }],
    ['with parameters in userPrivateData', { actionId: 'stop', userPrivateData: { params: { action: 'stop' } } }],
  ])('is read with the button %s', (_where, place) => {
    expect(readCardAction(JSON.stringify({ outTrackId: 'card', userId: 'user', ...place }))).toEqual(action);
  });

  it('believes the documented place', () => {
    const places = { actionId: 'like', params: { action: 'like', reason: 'other' }, content: pressed };
    expect(readCardAction(JSON.stringify({ outTrackId: 'card', userId: 'user', ...places }))).toEqual({
      ...action,
      actionIds: ['stop', 'like'],
      params: { action: 'stop', reason: 'other' },
    });
  });

  it('takes parameters that stand outside', () => {
    const content = JSON.stringify({ cardPrivateData: { actionIds: ['stop'] }, params: { action: 'stop' } });
    expect(readCardAction(JSON.stringify({ outTrackId: 'card', userId: 'user', content }))).toEqual(action);
  });

  it('may name no button and no parameters', () => {
    const content = JSON.stringify({ cardPrivateData: {} });
    expect(readCardAction(JSON.stringify({ outTrackId: 'card', userId: 'user', content }))).toEqual({
      ...action,
      actionIds: [],
      params: {},
    });
  });

  it.each([
    ['no JSON', 'x'],
    ['no card', JSON.stringify({ userId: 'user', content: pressed })],
    ['no person', JSON.stringify({ outTrackId: 'card', content: pressed })],
    ['no content', JSON.stringify({ outTrackId: 'card', userId: 'user' })],
    ['content without a button', JSON.stringify({ outTrackId: 'card', userId: 'user', content: '{}' })],
    ['a button that is no text', JSON.stringify({ outTrackId: 'card', userId: 'user', actionId: 5 })],
    ['content that is no JSON', JSON.stringify({ outTrackId: 'card', userId: 'user', content: '{' })],
    ['another type', JSON.stringify({ type: 'other', outTrackId: 'card', userId: 'user', content: pressed })],
  ])('is refused with %s', (_what, body) => {
    expect(codeOf(() => void readCardAction(body))).toBe('body_invalid');
  });
});

it('the response changes only what the one who pressed sees', () => {
  expect(cardUpdateBody({ notice: 'done' })).toEqual({
    cardUpdateOptions: { updateCardDataByKey: true, updatePrivateDataByKey: true },
    userPrivateData: { cardParamMap: { notice: 'done' } },
  });
});
