// Stories about forms: an app that asks, and what people do about it.
import type { Pause } from '../../playground/dify/types.ts';
import { GROUP, type Bridge } from './bridge.ts';
import { words } from './stage.ts';

const actions = [
  { id: 'approve', title: '同意', button_style: 'primary' },
  { id: 'reject', title: '驳回', button_style: 'default' },
];

/** A form of this title, whose answer says what was chosen. */
export const asking = (title: string, more: Partial<Pause> = {}): Pause => ({
  kind: 'paused',
  title,
  formContent: `${title}：可以吗？`,
  actions,
  onSubmit: ({ action, inputs }) => words(`${title} ${action} ${JSON.stringify(inputs)}`),
  ...more,
});

/** Words of this form lead to a form: 申请甲 to 甲. */
export const formApp = (
  pauseOf: (title: string) => Pause = asking,
  mode: 'advanced-chat' | 'workflow' = 'advanced-chat',
) => ({
  mode,
  script: ({ text }: { text: string }) =>
    text.startsWith('申请') ? { chunks: [{ text: '已提交。' }], ending: pauseOf(text.slice(2)) } : words(`re ${text}`),
});

export type Place = 'single chat' | 'group';

/** What one person does in one place. */
export function actorIn(bridge: () => Bridge, place: Place = 'single chat') {
  const chat = place === 'group' ? { conversation: GROUP } : {};
  const cards = () => bridge().cards();
  return {
    say: (text: string, from = 'staff-1') => bridge().ask({ from, text, ...chat }),
    send: (text: string, from = 'staff-1') => bridge().send({ from, text, ...chat }),
    /** Says it as the answer to a card, which the message quotes. */
    reply: (text: string, card: number, from = 'staff-1') =>
      bridge().ask({ from, text, ...chat, quote: { card: cards().at(card)?.outTrackId ?? '' } }),
    /** The texts that the links of a card send. */
    links: (card = -1): string[] =>
      [...(cards().at(card)?.content ?? '').matchAll(/dtmd:\S+?content=([^)\s]+)/gu)].map(([, text = '']) =>
        decodeURIComponent(text),
      ),
    /** Taps the link of a card that sends this text. */
    async tap(text: string, card = -1) {
      const { content = '', conversationId = '' } = cards().at(card) ?? {};
      const found = [...content.matchAll(/dtmd:\S+?(?=\))/gu)].find(([link]) =>
        decodeURIComponent(link).endsWith(`content=${text}`),
      );
      const sent = found && bridge().dingtalk.tapLink(conversationId, 'staff-1', found[0]);
      if (!sent) throw new Error(`the card has no link that sends ${text}: ${content}`);
      return bridge().ask(sent);
    },
    /** Presses the button of an action. */
    async press(
      action_id: string,
      { card = -1, userId = 'staff-1', form }: { card?: number; userId?: string; form?: object } = {},
    ) {
      const { outTrackId = '' } = cards().at(card) ?? {};
      const params = { action: 'form', action_id, ...(form ? { form } : {}) };
      const tap = await bridge().dingtalk.tap({ outTrackId, userId, actionId: 'form', params }, { url: bridge().url });
      await bridge().idle();
      return tap;
    },
    contents: () => cards().map(({ content }) => content),
    last: () => cards().at(-1)?.content ?? '',
  };
}

/** What Dify was given for forms: the action of each, with the title of its form. */
export const answersIn = (bridge: Bridge) =>
  bridge.dify.requests
    .filter(({ api, status }) => api === 'submitForm' && status === 200)
    .map(({ body }) => body as { action: string; inputs: Record<string, unknown>; user: string });
