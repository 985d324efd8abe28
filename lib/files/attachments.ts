import { answerText, type Answer } from '../answer/answer.ts';
import type { AnswerFile } from '../answer/event.ts';
import { sendAll, type DeliveryOptions } from '../delivery/deliver.ts';
import type { FileMessages } from '../dingtalk/file-message.ts';
import { plainLine } from '../markdown/plain-line.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import { filesOfAnswer, keysOf, linkedFiles } from './answer-files.ts';
import type { ResultFiles, DingTalkFile } from './outbound.ts';

/** Brings the files of an answer into the chat. */
export interface Attachments {
  /**
   * Takes an answer that still grows and fetches its files at once, because Dify's links are valid for five minutes.
   */
  see(answer: Answer): void;
  /** Sends these files, of which some may have been seen before. Returns those that were not sent. Never rejects. */
  send(files: readonly AnswerFile[]): Promise<Unsent>;
}

export interface Unsent {
  /** Names of files that could not be sent. Empty for a file without a name. */
  failed: readonly string[];
  /** Number of files beyond the limit. */
  leftOut: number;
}

export interface AttachmentsOptions {
  results: ResultFiles;
  messages: FileMessages;
  /** The most files of one answer. Each costs two calls of the month. */
  limit: number;
  signal: AbortSignal;
  clock: Clock;
  log: Log;
  reference: string;
}

type Fetched = { name: string; file: DingTalkFile | null };

/** Milliseconds between two searches for links in a growing text: fewer than each event, far less than links live. */
const LOOK_MS = 2_000;

export function createAttachments(options: AttachmentsOptions): Attachments {
  const { results, messages, limit, signal, clock, log, reference } = options;
  /** The keys of all files whose fetching has begun. */
  const seen = new Set<string>();
  const fetched: { file: AnswerFile; result: Promise<Fetched> }[] = [];
  const isSeen = (file: AnswerFile) => keysOf(file).some((key) => seen.has(key));
  const newLinks = createLinkWatch(clock);
  let taken: readonly AnswerFile[] = [];
  let last: Promise<unknown> = Promise.resolve();

  /** Fetches after the files before it, so that one file at a time is on its way. Never rejects. */
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
      // Most events bring no file.
      if (answer.files !== taken) take(answer.files);
      taken = answer.files;
      take(newLinks(answer));
    },
    async send(files) {
      take(files);
      const failed: string[] = [];
      const wanted = new Set(files.flatMap(keysOf));
      // A file whose link moderation has removed from the text meanwhile is not sent.
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

/** Sends the files of an answer below it, then a message that names those that were not sent. Never rejects. */
export async function sendFiles(
  answer: Answer,
  attachments: Attachments | null,
  options: DeliveryOptions,
): Promise<void> {
  const files = filesOfAnswer(answer);
  if (files.length === 0) return;
  const { texts } = options;
  const { failed, leftOut } = attachments ? await attachments.send(files) : { failed: [], leftOut: files.length };
  const names = failed.map((name) => plainLine(name) || texts.unnamedFile);
  const words = [
    names.length > 0 ? texts.filesNotSent(names) : '',
    leftOut > 0 ? texts.filesLeftOut(leftOut) : '',
  ].filter((text) => text !== '');
  if (words.length > 0) await sendAll([words.join('\n\n')], false, options);
}

/** Finds the files that a growing text links to, without a search of the whole text at each event. */
function createLinkWatch(clock: Clock): (answer: Answer) => readonly AnswerFile[] {
  let nextLookMs = Number.NEGATIVE_INFINITY;
  let searched = 0;
  return (answer) => {
    if (clock.now() < nextLookMs) return [];
    nextLookMs = clock.now() + LOOK_MS;
    const { text } = answerText(answer);
    // The text may end in the middle of an address.
    const end = Math.max(text.lastIndexOf(' '), text.lastIndexOf('\n'), text.lastIndexOf(')')) + 1;
    const hasMore = text.lastIndexOf('/files/', end) >= Math.min(searched, end);
    searched = end;
    return hasMore ? linkedFiles(text.slice(0, end)) : [];
  };
}
