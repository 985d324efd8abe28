import { answerText, type Answer } from '../answer/answer.ts';
import type { AnswerFile } from '../answer/event.ts';
import { sendAll, type DeliveryOptions } from '../delivery/deliver.ts';
import type { FileMessages } from '../dingtalk/file-message.ts';
import { plainLine } from '../markdown/plain-line.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import { filesOfAnswer, keysOf, linkedFiles } from './answer-files.ts';
import type { ResultFiles, DingTalkFile } from './outbound.ts';

/** The files of an answer on their way into the chat. */
export interface Attachments {
  /** An answer that still grows: its files are fetched at once, because Dify's links live five minutes. */
  see(answer: Answer): void;
  /** Sends these files, of which some were seen before. Returns what did not get there. Never rejects. */
  send(files: readonly AnswerFile[]): Promise<Unsent>;
}

export interface Unsent {
  /** Names of files that could not be sent; empty for one without a name. */
  failed: readonly string[];
  /** How many there were beyond the limit. */
  leftOut: number;
}

export interface AttachmentsOptions {
  results: ResultFiles;
  messages: FileMessages;
  /** Most files of one answer: each costs two calls of the month. */
  limit: number;
  signal: AbortSignal;
  clock: Clock;
  log: Log;
  reference: string;
}

type Fetched = { name: string; file: DingTalkFile | null };

/** How often a growing text is searched for links, in milliseconds: more often than they expire, less than it grows. */
const LOOK_MS = 2_000;

export function createAttachments(options: AttachmentsOptions): Attachments {
  const { results, messages, limit, signal, clock, log, reference } = options;
  /** What the files that are fetched, or were, are known by. */
  const seen = new Set<string>();
  const fetched: { file: AnswerFile; result: Promise<Fetched> }[] = [];
  const isSeen = (file: AnswerFile) => keysOf(file).some((key) => seen.has(key));
  const newLinks = createLinkWatch(clock);
  let taken: readonly AnswerFile[] = [];
  let last: Promise<unknown> = Promise.resolve();

  /** One after another, so that never more than one is under way. Never rejects. */
  function fetch(file: AnswerFile): Promise<Fetched> {
    const fetching = last.then(async () => {
      try {
        const kind =
          file.kind === 'image' ? 'picture' : file.kind === 'audio' || file.kind === 'video' ? file.kind : 'file';
        return {
          name: file.name,
          file: await results.upload({ url: file.url, name: file.name || null, kind }, signal),
        };
      } catch (error) {
        log.warn('file_not_fetched', { turn: reference, ...errorFields(error) });
        return { name: file.name, file: null };
      }
    });
    last = fetching;
    return fetching;
  }

  function take(files: readonly AnswerFile[]): void {
    for (const file of files) {
      if (!isSeen(file)) {
        if (fetched.length >= limit) continue;
        fetched.push({ file, result: fetch(file) });
      }
      for (const key of keysOf(file)) seen.add(key);
    }
  }

  return {
    see(answer) {
      // Most events bring none.
      if (answer.files !== taken) take(answer.files);
      taken = answer.files;
      take(newLinks(answer));
    },
    async send(files) {
      take(files);
      const failed: string[] = [];
      const wanted = new Set(files.flatMap(keysOf));
      // What a moderator has taken out of the text meanwhile is not sent.
      const kept = fetched.filter(({ file }) => keysOf(file).some((key) => wanted.has(key)));
      for (const { name, file } of await Promise.all(kept.map(({ result }) => result))) {
        if (!(file && (await sendOne(file)))) failed.push(file?.name ?? name);
      }
      return { failed, leftOut: files.filter((file) => !isSeen(file)).length };
    },
  };

  async function sendOne({ kind, mediaId, name, extension }: DingTalkFile): Promise<boolean> {
    try {
      if (kind === 'image') await messages.image({ mediaId, title: name });
      else await messages.file({ mediaId, name, extension });
      return true;
    } catch (error) {
      log.warn('file_not_sent', { turn: reference, ...errorFields(error) });
      return false;
    }
  }
}

/** Sends the files of an answer below it, and says what did not get there. Never rejects. */
export async function sendFiles(answer: Answer, outbox: Attachments | null, options: DeliveryOptions): Promise<void> {
  const files = filesOfAnswer(answer);
  if (files.length === 0) return;
  const { texts } = options;
  const { failed, leftOut } = outbox ? await outbox.send(files) : { failed: [], leftOut: files.length };
  const names = failed.map((name) => plainLine(name) || texts.unnamedFile);
  const words = [
    names.length > 0 ? texts.filesNotSent(names) : '',
    leftOut > 0 ? texts.filesLeftOut(leftOut) : '',
  ].filter((text) => text !== '');
  if (words.length > 0) await sendAll([words.join('\n\n')], false, options);
}

/** Finds what a growing text links to, without reading all of it again for each word. */
function createLinkWatch(clock: Clock): (answer: Answer) => readonly AnswerFile[] {
  let nextLookMs = Number.NEGATIVE_INFINITY;
  let searched = 0;
  return (answer) => {
    if (clock.now() < nextLookMs) return [];
    nextLookMs = clock.now() + LOOK_MS;
    const { text } = answerText(answer);
    // The end may be half an address.
    const end = Math.max(text.lastIndexOf(' '), text.lastIndexOf('\n'), text.lastIndexOf(')')) + 1;
    const hasMore = text.lastIndexOf('/files/', end) >= Math.min(searched, end);
    searched = end;
    return hasMore ? linkedFiles(text.slice(0, end)) : [];
  };
}
