import { describe, expect, it } from 'vitest';
import { acknowledgement, readFrame, responseData } from '../../../lib/dingtalk/stream/frames.ts';

const frame = (type: string, headers: object, data?: unknown) =>
  JSON.stringify({ specVersion: '1.0', type, headers, data });

describe('a frame', () => {
  it.each([
    [
      'CALLBACK',
      { topic: '/v1.0/im/bot/messages/get', messageId: 'm', time: '1790000000000' },
      '{"a":1}',
      { kind: 'message', id: 'm', body: '{"a":1}', sentAtMs: 1_790_000_000_000 },
    ],
    [
      'CALLBACK',
      { topic: '/v1.0/card/instances/callback', messageId: 'm' },
      '{}',
      { kind: 'press', id: 'm', body: '{}', sentAtMs: null },
    ],
    ['SYSTEM', { topic: 'ping', messageId: 'p' }, '{"opaque":"o"}', { kind: 'ping', id: 'p', data: '{"opaque":"o"}' }],
    ['SYSTEM', { topic: 'disconnect', messageId: 'd' }, '{"reason":"r"}', { kind: 'disconnect' }],
    ['SYSTEM', { topic: 'KEEPALIVE' }, null, { kind: 'other' }],
    ['SYSTEM', { topic: 'CONNECTED', messageId: null }, undefined, { kind: 'other' }],
    ['CALLBACK', { topic: '/v1.0/other', messageId: 'm' }, '{}', { kind: 'foreign', id: 'm' }],
    ['EVENT', { topic: '*', messageId: 'e' }, '{}', { kind: 'foreign', id: 'e' }],
    ['CALLBACK', { topic: '/v1.0/im/bot/messages/get' }, '{}', { kind: 'other' }],
  ])('%s %j is read', (type, headers, data, expected) => {
    expect(readFrame(frame(type, headers, data))).toEqual(expected);
  });

  it('that cannot be read wants no answer', () => {
    for (const text of ['', 'no JSON', '[]', 'null', '{"type":"CALLBACK"}', '{"type":1,"headers":{}}']) {
      expect(readFrame(text)).toEqual({ kind: 'other' });
    }
  });
});

it('an acknowledgement has the form of the protocol page', () => {
  expect(JSON.parse(acknowledgement('m1', 200, responseData({ a: 'b' })))).toEqual({
    code: 200,
    message: 'OK',
    headers: { messageId: 'm1', contentType: 'application/json' },
    data: '{"response":{"a":"b"}}',
  });
});
