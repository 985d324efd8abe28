import type { Clock } from '../../lib/runtime/clock.ts';
import { createWorkers, type Workers } from './workers.ts';
import type { Player } from './player.ts';
import { createResultFiles, type ResultFiles } from './result-files.ts';
import type {
  Behaviour,
  DifyEvent,
  DifyOptions,
  DifyRequest,
  DifyRun,
  DifyUpload,
  DifyViolation,
  OpenStream,
  SampleApp,
} from './types.ts';

export interface Conversation {
  id: string;
  key: string;
  /** protocol 5.1: only this user may go on with it. */
  user: string;
  turns: number;
}

/** Everything the sample Dify remembers. */
export interface Memory {
  readonly clock: Clock;
  readonly createId: () => string;
  readonly behaviour: Behaviour;
  readonly apps: Record<string, SampleApp>;
  readonly conversations: Map<string, Conversation>;
  readonly players: Map<string, Player>;
  readonly uploads: Map<string, DifyUpload>;
  readonly files: ResultFiles;
  readonly workers: Workers;
  readonly runs: DifyRun[];
  readonly requests: DifyRequest[];
  readonly openStreams: OpenStream[];
  readonly violations: DifyViolation[];
  blame(code: string, message: string): void;
  emit(event: DifyEvent): void;
  subscribe(listener: (event: DifyEvent) => void): () => void;
}

interface MemoryParts extends Pick<Memory, 'clock' | 'createId' | 'behaviour' | 'apps'> {
  filesUrl: NonNullable<DifyOptions['filesUrl']>;
  ownOrigin: () => string;
}

export function createMemory({ filesUrl, ownOrigin, ...parts }: MemoryParts): Memory {
  const listeners = new Set<(event: DifyEvent) => void>();
  const violations: DifyViolation[] = [];
  const uploads = new Map<string, DifyUpload>();
  const { clock, createId } = parts;
  const emit = (event: DifyEvent) => {
    for (const listener of listeners) listener(event);
  };
  return {
    ...parts,
    conversations: new Map(),
    players: new Map(),
    uploads,
    files: createResultFiles({ clock, createId, uploads, filesUrl, ownOrigin }),
    workers: createWorkers(parts.behaviour.workers),
    runs: [],
    requests: [],
    openStreams: [],
    violations,
    emit,
    blame(code, message) {
      const violation = { at: parts.clock.now(), code, message };
      violations.push(violation);
      emit({ type: 'violation', violation });
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
