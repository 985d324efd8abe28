// What a card is made with, and that no newer field costs an answer its card.
import { describe, expect, test } from 'vitest';
import { GROUP } from '../support/bridge.ts';
import { fast, stage, words } from '../support/stage.ts';

const { start, bridge } = stage();

const made = () =>
  bridge()
    .dingtalk.calls.filter(({ api }) => api === 'createAndDeliver' || api === 'deliver')
    .map(({ api, status }) => [api, status]);

describe.each(['config', 'question', 'app', 'waiting_for', 'extension'])('a DingTalk that refuses %s', (field) => {
  test.each([
    ['call', [['createAndDeliver', 400]]],
    ['failure', null],
    ['delivery', [['createAndDeliver', 200]]],
  ] as const)('by the %s keeps no answer from its card', async (by, refused) => {
    await start({ ...fast(), app: { script: words('十天') }, dingtalk: { refusedFields: { names: [field], by } } });
    await bridge().ask({ from: 'staff-1', conversation: GROUP, text: '年假有几天？' });
    expect(bridge().card()).toMatchObject({ phase: 'finished', content: '十天', summaryFollows: false });
    expect(Object.keys(bridge().card().variables)).toEqual(
      by === 'delivery' ? ['question', 'app', 'waiting_for', 'config', 'content'] : ['content'],
    );
    await bridge().ask('病假呢？');
    expect(bridge().cards()).toMatchObject([{ content: '十天' }, { content: '十天' }]);
    expect(bridge().dingtalk.messages).toEqual([]);
    const noted = bridge().logs.filter(({ event }) => event === 'card_extras_refused');
    if (refused === null) {
      // A failure inside DingTalk may pass, so each card tries the fields once.
      expect(made().map(([, status]) => status)).toEqual([500, 200, 500, 200]);
      return;
    }
    const repeated = by === 'delivery' ? 'deliver' : 'createAndDeliver';
    // The second card is made without them at once.
    expect(made()).toEqual([...refused, [repeated, 200], ['createAndDeliver', 200]]);
    expect(noted).toHaveLength(1);
  });
});

test('a card names the app that answers, for no call more', async () => {
  await start({ ...fast(), app: { name: '人事助手', script: words('十天') } });
  await bridge().ask('年假有几天？');
  await bridge().ask('年假有几天？');
  expect(bridge().cards()[1]?.variables).toMatchObject({ app: '人事助手', waiting_for: '' });
  expect(bridge().dingtalk.calls.filter(({ api }) => api === 'updateCard')).toEqual([]);
});

describe('a card that does not stand right below its question', () => {
  test('quotes it while it waits and to the end, in a group with the name of its asker', async () => {
    await start({ ...fast(), env: { CONVERSATION_SCOPE: 'chat' }, app: { script: words('十天') } });
    const ask = (from: string, text: string) => bridge().send({ from, conversation: GROUP, text });
    await Promise.all([ask('staff-1', '年假有几天？'), ask('staff-2', '病假**呢**？')]);
    await bridge().idle();
    const contents = bridge()
      .cards()
      .map(({ content }) => content);
    expect(contents.toSorted()).toEqual([expect.stringMatching(/^> .*\n\n十天$/u), '十天']);
    const waited = bridge()
      .cards()
      .find(({ content }) => content !== '十天');
    const name = waited?.mentions[0]?.name ?? '';
    expect(waited?.content).toContain(name === '李雷' ? '> 李雷：病假 呢 ？' : '> 王小明：年假有几天？');
    expect(waited?.frames.every(({ content }) => content.startsWith(`> ${name}：`))).toBe(true);
  });
});
