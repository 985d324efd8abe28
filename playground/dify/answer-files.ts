import type { Json } from '../http/shape.ts';
import { isWorkflowBased, messageEvent } from './envelope.ts';
import {
  easyFileObject,
  fileMarkdown,
  fileObject,
  ownFileObject,
  withFileObjects,
  type ResultFile,
  type ResultFiles,
} from './result-files.ts';
import type { Behaviour, Chunk, DifyRun } from './types.ts';

export interface AnswerFilesOptions {
  run: DifyRun;
  behaviour: Pick<Behaviour, 'ownFiles'>;
  createId: () => string;
  files: Pick<ResultFiles, 'make' | 'previewUrl'>;
  /** Text that the answer says. */
  say: (text: string) => Json[];
  /** A `message_file` has come. */
  onMessageFile: (id: string) => void;
}

/** What files an answer hands over, and where (protocol 6.2): each mode has its own ways. */
export function createAnswerFiles({ run, behaviour, createId, files, say, onMessageFile }: AnswerFilesOptions) {
  /** What the end events list. */
  const listed: ResultFile[] = [];
  const outputs = new Map<string, Json[]>();
  const isEasy = !isWorkflowBased(run);

  return {
    make(step: Extract<Chunk, { file: unknown }>['file']): Json[] {
      const isShown =
        step.as === 'markdown' || (step.as === 'output' ? run.mode === 'workflow' : run.mode !== 'workflow');
      if (!isShown) return [];
      const result = files.make(step);
      const { id, name, type, mimeType, bytes, url } = result;
      const belongsTo = (step.as === 'message_file' ? step.belongsTo : undefined) ?? 'assistant';
      run.made = [...run.made, { id, name, type, mimeType, size: bytes.length, url, as: step.as, belongsTo }];
      switch (step.as) {
        case 'markdown':
          if (run.mode === 'advanced-chat') listed.push(result);
          return say(fileMarkdown(result));
        case 'end':
          listed.push(result);
          return [];
        case 'output':
          outputs.set(step.key ?? 'files', [...(outputs.get(step.key ?? 'files') ?? []), fileObject(result)]);
          return [];
        case 'message_file':
          if (isEasy && belongsTo === 'assistant') listed.push(result);
          onMessageFile(id);
          return [messageEvent(run, 'message_file', { id, type, belongs_to: belongsTo, url })];
        default:
          return step satisfies never;
      }
    },
    /** What a workflow-based app lists at its end. */
    listed: () => listed.map(fileObject),
    /** What an easy app lists in its `message_end`: the files of the question, then its own. */
    easyListed(): Json[] | null {
      const sent = behaviour.ownFiles ? run.files : [];
      const own = sent.map((file) => ownFileObject(file, createId(), files.previewUrl(file.id ?? '')));
      const all = [...own, ...listed.map(easyFileObject)];
      return all.length > 0 ? all : null;
    },
    /** The outputs of a run: those of its script with the files in their places, or what it has said. */
    outputsOf(given: Json | undefined, said: string): Json {
      const made = Object.fromEntries(outputs);
      if (given) return { ...(withFileObjects(given, (file) => files.make(file)) as Json), ...made };
      if (run.mode !== 'workflow') return { answer: said, files: listed.map(fileObject) };
      return said === '' && outputs.size > 0 ? made : { result: said, ...made };
    },
  };
}
