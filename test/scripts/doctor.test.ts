import { beforeEach, expect, test } from 'vitest';
import { readableReport } from '../../scripts/doctor/report.ts';
import { sentencesOf } from '../../scripts/doctor/sentences/index.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { describeWith } from '../support/require.ts';
import { sendTo } from '../support/store.ts';
import { useStore } from '../support/use-store.ts';
import { shortPauses } from '../support/virtual-clock.ts';
import { WRONG_SETUPS } from './doctor-cases.ts';
import {
  BOT,
  CLIENT_ID,
  MARK,
  openStage,
  QSTASH_TOKEN,
  STORE_TOKEN,
  TEMPLATE,
  type RunOptions,
  type Stage,
} from './doctor-stage.ts';

describeWith('redis-server', 'the doctor', () => {
  const store = useStore({ token: STORE_TOKEN });
  /** All that was printed in any test. */
  const outputs: string[] = [];
  beforeEach(() => store().clear());

  async function examine(stage: Stage, options: RunOptions = {}) {
    const result = await stage.run(options);
    outputs.push(result.output);
    return result;
  }

  /** Somebody asks, so that a callback has arrived. */
  async function askOnce({ dingtalk, url }: Stage) {
    await dingtalk.deliver(`${url}/api/dingtalk`, dingtalk.callback({ from: 'staff-1', text: 'hello' }));
    await expect.poll(() => [...dingtalk.cards.values()].map(({ phase }) => phase)).toEqual(['finished']);
    dingtalk.clear();
  }

  /** As a schedule does. */
  async function sweep({ url }: Stage) {
    const headers = { authorization: `Bearer ${MARK}-cron-secret` };
    expect((await fetch(`${url}/api/dingtalk?sweep`, { headers })).status).toBe(200);
  }

  test('finds nothing in a good set-up, and nobody sees anything', async () => {
    const stage = await openStage({ front: store().front });
    await askOnce(stage);
    await sweep(stage);
    const { findings } = await examine(stage);
    expect(findings.filter(({ level }) => level === 'failed' || level === 'warning')).toEqual([]);
    expect(findings.filter(({ level }) => level === 'note').map(({ code }) => code)).toEqual([
      'limitUnset',
      'scheduleUnknown',
      'consoleUnknown',
      'templateUnproved',
      'filesNotTaken',
      'speechNotTaken',
      'noOpening',
      'sourcesNotShown',
      'noSuggestions',
      'callbackUntried',
    ]);
    expect(findings.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['storeFine', 'tokenFine', 'sameSecret', 'callbacksArrive', 'sweepComes']),
    );
    expect(findings.filter(({ code }) => code === 'permissionGranted')).toHaveLength(4);
    const { cards, messages, media } = stage.dingtalk;
    expect([cards.size, messages.length, media.size]).toEqual([0, 0, 0]);
    // Without --fix it changes nothing.
    expect(stage.dingtalk.calls.filter(({ api }) => api === 'registerCallback')).toEqual([]);
    expect(stage.qstash.requests).toEqual([]);
    await stage.close();
  });

  test('reads mode and address of the robot where dws is logged in', async () => {
    const stage = await openStage({ front: store().front });
    const console = { robotStatus: 'ONLINE', mode: 'HTTPS', outgoingUrl: `${BOT}/api/dingtalk` };
    const { findings } = await examine(stage, { console });
    expect(findings.filter(({ check }) => check === 'console').map(({ code }) => code)).toEqual(['consoleFine']);
    await stage.close();
  });

  test('does with --fix what needs no decision: the address for buttons, the schedule, which then sweeps', async () => {
    const stage = await openStage({ front: store().front });
    const env = { QSTASH_TOKEN };
    const first = await examine(stage, { env, request: { isFixing: true } });
    const done = (findings: typeof first.findings) =>
      findings.filter(({ check }) => ['schedule', 'cardCallback'].includes(check)).map(({ code }) => code);
    expect(done(first.findings)).toEqual(['scheduleMade', 'callbackRegistered']);
    // QStash calls the deployment at its public address.
    await stage.qstash.fire();
    const second = await examine(stage, { env });
    expect(done(second.findings)).toEqual(['scheduleRuns', 'callbackUntried']);
    expect(second.findings.map(({ code }) => code)).toContain('sweepComes');
    // A schedule that is right is left as it is.
    const posts = () => stage.qstash.requests.filter(({ method }) => method === 'POST').length;
    expect([done((await examine(stage, { env, request: { isFixing: true } })).findings)[0], posts()]).toEqual([
      'scheduleRuns',
      1,
    ]);
    await stage.close();
  });

  test('one page: what stops answers comes first, and what is fine is one line', async () => {
    const stage = await openStage({ front: store().front });
    const { report } = await examine(stage, {
      env: { DIFY_API_KEY: `app-${MARK}-wrong`, REPLY_LANGUAGE: 'en' },
    });
    if (!report.ok) throw new Error(report.reason);
    const page = readableReport(report, { isColoured: false, showsAll: false });
    const headings = page.split('\n').filter((line) => /^[A-Z]/u.test(line));
    expect(headings).toEqual(['Stops answers', 'Warnings', 'Notes', 'Fine']);
    expect(page).toMatch(/^Stops answers\n {2}✗ Dify: .*\n {6}Fix: /u);
    expect(page.match(/✓/gu)).toHaveLength(1);
    expect(page.split('\n').length).toBeLessThanOrEqual(40);
    await stage.close();
  });

  test('tries a Stream connection without opening one, and leaves the callback alone', async () => {
    const stage = await openStage({ front: store().front });
    const { findings } = await examine(stage, { env: { DINGTALK_CONNECTION: 'stream' } });
    const wrong = findings.filter(({ level }) => level === 'failed' || level === 'warning');
    // The store knows of no message yet.
    expect(wrong.map(({ code }) => code)).toEqual(['streamNever', 'sweepRare']);
    expect(findings.map(({ code }) => code)).toContain('streamFine');
    expect(stage.gateway.attempts.map(({ step }) => step)).toEqual(['ticket']);
    const ofCallback = ['address', 'probe', 'sameSecret', 'cardCallback'];
    expect(findings.filter(({ check }) => ofCallback.includes(check))).toEqual([]);
    await stage.close();
  });

  test('names the trap of one concurrent request for the apps that it refuses', async () => {
    const text = { 'text-input': { variable: 'query', label: 'Question', required: true } };
    const stage = await openStage({
      front: store().front,
      app: { mode: 'workflow', parameters: { user_input_form: [text] } },
    });
    const { findings } = await examine(stage);
    expect(findings.find(({ code }) => code === 'difyOneRequest')).toMatchObject({
      level: 'note',
      found: expect.stringContaining('max_active_requests') as string,
    });
    await stage.close();
  });

  test.each([
    ['1.12', 'chat', ['difyVersion']],
    ['0.15', 'workflow', ['difyVersion', 'difyRunsDie', 'difyNoForms']],
    ['1.12', 'advanced-chat', ['difyVersion', 'difyNoForms']],
    ['1.14', 'advanced-chat', ['difyVersion']],
  ] as const)('names the version of Dify %s and what a %s of it cannot do', async (version, mode, codes) => {
    const stage = await openStage({ front: store().front, app: { mode }, version });
    const { findings, output } = await examine(stage);
    const told = findings.filter(({ check }) => check === 'difyVersion').map(({ code }) => code);
    expect(told).toEqual(codes);
    expect(output).toContain({ '0.15': '0.15.3', 1.12: '1.12.1', 1.14: '1.14.2' }[version]);
    await stage.close();
  });

  test('says where the version of Dify cannot be seen', async () => {
    const stage = await openStage({ front: store().front, version: '1.14', behaviour: { xVersion: null } });
    const { findings } = await examine(stage);
    expect(findings.filter(({ check }) => check === 'difyVersion').map(({ code }) => code)).toEqual([
      'difyVersionHidden',
    ]);
    await stage.close();
  });

  test('proves a template by one card that ends well and one that ends as failed', async () => {
    const stage = await openStage({ front: store().front });
    const { findings } = await examine(stage, { request: { cardTo: 'staff-1' } });
    expect(findings.filter(({ check }) => check === 'template').map(({ code }) => code)).toEqual([
      'cardShown',
      'failedStateFine',
    ]);
    expect([...stage.dingtalk.cards.values()].map(({ phase, space }) => [phase, space.id])).toEqual([
      ['finished', 'staff-1'],
      ['failed', 'staff-1'],
    ]);
    expect(stage.dingtalk.countedCalls()).toBeLessThanOrEqual(5 + 7);
    await stage.close();
  });

  test('shows the variables of a template with buttons in turn, and says what to look for', async () => {
    const template = { published: true, variables: ['content'], failedState: true, buttons: true };
    const stage = await openStage({ front: store().front });
    stage.dingtalk.settings.templates[TEMPLATE] = template;
    const seen = new Set<string>();
    stage.dingtalk.subscribe((event) => {
      if (event.type !== 'card') return;
      for (const part of stage.dingtalk.drawingOf(event.card.outTrackId, 'staff-1')) {
        if (part.kind === 'text') seen.add(part.variable ?? part.text);
        else if (part.kind === 'buttons') for (const { actionId } of part.buttons) seen.add(actionId);
        else seen.add(part.kind);
      }
    });
    const { findings } = await examine(stage, {
      clock: shortPauses,
      request: { cardTo: 'staff-1' },
      env: { DINGTALK_CARD_BUTTONS: 'true', REPLY_LANGUAGE: 'en' },
    });
    const shown = findings.find(({ code }) => code === 'cardParts');
    const named = ['question', 'app', 'notice', 'waiting_for'];
    const drawn = ['pending', 'answer', 'form', 'input', 'copy', '已评价：没用'];
    const pressed = ['stop', 'like', 'dislike', 'ask', 'new', 'form', 'retry'];
    expect(seen).toEqual(new Set([...named, ...drawn, ...pressed]));
    for (const name of [
      ...named,
      'suggestions',
      'like_status',
      'ask_reason',
      'form_fields',
      'form_actions',
      'config',
    ]) {
      expect(shown?.found).toContain(`(${name})`);
    }
    // The other violations are probes of other checks.
    expect(stage.dingtalk.violations.filter(({ message }) => message.includes('template can show'))).toEqual([]);
    expect(stage.dingtalk.countedCalls()).toBeLessThanOrEqual(5 + 9);
    await stage.close();
  });

  test.each(WRONG_SETUPS.map((setup, index) => ({ ...setup, language: index % 2 === 0 ? 'zh-CN' : 'en' })))(
    'names $name ($code, $language)',
    async ({ stage: options, run = {}, arrange, code, level = 'failed', says, also = [], language }) => {
      const stage = await openStage({ front: store().front, ...options });
      await arrange?.(stage);
      const given = typeof run === 'function' ? await run() : run;
      const { findings } = await examine(stage, { ...given, env: { ...given.env, REPLY_LANGUAGE: language } });
      const found = findings.filter((finding) => finding.code === code);
      expect(found.map((finding) => finding.level)).toContain(level);
      expect(found.map(({ found: came, mend, where }) => [came, mend, where].join('\n')).join('\n')).toMatch(says);
      expect(found.every(({ mend }) => mend !== undefined)).toBe(true);
      const others = findings.filter((finding) => finding.level === 'failed' || finding.level === 'warning');
      // Nobody has asked anything yet, and no sweep has come: that is true of every case and said in each.
      const ofAll = ['callbacksNever', 'streamNever', 'sweepRare'];
      const codes = new Set(others.map((finding) => finding.code).filter((other) => !ofAll.includes(other)));
      expect([...codes].filter((other) => other !== code).toSorted()).toEqual([...also].toSorted());
      // No card is left writing, whatever went wrong.
      expect([...stage.dingtalk.cards.values()].filter(({ endedAt }) => endedAt === null)).toEqual([]);
      await stage.close();
    },
  );

  test('leaves out what cannot be judged, and says what comes first', async () => {
    const stage = await openStage({ front: store().front });
    const { findings } = await examine(stage, {
      env: { DINGTALK_CLIENT_SECRET: `${MARK}-wrong`, REPLY_LANGUAGE: 'en' },
    });
    const skipped = findings.filter(({ code }) => code === 'skipped').map(({ check }) => check);
    expect(skipped).toEqual(['permissions', 'template', 'cardCallback', 'callbacks']);
    expect(findings.find(({ check }) => check === 'template')?.found).toContain('DingTalk credentials');
    // A registration with another secret would make the buttons of the deployment fail.
    expect(stage.dingtalk.calls.filter(({ api }) => api === 'registerCallback')).toEqual([]);
    await stage.close();
  });

  test('looks at an address without a configuration, and at all robots of one', async () => {
    const hr = { name: 'hr', dingtalkClientId: CLIENT_ID, dingtalkClientSecret: `${MARK}-client-secret` };
    const BOTS = JSON.stringify([hr]);
    const stage = await openStage({ front: store().front, deployed: { BOTS } });
    const bare = await examine(stage, { env: { DINGTALK_CLIENT_ID: '' }, request: { origin: BOT } });
    expect(bare.findings.map(({ code }) => code)).toContain('addressFine');
    const { report, findings } = await examine(stage, { env: { BOTS } });
    expect(report.ok && report.sections.map(({ robot }) => robot)).toEqual([null, null, 'hr']);
    expect(findings.filter(({ code }) => code === 'sameSecret')).toHaveLength(2);
    const only = await examine(stage, { env: { BOTS }, request: { robotName: 'hr' } });
    expect(only.report.ok && only.report.sections.map(({ robot }) => robot)).toEqual([null, 'hr']);
    const none = await examine(stage, { env: { BOTS }, request: { robotName: 'sales' } });
    expect(none.report).toMatchObject({ ok: false, reason: expect.stringMatching(/sales.*hr/u) as string });
    await stage.close();
  });

  test('works with a Redis over TCP', async () => {
    const stage = await openStage({ front: store().front });
    const { findings } = await examine(stage, {
      env: { UPSTASH_REDIS_REST_URL: '', UPSTASH_REDIS_REST_TOKEN: '', REDIS_URL: store().redis.url },
    });
    expect(findings.filter(({ check }) => check === 'store').map(({ code }) => code)).toEqual([
      'storeFine',
      'storeFast',
    ]);
    await stage.close();
  });

  test.each([
    ['a password that is wrong', 'reader:wrong', 'storeLoginWrong', /REDIS_URL/u],
    ['a user who may not run scripts', 'reader:right', 'storeReadOnly', /EVAL/u],
    ['a server that is full', 'admin:right', 'storeFull', /OOM.*maxmemory/su],
  ])('names %s over TCP', async (_, login, code, says) => {
    const own = await startRedisServer();
    await sendTo(
      own,
      ['ACL', 'SETUSER', 'reader', 'on', '>right', '~*', '+@read', '+@connection'],
      ['ACL', 'SETUSER', 'admin', 'on', '>right', '~*', '+@all'],
      ['CONFIG', 'SET', 'maxmemory', '1'],
    );
    const stage = await openStage({ front: store().front });
    const REDIS_URL = own.url.replace('//', `//${login}@`);
    const { findings } = await examine(stage, {
      env: { UPSTASH_REDIS_REST_URL: '', UPSTASH_REDIS_REST_TOKEN: '', REDIS_URL },
    });
    const [found, ...others] = findings.filter(({ check }) => check === 'store');
    expect([found?.code, found?.level, others]).toEqual([code, 'failed', []]);
    expect(`${found?.found} ${found?.mend}`).toMatch(says);
    await stage.close();
    await own.close();
  });

  // The last one: it looks at what the others have printed.
  test('never prints a secret', () => {
    expect(outputs.length).toBeGreaterThan(WRONG_SETUPS.length);
    expect(new Set(WRONG_SETUPS.map(({ code }) => code)).size).toBeGreaterThanOrEqual(40);
    expect(outputs.filter((output) => output.includes(MARK))).toEqual([]);
    expect(outputs.some((output) => output.includes(CLIENT_ID))).toBe(false);
    expect(outputs.some((output) => output.includes(CLIENT_ID.slice(0, 6)))).toBe(true);
  });
});

test('both languages know every sentence, and Chinese is Chinese', () => {
  expect(Object.keys(sentencesOf['zh-CN']).toSorted()).toEqual(Object.keys(sentencesOf.en).toSorted());
  expect(sentencesOf['zh-CN'].variable('PORT', 'a whole number from 0 to 65535').mend).toBe(
    '请设置 PORT（0 到 65535 之间的整数）',
  );
});
