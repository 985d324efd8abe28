import type { RobotConfig } from '../config/robot.ts';
import type { Message } from '../dingtalk/callback.ts';
import type { State } from '../state/state.ts';
import type { Texts } from '../texts/texts.ts';
import type { Conversation } from '../turn/conversation.ts';

export interface CommandContext {
  message: Message;
  conversation: Conversation;
  robot: RobotConfig;
  texts: Texts;
  state: Pick<State, 'startConversation'>;
  newId: () => string;
  /** Stops the answers of this conversation; false when there was nothing to stop. */
  stop: () => Promise<boolean>;
  /** What the app says at the beginning of a conversation; empty when it says nothing. */
  greeting: () => Promise<string>;
}

/** What a user types instead of a question. It passes the queue of its conversation. */
export interface Command {
  /** What is typed, in lower case; the whole message must be one of these. */
  words: readonly string[];
  /** Answered also for people who may not ask. */
  open: boolean;
  /** Carries it out and returns the reply. */
  run(context: CommandContext): Promise<string>;
}

const commands: readonly Command[] = [
  {
    words: ['/new', '/reset', '新会话', '重置'],
    open: false,
    async run({ state, conversation, robot, texts, newId, greeting }) {
      const dropped = await state.startConversation({
        conversationKey: conversation.key,
        generation: newId(),
        ttlMs: robot.conversation.ttlMs,
      });
      const opening = await greeting();
      const parts = [texts.newConversation, dropped > 0 ? texts.heldDropped(dropped) : '', opening];
      return parts.filter((part) => part !== '').join('\n\n');
    },
  },
  {
    words: ['/stop', '停止'],
    open: false,
    run: async ({ stop, texts }) => ((await stop()) ? texts.stopping : texts.nothingToStop),
  },
  { words: ['/help', '帮助'], open: true, run: async ({ texts }) => texts.help },
  {
    words: ['/id'],
    open: true,
    run: async ({ message: { sender, chat }, texts }) =>
      texts.ids({ staffId: sender.staffId, chatId: chat.id, isGroup: chat.isGroup }),
  },
];

/** Mentions that a client left in the text, before the words or behind them. A name may hold a blank, if `/…` follows. */
const MENTIONS = /^@\S+(?: \S+)?\s*(?=\/\S+$)|^(?:@\S+\s+)+|(?:\s+@\S+)+$/g;

/** A longer text is no command with mentions beside it. */
const MAX_CHARS = 200;

/** What speech recognition, or a person, puts behind a word. */
const CLOSING = /[\s.,!?;:~。，！？；：、…～]+$/;

/** Invisible characters that clients put beside a mention. */
const INVISIBLE = /[\u200B-\u200D\u2060\uFEFF]/g;

/** The command that a message is, or null for a question. A Chinese keyboard may write the slash in its full width. */
export function findCommand(text: string): Command | null {
  if (text.length > MAX_CHARS) return null;
  const typed = text.normalize('NFKC').replace(INVISIBLE, '').trim();
  const word = typed.replace(MENTIONS, '').replace(CLOSING, '').trim().toLowerCase();
  return commands.find(({ words }) => words.includes(word)) ?? null;
}
