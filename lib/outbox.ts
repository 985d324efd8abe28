import { filesOf } from './answer-files.ts';
import type { Answer } from './answer.ts';
import type { AnswerFile } from './dify/answer-file.ts';
import { errorFields, sendAll, type DeliveryOptions } from './delivery.ts';
import type { FileMessages } from './dingtalk/file-message.ts';
import { plainName } from './form-view.ts';
import type { ResultFiles, UploadedFile } from './result-files.ts';
import type { Log } from './runtime/log.ts';

/** The files of an answer on their way into the chat. */
export interface Outbox {
  /** Files of an answer that still grows: fetched at once, because Dify's links live five minutes. */
  see(files: readonly AnswerFile[]): void;
  /** Sends what was seen and what else there is. Returns what did not get there. Never rejects. */
  send(files: readonly AnswerFile[]): Promise<Unsent>;
}

export interface Unsent {
  /** Names of files that could not be sent; empty for one without a name. */
  failed: readonly string[];
  /** How many there were beyond the limit. */
  leftOut: number;
}

export interface OutboxOptions {
  results: ResultFiles;
  messages: FileMessages;
  /** Most files of one answer: each costs two calls of the month. */
  limit: number;
  signal: AbortSignal;
  log: Log;
  reference: string;
}

type Fetched = { name: string; file: UploadedFile | null };

export function createOutbox({ results, messages, limit, signal, log, reference }: OutboxOptions): Outbox {
  const seen = new Map<string, Promise<Fetched>>();
  let last: Promise<unknown> = Promise.resolve();

  /** One after another, so that never more than one is under way. Never rejects. */
  function fetch(file: AnswerFile): Promise<Fetched> {
    const fetched = last.then(async () => {
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
    last = fetched;
    return fetched;
  }

  function see(files: readonly AnswerFile[]): void {
    for (const file of files) {
      const key = keyOf(file);
      if (seen.has(key) || seen.size >= limit) continue;
      seen.set(key, fetch(file));
    }
  }

  return {
    see,
    async send(files) {
      see(files);
      const failed: string[] = [];
      for (const { name, file } of await Promise.all(seen.values())) {
        if (!(file && (await sendOne(file)))) failed.push(file?.name ?? name);
      }
      return { failed, leftOut: files.filter((file) => !seen.has(keyOf(file))).length };
    },
  };

  async function sendOne({ kind, mediaId, name, extension }: UploadedFile): Promise<boolean> {
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
export async function sendFiles(answer: Answer, outbox: Outbox | null, options: DeliveryOptions): Promise<void> {
  const files = filesOf(answer);
  if (files.length === 0) return;
  const { texts } = options;
  const { failed, leftOut } = outbox ? await outbox.send(files) : { failed: [], leftOut: files.length };
  const names = failed.map((name) => plainName(name) || texts.unnamedFile);
  const words = [
    names.length > 0 ? texts.filesNotSent(names) : '',
    leftOut > 0 ? texts.filesLeftOut(leftOut) : '',
  ].filter((text) => text !== '');
  if (words.length > 0) await sendAll([words.join('\n\n')], false, options);
}

/** The same file however its link is signed. */
function keyOf({ url }: AnswerFile): string {
  return url.split('?', 1)[0] ?? url;
}
