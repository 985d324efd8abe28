// A chat that notes what it was given, with the failures that a test writes.
import type { OpenCard } from '../../lib/delivery/card.ts';
import type { Frame } from '../../lib/delivery/sink.ts';
import type { Chat, OwnVariables } from '../../lib/dingtalk/chat.ts';
import { cardRefusals } from '../../lib/dingtalk/failures.ts';

export interface FakeCard {
  id: string;
  summary: string;
  question: string;
  frames: Frame[];
  /** The texts that ended it without a frame. */
  closed: string[];
  isOpen: boolean;
}

export interface FakeChat extends Chat {
  cards: FakeCard[];
  /** The texts that were sent, in their order. */
  sent: string[];
  /** The messages that may go through the session's address only. */
  beside: { text: string; mentionAsker: boolean }[];
  /** Variables that were changed, with the card. */
  amended: { cardId: string; variables: Readonly<Record<string, string>>; own?: OwnVariables }[];
  notices: { staffIds: readonly string[]; text: string }[];
  /** Failures of `open`, `write`, `close`, `send`, `beside`, `amend` and `notify`: each is thrown as often as it stands there. */
  failures: Record<string, Error[]>;
  hasTemplate: boolean;
  isPending: boolean;
}

export function createFakeChat(): FakeChat {
  const failing = (name: string) => {
    const failure = chat.failures[name]?.shift();
    if (failure) throw failure;
  };
  const cardOf = (id: string, summary: string, question: string): FakeCard => {
    const known = chat.cards.find((card) => card.id === id);
    if (known) return known;
    const card: FakeCard = { id, summary, question, frames: [], closed: [], isOpen: false };
    chat.cards.push(card);
    return card;
  };
  const sinkOf = (id: string, summary: string, question: string, onCall: () => void) => ({
    async open() {
      onCall();
      failing('open');
      cardOf(id, summary, question).isOpen = true;
    },
    async write(frame: Frame) {
      onCall();
      failing('write');
      cardOf(id, summary, question).frames.push(frame);
    },
    async close(text: string) {
      onCall();
      failing('close');
      cardOf(id, summary, question).closed.push(text);
    },
    ...cardRefusals,
  });
  const counted = (onCall: () => void): Chat => ({
    sessionReplyTo: () => ({
      async send({ text, mentionAsker }) {
        failing('beside');
        chat.beside.push({ text, mentionAsker });
      },
    }),
    replyTo: () => ({
      async send({ text }) {
        failing('send');
        chat.sent.push(text);
      },
    }),
    newCard: ({ id, summary, question }) => (chat.hasTemplate ? sinkOf(id, summary, question, onCall) : null),
    openedCard: (id) => (chat.hasTemplate ? { ...sinkOf(id, '', '', onCall), open: async () => undefined } : null),
    async amend(cardId, variables, own) {
      onCall();
      failing('amend');
      chat.amended.push({ cardId, variables: variables ?? {}, ...(own && { own }) });
    },
    async notify(staffIds, { text }) {
      onCall();
      failing('notify');
      chat.notices.push({ staffIds, text });
    },
    addressOf: async (code) => `http://files.example/${code}`,
    upload: async () => 'media-1',
    fileMessagesTo: () => ({ image: async () => undefined, file: async () => undefined }),
    mayRegister: () => chat.isPending,
    counting: counted,
  });
  const chat: FakeChat = {
    ...counted(() => undefined),
    cards: [],
    sent: [],
    beside: [],
    amended: [],
    notices: [],
    failures: {},
    hasTemplate: true,
    isPending: false,
  };
  return chat;
}

/** The card of a turn as the answer sees it, and what the answer shows on it. */
export function createFakeOpenCard(opened: Promise<boolean> = Promise.resolve(true)) {
  const shown: string[] = [];
  const hints: string[] = [];
  let firstTexts = 0;
  const card: OpenCard = {
    writer: {
      show: (render) => void shown.push(render()),
      finish: async () => undefined,
      close: async () => undefined,
      saysMissing: () => false,
      leave: async () => undefined,
      frames: 0,
      hasShown: false,
    },
    hint: (render) => void hints.push(render()),
    opened,
    noteText: () => (firstTexts += 1),
    firstTextMs: () => null,
    refusedFor: () => null,
  };
  return { card, shown, hints, firstTexts: () => firstTexts };
}
