// A busy group: a reader sees of every card whose question it answers, and which one.
import { expect, test } from 'vitest';
import type { SimulatedCard } from '../../playground/dingtalk/types.ts';
import { GROUP, withButtons } from '../support/bridge.ts';
import { asking } from '../support/forms.ts';
import { fast, stage, words } from '../support/stage.ts';

const { start, bridge } = stage();

const PEOPLE = { 王小明: 'staff-1', 李雷: 'staff-2', 外部客户: 'union-3' } as const;
type Name = keyof typeof PEOPLE;

const QUESTIONS: readonly [Name, string][] = [
  ['王小明', '年假有几天？'],
  ['李雷', '报销流程是什么？'],
  ['外部客户', '发票怎么开？'],
  ['王小明', '病假怎么请？'],
  ['李雷', '申请采购'],
  ['外部客户', '合同在哪里下载？'],
  ['王小明', '年假能跨年吗？'],
  ['李雷', '差旅标准是多少？'],
  ['外部客户', '几天能到账？'],
  ['王小明', '会议室怎么订？'],
];

const NAMES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(PEOPLE).map(([name, id]) => [id, name]),
);

/**
 * Whose question a card answers, and which: the line that the template shows, with the name of the asker. DingTalk tells no
 * name with a press: then the @ at the delivery names the person who pressed.
 */
function askedOn({ variables, mentions }: SimulatedCard): [string, string] {
  const line = variables['question'] ?? '';
  const [, name, question = line] = /^(王小明|李雷|外部客户)：(.+)$/u.exec(line) ?? [];
  return [name ?? NAMES[mentions[0]?.userId ?? ''] ?? 'unknown', question];
}

const script = ({ text }: { text: string }) =>
  text.startsWith('申请')
    ? { chunks: [{ afterMs: 500, text: '已提交。' }], ending: asking('采购') }
    : { chunks: [{ afterMs: 2_000, text: `答：${text}` }] };

test('ten questions of three people, two presses and a form: each card names its asker and its question', async () => {
  await start({
    ...withButtons,
    ...fast(5),
    app: {
      mode: 'advanced-chat',
      script,
      parameters: { suggested_questions_after_answer: { enabled: true } },
      suggest: ['要提前几天申请？'],
    },
  });
  const { dingtalk } = bridge();
  await Promise.all(QUESTIONS.map(([name, text]) => bridge().send({ from: PEOPLE[name], conversation: GROUP, text })));
  await bridge().idle();
  const card = (question: string): SimulatedCard => {
    const found = bridge()
      .cards()
      .find((each) => askedOn(each)[1] === question);
    if (!found) throw new Error(`no card for ${question}`);
    return found;
  };
  const press = (on: SimulatedCard, userId: string, actionId: string, params: Record<string, unknown>) =>
    dingtalk.tap({ outTrackId: on.outTrackId, userId, actionId, params: { action: actionId, ...params } });
  // Another person takes a proposed question, the asker decides the form, and a third one rates, all at once.
  await Promise.all([
    press(card('报销流程是什么？'), 'staff-1', 'ask', { question: '要提前几天申请？' }),
    press(card('申请采购'), 'staff-2', 'form', { action_id: 'approve', form: {} }),
    press(card('发票怎么开？'), 'union-3', 'like', {}),
  ]);
  await bridge().idle();
  const inOrder = (asked: readonly (readonly string[])[]) => asked.map((row) => row.join('：')).toSorted();
  const pressed = [
    ['王小明', '要提前几天申请？'],
    ['李雷', '同意'],
  ];
  expect(inOrder(bridge().cards().map(askedOn))).toEqual(inOrder([...QUESTIONS, ...pressed]));
  // The answer below is the answer to that question.
  for (const each of bridge().cards()) {
    const [, question] = askedOn(each);
    if (!/申请采购|同意/u.test(question)) expect(each.content).toBe(`答：${question}`);
  }
});

test('without buttons a card that waited says so in its text', async () => {
  await start({
    ...fast(20),
    app: { script: ({ text }) => words(`答：${text}`) },
    env: { CONVERSATION_SCOPE: 'chat' },
  });
  const asked = QUESTIONS.slice(0, 4);
  await Promise.all(asked.map(([name, text]) => bridge().send({ from: PEOPLE[name], conversation: GROUP, text })));
  await bridge().idle();
  const contents = bridge()
    .cards()
    .map(({ content }) => content);
  const rows = asked.map(([name, text]) => [`答：${text}`, `> ${name}：${text}\n\n答：${text}`]);
  expect(contents).toHaveLength(4);
  for (const content of contents) expect(rows.flat()).toContain(content);
  expect(contents.filter((content) => content.startsWith('> '))).toHaveLength(3);
});
