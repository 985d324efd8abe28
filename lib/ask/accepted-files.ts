import type { AppFacts } from '../dify/app-facts.ts';
import { acceptedClasses, acceptedExtensions, accepts, placeFiles, type QuestionFile } from '../dify/file-inputs.ts';
import { classOf, type FileClass } from '../dify/file-rules.ts';
import { addLeftOut, type LeftOut, type SentFile } from '../dingtalk/message-kinds.ts';
import { BridgeError } from '../errors.ts';
import { extensionOf } from '../files/inspect.ts';

// Which files of a message the app takes, judged before anything is fetched.

/** Most files of one question: more than Dify takes by default. */
export const MAX_FILES = 10;

/** Most extensions that a sentence names. */
export const MAX_EXTENSIONS = 20;

/** Why the app does not take a file; null when it does. Judged by the message alone, before the file is fetched. */
export function refusal(file: SentFile, facts: AppFacts): BridgeError | null {
  if (isAccepted(file, facts)) return null;
  // The app takes no files and recognises no speech. To the asker the recording was not understood.
  if (file.kind === 'audio' && acceptedClasses(facts).length === 0) {
    return new BridgeError('speech_unclear', 'neither DingTalk nor the app recognises speech');
  }
  const kinds = acceptedClasses(facts).join(' ');
  const extensions = acceptedExtensions(facts).slice(0, MAX_EXTENSIONS);
  return new BridgeError('file_not_accepted', 'the app does not take such a file', { kinds }, undefined, {
    extensions,
  });
}

/** @throws BridgeError when the app has no room for all files: only the asker knows which of them to leave out. */
export function refuseTooMany(files: readonly SentFile[], facts: AppFacts): void {
  const most = withRoom(files, facts).length;
  if (files.length > most) throw tooMany(most);
}

/** Of files that wait for a question: those that the app takes with it, and why it does not take the others. */
export function sortOut(
  files: readonly SentFile[],
  facts: AppFacts,
): { taken: SentFile[]; refused: BridgeError | null } {
  const accepted = files.filter((file) => isAccepted(file, facts));
  const taken = withRoom(accepted, facts);
  const refused = files.map((file) => refusal(file, facts)).find((error) => error !== null) ?? null;
  return { taken, refused: refused ?? (taken.length < accepted.length ? tooMany(taken.length) : null) };
}

/** Of the files that a message refers to: those that the app takes beside others, and how many it has no room for. */
export function roomBeside(
  quoted: readonly SentFile[],
  others: readonly SentFile[],
  facts: AppFacts,
): { taken: SentFile[]; leftOut: LeftOut } {
  const accepted = quoted.filter((file) => isAccepted(file, facts));
  const placed = withRoom([...others, ...accepted], facts);
  const taken = accepted.filter((file) => placed.includes(file));
  const left = accepted.filter((file) => !taken.includes(file));
  return { taken, leftOut: left.reduce<LeftOut>((sum, { kind }) => addLeftOut(sum, { [kind]: 1 }), {}) };
}

/** Of these files, the first ones that the app has room for. */
function withRoom(files: readonly SentFile[], facts: AppFacts): SentFile[] {
  const expected = files.map((file) => ({ ...expectationOf(file), uploadId: '', file }));
  const notPlaced = new Set<unknown>(placeFiles(facts, expected).notPlaced);
  return expected.flatMap((one) => (notPlaced.has(one) ? [] : one.file)).slice(0, MAX_FILES);
}

const tooMany = (most: number) =>
  new BridgeError('file_not_accepted', 'the app does not take so many files at once', { most });

function isAccepted(file: SentFile, facts: AppFacts): boolean {
  return accepts(facts, expectationOf(file));
}

/** What a file will be, as far as the message tells. */
export function expectationOf({ kind, name }: SentFile): Omit<QuestionFile, 'uploadId'> {
  if (kind === 'file') {
    const extension = extensionOf(name ?? '');
    return { class: classOf(extension), extension };
  }
  const [fileClass, extension] = MEDIA[kind];
  return { class: fileClass, extension };
}

/** The usual class and extension of each kind. The format of a picture is not known before it was fetched. */
const MEDIA: Readonly<Record<Exclude<SentFile['kind'], 'file'>, readonly [FileClass, string]>> = {
  picture: ['image', 'png'],
  audio: ['audio', 'amr'],
  video: ['video', 'mp4'],
};
