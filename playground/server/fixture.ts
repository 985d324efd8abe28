import type { ChatInfo, ChatItem, Frame, PersonInfo, Setup, TroubleName } from './protocol.ts';
import type { Exchange, Recording } from './recorder.ts';
import { createRedaction, findSecrets, mapStrings, parseJson, type Json } from './redaction.ts';

/** Largest export, in bytes of UTF-8. */
const MAX_FIXTURE_BYTES = 5 * 1024 * 1024;
/** Each delivery has its own. Without it a callback of the export cannot be delivered again in the sender's name. */
const SIGNATURE_HEADERS = new Set(['sign', 'x-ddpaas-signature']);

export interface FixtureSources {
  recordings: readonly Recording[];
  items: readonly ChatItem[];
  frames: readonly Frame[];
  people: readonly PersonInfo[];
  chats: readonly ChatInfo[];
  /** Values that must not leave, wherever they occur. */
  secrets: readonly string[];
  setup: Setup;
}

/**
 * What happened, as JSON to test with: callbacks, what Dify was asked and answered, frames. People have placeholders,
 * the same in every export. When it is too much, the oldest questions are left out and counted. Null when one question
 * alone is too much.
 */
export function writeFixture(sources: FixtureSources): string | null {
  const { recordings, setup } = sources;
  const redact = createRedaction({ placeholders: placeholdersOf(sources), secrets: secretsOf(sources) });
  const held = recordings.at(-1)?.setup ?? setup;
  const write = (kept: readonly Recording[]) =>
    `${JSON.stringify(
      mapStrings(
        {
          version: 1,
          language: held.replyLanguage,
          robot: settingsOf(held),
          omitted: recordings.length - kept.length,
          messages: kept.map((each) => messageOf(each)),
          dify: kept.flatMap(({ question, exchanges }) => exchanges.map((each) => exchangeOf(question, each))),
          cards: kept.flatMap((each) => cardsOf(each, sources)),
        },
        redact,
      ),
      null,
      2,
    )}\n`;
  for (let from = 0; from < Math.max(1, recordings.length); from += Math.ceil((recordings.length - from) / 4)) {
    const text = write(recordings.slice(from));
    if (Buffer.byteLength(text) <= MAX_FIXTURE_BYTES) return text;
  }
  return null;
}

/** Nothing of the environment but what is chosen in the page. */
function settingsOf({ app, apps, streaming, showThinking, replyLanguage, buttons, trouble }: Setup): Json {
  const choice = apps.find(({ id }) => id === app);
  const troubles = (Object.keys(trouble) as TroubleName[]).filter((name) => trouble[name]);
  return {
    app: choice?.type ?? app,
    isSample: choice?.real !== true,
    streaming,
    showThinking,
    replyLanguage,
    buttons,
    troubles,
  };
}

function messageOf({ question, setup, input }: Recording): Json {
  const start = { id: question, settings: settingsOf(setup) };
  if (input.kind === 'tap') return { ...start, kind: 'tap', tap: plain(input.tap) };
  const { headers, body } = input.callback;
  const unsigned = Object.entries(headers).filter(([name]) => !SIGNATURE_HEADERS.has(name.toLowerCase()));
  return { ...start, kind: 'message', headers: Object.fromEntries(unsigned), body: plain(body) };
}

function exchangeOf(question: string, { request, response, isCut, ...line }: Exchange): Json {
  return {
    message: question,
    ...line,
    // A body that is no JSON (an upload) is not kept.
    request: request === null ? null : parseJson(request),
    response,
    isCut,
  };
}

function cardsOf({ question, at }: Recording, { items, frames }: FixtureSources): Json[] {
  return items.flatMap((item) => {
    if (item.kind !== 'card' || item.question !== question) return [];
    const own = frames.filter(({ card }) => card === item.id);
    return {
      message: question,
      id: item.id,
      phase: item.phase,
      frames: own.map(({ index, at: shownAt, content, final, error }) => ({
        index,
        afterMs: shownAt - at,
        content,
        final,
        error,
      })),
    };
  });
}

/** What JSON keeps of it. */
const plain = (value: object): Json => parseJson(JSON.stringify(value));

function placeholdersOf({ recordings, people, chats }: FixtureSources): Map<string, string> {
  const found = new Map<string, string>();
  people.forEach(({ id, staffId, name }, index) => {
    found.set(id, `person-${index + 1}`);
    if (staffId !== null) found.set(staffId, `person-${index + 1}`);
    for (const each of Object.values(name)) found.set(each, `Person ${index + 1}`);
  });
  chats.forEach(({ id }, index) => found.set(id, `chat-${index + 1}`));
  let users = 0;
  for (const { input, exchanges } of recordings) {
    if (input.kind === 'message') {
      const { senderStaffId, senderUnionId, senderId, chatbotUserId } = input.callback.body;
      const person = found.get(String(senderStaffId ?? senderUnionId));
      if (typeof senderId === 'string' && person !== undefined) found.set(senderId, person);
      if (typeof senderUnionId === 'string' && person !== undefined) found.set(senderUnionId, person);
      if (typeof chatbotUserId === 'string') found.set(chatbotUserId, 'robot');
    }
    for (const { request } of exchanges) {
      const body = parseJson(request ?? 'null');
      const user = body !== null && typeof body === 'object' && !Array.isArray(body) ? body['user'] : undefined;
      if (typeof user === 'string' && !found.has(user)) found.set(user, `user-${(users += 1)}`);
    }
  }
  return found;
}

function secretsOf({ recordings, secrets }: FixtureSources): Set<string> {
  const found = new Set(secrets);
  const look = (value: Json) => findSecrets(value).forEach((each) => found.add(each));
  for (const { input, exchanges } of recordings) {
    look(plain(input));
    for (const { request, response } of exchanges) {
      look(parseJson(request ?? 'null'));
      look(parseJson(response ?? 'null'));
      for (const line of (response ?? '').split('\n')) {
        if (line.startsWith('data:')) look(parseJson(line.slice('data:'.length)));
      }
    }
  }
  return found;
}
