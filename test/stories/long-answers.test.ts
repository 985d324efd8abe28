// What is said beside an answer that takes long: an @ at its end in a group, and without a template that it goes on.
import { describe, expect, test } from 'vitest';
import { textsFor } from '../../lib/texts/index.ts';
import { GROUP } from '../support/bridge.ts';
import { fast, stage } from '../support/stage.ts';

const { start, bridge } = stage();
const texts = textsFor('zh-CN');
const inGroup = (text: string) => ({ from: 'staff-1', conversation: GROUP, text });
const said = () => bridge().dingtalk.messages.map(({ text, channel, mentions }) => ({ text, channel, mentions }));

const mention = {
  text: `@staff-1  \n\n${texts.answered('年假有几天？')}`,
  channel: 'session',
  mentions: ['staff-1'],
};

describe('an answer on a card that took more than a minute, in a group', () => {
  const chunks = Array.from({ length: 7 }, (_, index) => ({ afterMs: 10_000, text: `${index + 1} ` }));

  test('ends with one message that @s the asker, after all changes of hands, and for no call of the month', async () => {
    await start({ app: { mode: 'workflow', script: { chunks } }, env: { FUNCTION_MAX_DURATION_S: '45' }, ...fast(40) });
    await bridge().ask(inGroup('年假有几天？'));
    expect(bridge().card()).toMatchObject({ phase: 'finished', content: '1 2 3 4 5 6 7' });
    expect(bridge().logs.map(({ event }) => event)).toContain('turn_taken_over');
    expect(said()).toEqual([mention]);
    const { calls, messages } = bridge().dingtalk;
    expect(messages[0]?.at).toBeGreaterThanOrEqual(bridge().card().endedAt ?? Infinity);
    expect(calls.filter(({ api }) => api === 'sendToGroup')).toEqual([]);
  });

  test('ends without one where NOTIFY_AFTER_S is 0', async () => {
    await start({ app: { script: { chunks } }, env: { NOTIFY_AFTER_S: '0' }, ...fast(40) });
    await bridge().ask(inGroup('年假有几天？'));
    expect(bridge().card()).toMatchObject({ phase: 'finished' });
    expect(said()).toEqual([]);
  });
});

describe('without a template', () => {
  const noTemplate = { DINGTALK_CARD_TEMPLATE_ID: '', AI_LABEL: undefined };
  const asked = '王小明：年假有几天？';

  test('a question is said to be worked on, at most three times, before its answer, which is labelled', async () => {
    const script = { chunks: [{ afterMs: 200_000, text: '十天' }] };
    await start({ app: { mode: 'workflow', script }, env: noTemplate, ...fast(100) });
    await bridge().ask(inGroup('年假有几天？'));
    const told = said();
    expect(told.map(({ text }) => text)).toEqual([
      `${texts.working(asked)}\n\n${texts.stopByWord}`,
      expect.stringMatching(/^⏳ “王小明：年假有几天？”还在处理中。\n\n⏳ 正在执行：.*\n\n如需停止/su),
      expect.stringContaining(texts.stillWorking(asked)),
      `@staff-1  \n\n十天\n\n${texts.aiLabel}`,
    ]);
    expect(told.map(({ mentions }) => mentions)).toEqual([[], [], [], ['staff-1']]);
    expect(new Set(told.map(({ channel }) => channel))).toEqual(new Set(['session']));
    expect(bridge().dingtalk.countedCalls()).toBe(0);
  });

  test('a quick answer is all that is said, and a command is not labelled', async () => {
    await start({ app: { script: { chunks: [{ afterMs: 4_000, text: '十天' }] } }, env: noTemplate, ...fast() });
    await bridge().ask('年假有几天？');
    await bridge().ask('帮助');
    expect(said().map(({ text }) => text)).toEqual([`十天\n\n${texts.aiLabel}`, texts.help]);
  });
});
