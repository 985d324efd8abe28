import { questionLines } from '../answer/links.ts';
import { beginning } from '../characters.ts';
import type { RobotConfig } from '../config/robot.ts';
import { sendAll } from '../delivery/deliver.ts';
import type { AppParameters } from '../dify/app-facts.ts';
import type { Message } from '../dingtalk/callback.ts';
import { turnErrorCode } from '../errors.ts';
import { renderBlocks } from '../markdown/render.ts';
import { within } from '../runtime/clock.ts';
import { errorFields } from '../runtime/log.ts';
import type { Texts } from '../texts/texts.ts';
import { askerOf, type Conversation } from '../turn/conversation.ts';
import { referenceOf } from '../turn/record.ts';
import type { Runner, RunnerOptions } from '../turn/runner.ts';
import { isAdmin } from './access.ts';
import type { Command } from './commands.ts';
import type { ShortIntent } from './intent.ts';

/** What the app says first, with the questions that it proposes; empty for an app that says nothing. */
function greetingText(
  { opening, openingQuestions }: Pick<AppParameters, 'opening' | 'openingQuestions'>,
  texts: Texts,
  isGroup: boolean,
): string {
  if (opening === '') return '';
  const words = renderBlocks(beginning(opening, MAX_CHARS), 'message', texts.markdown).join('\n\n');
  if (openingQuestions.length === 0) return words;
  const title = isGroup ? texts.examplesToType : texts.examples;
  return `${words}\n\n**${title}**\n\n${questionLines(openingQuestions.slice(0, MAX_QUESTIONS), !isGroup)}`;
}

const MAX_CHARS = 3_000;

const MAX_QUESTIONS = 6;

/** How long the first answer's card is held back for the greeting. The question itself needs the same facts of the app. */
const GREETING_PATIENCE_MS = 1_000;

/** Not in a group where each member has a conversation of their own: the group would be greeted once for each member. */
export function mayGreet({ chat }: Pick<Message, 'chat'>, scope: RobotConfig['conversation']['scope']): boolean {
  return !chat.isGroup || scope === 'chat';
}

/** What is answered with one message and needs no turn: commands, sentences, the app's opening. */
export interface Replies {
  /**
   * What the app says first, for a person who has not met it. Resolves when it has been sent, or when it is given up because
   * the app's facts are long in coming. Never rejects.
   */
  greet(message: Message, reference: string): Promise<void>;
  /** Answers with one message. Never rejects. */
  respond(intent: ShortIntent, turnId: string, message: Message, conversation: Conversation): Promise<void>;
}

export type ReplyOptions = Pick<
  RunnerOptions,
  'config' | 'texts' | 'chat' | 'dify' | 'state' | 'clock' | 'newId' | 'log'
>;

export function createReplies(options: ReplyOptions, runner: Pick<Runner, 'stop'>): Replies {
  const { config, texts, chat, dify, state, clock, newId, log } = options;

  async function greet(message: Message, reference: string): Promise<void> {
    const text = await within(clock, GREETING_PATIENCE_MS, greetingFor(message)).catch(() => '');
    if (text !== '') await send(text, message, reference);
  }

  /** Never rejects: without the app's facts there is no greeting. */
  async function greetingFor(message: Message): Promise<string> {
    const facts = await dify.facts().catch(() => null);
    return facts ? greetingText(facts, texts, message.chat.isGroup) : '';
  }

  async function respond(
    intent: ShortIntent,
    turnId: string,
    message: Message,
    conversation: Conversation,
  ): Promise<void> {
    const reference = referenceOf(turnId);
    const text =
      intent.kind === 'sentence' ? intent.text : await runCommand(intent.command, message, conversation, reference);
    await send(text, message, reference);
  }

  async function runCommand(
    command: Command,
    message: Message,
    conversation: Conversation,
    reference: string,
  ): Promise<string> {
    const asker = isAdmin(message, config.access) ? null : askerOf(message);
    const stop = () => runner.stop({ conversationKey: conversation.key, asker });
    try {
      return await command.run({
        message,
        conversation,
        robot: config,
        texts,
        state,
        newId,
        stop,
        greeting: () => greetingFor(message),
      });
    } catch (error) {
      log.error('command_failed', { turn: reference, ...errorFields(error) });
      return `⚠️ ${texts.failures[turnErrorCode(error)]}${texts.reference(reference)}`;
    }
  }

  async function send(text: string, message: Message, reference: string): Promise<void> {
    await sendAll([text], true, { reply: chat.replyTo(message, reference), clock, log, texts, reference });
  }

  return { greet, respond };
}
