import { describe, expect, test } from 'vitest';
import { createDifyHttp } from '../../lib/dify/http.ts';
import { readVersion } from '../../lib/dify/version.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { configOf } from './support.ts';

describe('what the version of a Dify tells', () => {
  test.each([
    ['0.15.3', false, true, false],
    ['1.9.1', false, true, false],
    ['1.9.2', true, true, false],
    ['1.10.1-fix.1', true, true, false],
    ['1.13.3', true, true, false],
    ['1.14.0', true, true, true],
    ['1.15', true, true, true],
    ['1.16.1', true, false, true],
    ['2.0.0', true, false, true],
  ])('%s: runs survive %s, agents %s, events of a run %s', (version, runsSurvive, agentsSurvive, hasRunEvents) => {
    expect(readVersion(version, { mode: 'chat' })).toEqual({ version, runsSurvive, agentsSurvive, hasRunEvents });
  });

  test.each([
    ['a missing header', null],
    ['a name', 'latest'],
    ['a text of another kind', '1.2.3; <script>'],
  ])('%s tells nothing where the app names its mode', (_, header) => {
    const nothing = { version: null, runsSurvive: null, agentsSurvive: null, hasRunEvents: null };
    expect(readVersion(header, { mode: 'chat' })).toEqual(nothing);
    // `GET /info` was not answered, or not asked.
    expect(readVersion(header, undefined)).toEqual(nothing);
  });

  test('without the header, an app that does not name its mode is older than 1.4', () => {
    expect(readVersion(null, { name: 'helper', description: '', tags: [] })).toEqual({
      version: null,
      runsSurvive: false,
      agentsSurvive: null,
      hasRunEvents: false,
    });
  });
});

describe('the version', () => {
  test('is heard in any answer, refusals included, and kept where a later one does not tell it', async () => {
    const told = ['1.14.2', null];
    const answer = () => {
      const version = told.shift() ?? null;
      return new Response('{}', { status: 404, headers: version === null ? {} : { 'x-version': version } });
    };
    const http = createDifyHttp(configOf('http://127.0.0.1:1'), { fetch: async () => answer(), clock: systemClock });
    expect(http.version).toBeNull();
    await http.get('/info', { timeoutMs: 1_000 });
    expect(http.version).toBe('1.14.2');
    await http.post('/messages/m/feedbacks', {}, { timeoutMs: 1_000 });
    expect(http.version).toBe('1.14.2');
  });
});
