import { failureText } from '../answer/ending.ts';
import { sendLink } from '../answer/links.ts';
import { MAX_FILES, sortOut } from '../ask/accepted-files.ts';
import { decideForm } from '../ask/form-decision.ts';
import type { AppFacts } from '../dify/app-facts.ts';
import type { Message } from '../dingtalk/callback.ts';
import { sentFilesOf, type SentFile } from '../dingtalk/message-kinds.ts';
import type { BackgroundWork, Platform } from '../runtime/platform.ts';
import type { HoldRequest } from '../state/state.ts';
import type { Held } from '../state/told.ts';
import type { Texts } from '../texts/texts.ts';
import { askerOf } from '../turn/conversation.ts';
import { readForms } from '../turn/kept-forms.ts';
import { readHeld, referenceOf, turnIdOf, writeHeld } from '../turn/record.ts';
import type { RunnerOptions } from '../turn/runner.ts';
import { sentence } from './intent.ts';
import type { AskedQuestion, QuestionParts, Questions } from './questions.ts';
import type { Replies } from './replies.ts';

/** How long files wait for words after the last one. */
const HOLD_MS = 900_000;

/**
 * The files of a message that is nothing else, in a single chat. Recordings are speech. A file that is quoted, or that comes
 * with a quotation, is asked about.
 */
export function filesAlone({ chat, content, quoted }: Pick<Message, 'chat' | 'content' | 'quoted'>): SentFile[] {
  if (chat.isGroup || quoted) return [];
  switch (content.kind) {
    case 'picture':
    case 'video':
    case 'file':
      return sentFilesOf(content);
    case 'rich-text': {
      const files = content.text === '' ? sentFilesOf(content) : [];
      return files.some(({ kind }) => kind === 'audio') ? [] : files;
    }
    default:
      return [];
  }
}

/** Whether a message may be a tap on the link below held files, which sends one of these sentences. */
export function isTap({ content, quoted }: Pick<Message, 'content' | 'quoted'>, texts: Texts): boolean {
  const { picture, video, file } = texts.askAbout;
  return content.kind === 'text' && !quoted && [picture, video, file, texts.askAboutAll].includes(content.text);
}

/** Holds files without words for the next question of their conversation. */
export interface Holding {
  /** Resolves when it is safe to acknowledge the message, with what it asks for after that. */
  hold(asked: AskedQuestion, files: readonly SentFile[], deadlineMs: number | null): Promise<BackgroundWork | null>;
}

export type HoldingOptions = Pick<RunnerOptions, 'config' | 'texts' | 'dify' | 'state' | 'clock' | 'newId' | 'log'>;

export interface HoldingParts {
  questions: Questions;
  replies: Replies;
  lookAfterOthers: QuestionParts['lookAfterOthers'];
}

export function createHolding(options: HoldingOptions, parts: HoldingParts): Holding {
  const { config, texts, dify, state, clock, newId, log } = options;
  const { questions, replies, lookAfterOthers } = parts;

  return {
    async hold(asked, files, deadlineMs) {
      const { message, conversation } = asked;
      const owner = newId();
      const turnId = turnIdOf(message.id);
      const request: HoldRequest = {
        turnId,
        owner,
        conversationKey: conversation.key,
        conversationTtlMs: config.conversation.ttlMs,
        nowMs: clock.now(),
        files: files.map(writeHeld),
        limit: MAX_FILES,
        holdMs: HOLD_MS,
      };
      const reply = await state.hold(request);
      if (reply.kind === 'duplicate') {
        log.info('message_repeated', { robot: config.name });
        return null;
      }
      log.info('message_accepted', { turn: referenceOf(turnId), robot: config.name, kind: `files-${reply.kind}` });
      // Without the store nothing can be held. A repeat under the same owner takes the files back, should they be held.
      if (reply.kind === 'unrecorded') return (platform) => askAtOnce({ ...asked, owner }, deadlineMs, platform);
      return (platform) => afterHolding(reply, { ...asked, owner }, files.length, deadlineMs, platform);
    },
  };

  async function askAtOnce(asked: AskedQuestion, deadlineMs: number | null, platform: Platform): Promise<void> {
    const work = await questions.accept({ ...asked, heldFiles: 'leave' }, deadlineMs);
    await work?.(platform);
  }

  /** Says what waits. What the app does not take is asked about at once, so that the asker reads why. */
  async function afterHolding(
    reply: Extract<Held, { kind: 'held' }>,
    asked: AskedQuestion,
    sent: number,
    deadlineMs: number | null,
    platform: Platform,
  ): Promise<void> {
    const held = reply.files.flatMap((file) => readHeld(file) ?? []);
    const isFull = held.length >= MAX_FILES && reply.added < sent;
    const own = held.slice(held.length - reply.added);
    // The request was repeated, and a question has taken the files in between.
    if (own.length === 0 && !isFull) return lookAfterOthers(Promise.resolve(), { load: reply }, platform);
    if (await isForForm(reply, asked, own)) return askAtOnce(asked, deadlineMs, platform);
    const facts = await dify.facts();
    const isTaken = facts.isAssumed || isFull || sortOut(own, facts).taken.length > 0;
    if (!isTaken) return askAtOnce(asked, deadlineMs, platform);
    const { message, conversation } = asked;
    const turnId = turnIdOf(message.id);
    const answer = async () => {
      if (reply.isFirst) await replies.greet(message, referenceOf(turnId));
      await replies.respond(sentence(textFor(held, isFull, facts)), turnId, message, conversation);
    };
    await lookAfterOthers(answer(), { load: reply }, platform);
  }

  /** Whether a form waits for such files. Where Dify does not tell, they wait for words as ever. Never rejects. */
  async function isForForm(
    { context }: Extract<Held, { kind: 'held' }>,
    { message }: AskedQuestion,
    files: readonly SentFile[],
  ): Promise<boolean> {
    const { forms } = readForms(context ?? null);
    if (forms.length === 0) return false;
    const nowMs = clock.now();
    const sent = { form: null, words: null, files, acceptedAtMs: nowMs, nowMs };
    const person = { asker: askerOf(message), generation: context?.generation ?? '', mayPress: false };
    const decision = await decideForm({ ...sent, ...person, forms, others: [] }, { dify }).catch(() => null);
    return decision?.kind === 'files';
  }

  function textFor(held: readonly SentFile[], isFull: boolean, facts: AppFacts): string {
    const { taken, refused } = facts.isAssumed ? { taken: held, refused: null } : sortOut(held, facts);
    const [first] = taken;
    const question = taken.length === 1 && first ? texts.askAbout[first.kind] : texts.askAboutAll;
    const link = sendLink(texts.look, question);
    if (isFull) return texts.mostHeld(MAX_FILES, link);
    const count = (kind: SentFile['kind']) => taken.filter((file) => file.kind === kind).length;
    const waiting = texts.held({ pictures: count('picture'), videos: count('video'), files: count('file') }, link);
    return refused ? `${failureText(refused, texts)}\n\n${waiting}` : waiting;
  }
}
