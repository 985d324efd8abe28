/**
 * @typedef {import('../server/protocol.ts').Snapshot} Snapshot
 * @typedef {import('../server/protocol.ts').Change} Change
 * @typedef {import('../server/protocol.ts').ChatItem} ChatItem
 * @typedef {import('../server/protocol.ts').QuestionItem} QuestionItem
 * @typedef {import('../server/protocol.ts').TapItem} TapItem
 * @typedef {import('../server/protocol.ts').FileInfo} FileInfo
 * @typedef {import('../server/protocol.ts').ButtonInfo} ButtonInfo
 * @typedef {import('../server/protocol.ts').FieldInfo} FieldInfo
 * @typedef {import('../server/protocol.ts').DrawnInfo} DrawnInfo
 * @typedef {import('../server/protocol.ts').CardItem} CardItem
 * @typedef {import('../server/protocol.ts').MessageItem} MessageItem
 * @typedef {import('../server/protocol.ts').ChatInfo} ChatInfo
 * @typedef {import('../server/protocol.ts').PersonInfo} PersonInfo
 * @typedef {import('../server/protocol.ts').Call} Call
 * @typedef {import('../server/protocol.ts').Frame} Frame
 * @typedef {import('../server/protocol.ts').LogLine} LogLine
 * @typedef {import('../server/protocol.ts').Setup} Setup
 * @typedef {Change | { kind: 'snapshot' }} Update
 */

/** As many as the server keeps; more would grow for as long as the page is open. */
const MAX = { items: 300, calls: 600, logs: 500, cardsWithFrames: 20 };

/**
 * What the server has told so far.
 *
 * @param {Snapshot} first
 */
export function createModel(first) {
  let snapshot = first;
  /** @type {Map<string, ChatItem>} */
  const items = new Map();
  /** @type {Map<string, Frame[]>} */
  const frames = new Map();
  /** @type {Map<number, Call>} */
  const calls = new Map();
  /** @type {LogLine[]} */
  const logs = [];
  /** @type {Set<(update: Update) => void>} */
  const listeners = new Set();

  const clear = () => {
    items.clear();
    frames.clear();
    calls.clear();
    logs.length = 0;
  };

  /** @param {Frame} frame */
  const addFrame = (frame) => {
    const known = frames.get(frame.card) ?? [];
    known[frame.index] = frame;
    frames.set(frame.card, known);
    forgetOldest(frames, MAX.cardsWithFrames);
  };

  /** @param {Snapshot} next */
  const load = (next) => {
    clear();
    snapshot = next;
    for (const item of next.items) items.set(item.id, item);
    next.frames.forEach(addFrame);
    for (const call of next.calls) calls.set(call.id, call);
    logs.push(...next.logs);
  };

  /** @param {Change} change */
  const apply = (change) => {
    switch (change.kind) {
      case 'item':
        items.set(change.item.id, change.item);
        forgetOldest(items, MAX.items);
        break;
      case 'frame':
        addFrame(change.frame);
        break;
      case 'call':
        calls.set(change.call.id, change.call);
        forgetOldest(calls, MAX.calls);
        break;
      case 'log':
        logs.push(change.line);
        if (logs.length > MAX.logs) logs.shift();
        break;
      case 'setup':
        snapshot = { ...snapshot, setup: change.setup };
        break;
      case 'cleared':
        clear();
        break;
    }
  };

  load(first);

  return {
    get robot() {
      return snapshot.robot;
    },
    get setup() {
      return snapshot.setup;
    },
    get chats() {
      return snapshot.chats;
    },
    get voices() {
      return snapshot.voices;
    },
    /** @param {string} id */
    person: (id) => snapshot.people.find((person) => person.id === id),
    /** @param {string} id */
    chat: (id) => snapshot.chats.find((chat) => chat.id === id),
    /** @param {string | null} id */
    item: (id) => (id === null ? undefined : items.get(id)),
    /** In the order in which they were said. @param {string} chat */
    itemsOf: (chat) => [...items.values()].filter((item) => item.chat === chat).toSorted((a, b) => a.at - b.at),
    /** @param {string} card */
    framesOf: (card) => (frames.get(card) ?? []).filter(Boolean),
    calls: () => [...calls.values()],
    logs: () => logs,
    /** The robot's answers to a question. @param {string} question */
    answersTo: (question) =>
      [...items.values()].filter(
        /** @returns {item is CardItem | MessageItem} */
        (item) => !isAsked(item) && item.question === question,
      ),
    /** @param {Snapshot} next */
    replace(next) {
      load(next);
      for (const listener of listeners) listener({ kind: 'snapshot' });
    },
    /** @param {Change} change */
    change(change) {
      apply(change);
      for (const listener of listeners) listener(change);
    },
    /** @param {(update: Update) => void} listener */
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** @typedef {ReturnType<typeof createModel>} Model */

/** What a person did, and what the robot answers. @param {ChatItem} item @returns {item is QuestionItem | TapItem} */
export const isAsked = (item) => item.kind === 'question' || item.kind === 'tap';

/**
 * @template Key
 * @template Value
 * @param {Map<Key, Value>} map
 * @param {number} most
 */
function forgetOldest(map, most) {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
}
