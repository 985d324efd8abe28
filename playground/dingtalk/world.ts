import type { Clock } from '../../lib/runtime/clock.ts';
import type {
  DingTalkCall,
  DingTalkEvent,
  DingTalkSettings,
  FileContent,
  Group,
  Person,
  SimulatedCard,
  SimulatedMessage,
  SimulatedStream,
  UploadedMedia,
  Violation,
} from './types.ts';

/** More sessions than that are forgotten, the oldest first; a client that still uses one is told that it has expired. */
export const maxSessions = 10_000;

export interface Session {
  conversationId: string;
  expiresAt: number;
  /** When messages were accepted; for the limit of 20 a minute. */
  sentAt: number[];
  /** Ids of the messages that were sent. */
  uuids: Set<string>;
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
  /** Cards that were made and not shown. */
  readonly hidden: Map<string, SimulatedCard>;
  /** `<api> <outTrackId>` of calls that were applied but never answered: the client may rightly ask again. */
  readonly unanswered: Set<string>;
  readonly messages: SimulatedMessage[];
  /** What people sent, by download code. */
  readonly files: Map<string, FileContent>;
  /** What the robot uploaded, by media id. */
  readonly media: Map<string, UploadedMedia>;
  readonly calls: DingTalkCall[];
  readonly violations: Violation[];
  readonly sessions: Map<string, Session>;
  readonly callbackRoutes: Map<string, CallbackRoute>;
  /** The address that card actions of this card go to; `undefined` when it has none. */
  routeOf(outTrackId: string): CallbackRoute | undefined;
  /** Notes that a rule of the protocol was broken. */
  violate(violation: Omit<Violation, 'at'>): void;
  /** By staff id or union id. */
  findPerson(id: string): Person | undefined;
  findGroup(conversationId: string): Group | undefined;
  singleConversation(person: Person): string;
  /** One name for a person however they are addressed; the id itself for a stranger. */
  nameOf(id: string): string;
  emit(event: DingTalkEvent): void;
  subscribe(listener: (event: DingTalkEvent) => void): () => void;
}

export type WorldOptions = Pick<
  World,
  'clock' | 'createId' | 'clientId' | 'clientSecret' | 'robotCode' | 'corpId' | 'settings' | 'media'
> & { stream?: SimulatedStream | undefined };

export function createWorld(options: WorldOptions): World {
  const { settings } = options;
  const listeners = new Set<(event: DingTalkEvent) => void>();
  const cards = new Map<string, SimulatedCard>();
  const violations: Violation[] = [];
  const callbackRoutes = new Map<string, CallbackRoute>();
  const emit = (event: DingTalkEvent) => {
    for (const listener of listeners) listener(event);
  };
  const findPerson = (id: string) => settings.people.find(({ staffId, unionId }) => staffId === id || unionId === id);
  return {
    ...options,
    cards,
    hidden: new Map(),
    unanswered: new Set(),
    messages: [],
    files: new Map(),
    calls: [],
    violations,
    sessions: new Map(),
    callbackRoutes,
    routeOf(outTrackId) {
      const card = cards.get(outTrackId);
      if (card?.isOfStream) return options.stream && { url: options.stream.callbackUrl, apiSecret: null };
      return callbackRoutes.get(card?.callbackRouteKey ?? '');
    },
    violate(given) {
      const violation = { at: options.clock.now(), ...given };
      violations.push(violation);
      emit({ type: 'violation', violation });
    },
    findPerson,
    findGroup: (id) => settings.groups.find(({ conversationId }) => conversationId === id),
    singleConversation: ({ staffId, unionId }) =>
      `cid${Buffer.from(`single ${staffId ?? unionId}`).toString('base64url')}==`,
    nameOf(id) {
      const person = findPerson(id);
      return person?.staffId ?? person?.unionId ?? id;
    },
    emit,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
