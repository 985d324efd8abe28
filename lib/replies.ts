import { askerOf, isAdmin } from './access.ts';
import type { Channels } from './channels.ts';
import type { Command } from './commands.ts';
import type { Conversation } from './conversation.ts';
import { errorFields, sendAll } from './delivery.ts';
import type { Message } from './dingtalk/callback.ts';
import { turnErrorCode } from './errors.ts';
import { greetingText } from './greeting.ts';
import type { ShortRequest } from './request.ts';
import type { Runner, RunnerOptions } from './runner.ts';
import { referenceOf } from './turn-record.ts';

/** What is answered with one message and needs no turn: commands, sentences, the app's opening. */
export function createReplies(options: RunnerOptions, channels: Channels, runner: Runner) {
  const { config, state, clock, newId, log, texts, failures } = options;

  /** What the app says first, for somebody who has not met it. Never rejects. */
  async function greet(message: Message, reference: string): Promise<void> {
    const text = await greetingFor(message);
    if (text !== '') await send(text, message, reference);
  }

  /** Never rejects: nobody misses what they did not expect. */
  async function greetingFor({ chat }: Message): Promise<string> {
    const facts = await options.dify.facts().catch(() => null);
    return facts ? greetingText(facts, texts, chat.isGroup) : '';
  }

  /** Answers with one message. Never rejects. */
  async function respond(
    request: ShortRequest,
    turnId: string,
    message: Message,
    conversation: Conversation,
  ): Promise<void> {
    const reference = referenceOf(turnId);
    const text =
      request.kind === 'sentence' ? request.text : await runCommand(request.command, message, conversation, reference);
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
      return `⚠️ ${texts.failures[turnErrorCode(error)]} ${texts.reference(reference)}`;
    }
  }

  async function send(text: string, message: Message, reference: string): Promise<void> {
    const reply = channels.replyTo(message, reference);
    await sendAll([text], true, { reply, clock, log, texts, reference, failures });
  }

  return { greet, respond };
}
