import type { Clock } from '../../lib/runtime/clock.ts';
import type {
  DingTalkCall,
  DingTalkEvent,
  DingTalkSettings,
  Group,
  Person,
  SimulatedCard,
  SimulatedMessage,
  Violation,
} from './types.ts';

export interface Session {
  conversationId: string;
  expiresAt: number;
  /** When messages were accepted; for the limit of 20 a minute. */
  sentAt: number[];
}

export interface CallbackRoute {
  url: string;
  apiSecret: string | null;
}

/** Everything the simulated DingTalk remembers. */
export interface World {
  readonly clock: Clock;
  readonly createId: () => string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly robotCode: string;
  readonly corpId: string;
  readonly settings: DingTalkSettings;
  readonly cards: Map<string, SimulatedCard>;
  /** `<api> <outTrackId>` of calls that were applied but never answered: the client may rightly ask again. */
  readonly unanswered: Set<string>;
  readonly messages: SimulatedMessage[];
  readonly calls: DingTalkCall[];
  readonly violations: Violation[];
  readonly sessions: Map<string, Session>;
  readonly callbackRoutes: Map<string, CallbackRoute>;
  /** By staff id or union id. */
  findPerson(id: string): Person | undefined;
  findGroup(conversationId: string): Group | undefined;
  singleConversation(person: Person): string;
  emit(event: DingTalkEvent): void;
  subscribe(listener: (event: DingTalkEvent) => void): () => void;
}

export type WorldOptions = Pick<
  World,
  'clock' | 'createId' | 'clientId' | 'clientSecret' | 'robotCode' | 'corpId' | 'settings'
>;

export function createWorld(options: WorldOptions): World {
  const { settings } = options;
  const listeners = new Set<(event: DingTalkEvent) => void>();
  return {
    ...options,
    cards: new Map(),
    unanswered: new Set(),
    messages: [],
    calls: [],
    violations: [],
    sessions: new Map(),
    callbackRoutes: new Map(),
    findPerson: (id) => settings.people.find(({ staffId, unionId }) => staffId === id || unionId === id),
    findGroup: (id) => settings.groups.find(({ conversationId }) => conversationId === id),
    singleConversation: ({ staffId, unionId }) =>
      `cid${Buffer.from(`single ${staffId ?? unionId}`).toString('base64url')}==`,
    emit(event) {
      for (const listener of listeners) listener(event);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
