import { describe, expect, test } from 'vitest';
import { robotSignature, verifyRobotSignature } from '../../lib/dingtalk/signature.ts';
import { BridgeError } from '../../lib/errors.ts';
import vectors from '../fixtures/dingtalk/signatures.json' with { type: 'json' };

const { timestamp, secret, sign } = vectors.robot;
const signedAtMs = Number(timestamp);
const HOUR_MS = 3_600_000;

function verdict(headers: Record<string, string>, secrets: string[], nowMs = signedAtMs): string {
  try {
    verifyRobotSignature(new Headers(headers), secrets, nowMs);
    return 'accepted';
  } catch (error) {
    return error instanceof BridgeError ? error.code : 'unexpected';
  }
}

test('the published vector holds', () => {
  expect(robotSignature(timestamp, secret)).toBe(sign);
});

describe('a signature', () => {
  test('is accepted within an hour either way', () => {
    for (const skewMs of [0, HOUR_MS, -HOUR_MS]) {
      expect(verdict({ timestamp, sign }, [secret], signedAtMs + skewMs)).toBe('accepted');
    }
  });

  test('is refused more than an hour off, in the past and in the future', () => {
    for (const skewMs of [HOUR_MS + 1, -HOUR_MS - 1]) {
      expect(verdict({ timestamp, sign }, [secret], signedAtMs + skewMs)).toBe('signature_expired');
    }
  });

  test('is accepted with the new and with the old secret', () => {
    expect(verdict({ timestamp, sign }, ['the new one', secret])).toBe('accepted');
    expect(verdict({ timestamp, sign }, [secret, 'the old one'])).toBe('accepted');
  });

  test('is refused when wrong, cut, lengthened or made with another secret', () => {
    for (const wrong of ['x', sign.slice(0, -1), `${sign}=`, robotSignature(timestamp, 'other'), sign.toLowerCase()]) {
      expect(verdict({ timestamp, sign: wrong }, [secret])).toBe('signature_wrong');
    }
  });

  test('is refused when a header is missing or empty', () => {
    expect(verdict({}, [secret])).toBe('signature_missing');
    expect(verdict({ timestamp }, [secret])).toBe('signature_missing');
    expect(verdict({ sign }, [secret])).toBe('signature_missing');
    expect(verdict({ timestamp: '', sign }, [secret])).toBe('signature_missing');
  });

  test('over something that is no time is refused', () => {
    for (const odd of ['now', '-1', '1e12', 'None']) {
      expect(verdict({ timestamp: odd, sign: robotSignature(odd, secret) }, [secret])).toBe('signature_expired');
    }
  });

  test('with an empty secret never opens', () => {
    expect(verdict({ timestamp, sign: robotSignature(timestamp, '') }, [''])).toBe('signature_wrong');
  });
});
