import { isAsked } from './model.js';
import { keep, preferredLanguage, recall, wordsOf } from './preferences.js';

/**
 * Where one is in the page. Views read it and are told of changes; the server knows nothing of it.
 *
 * @typedef {import('./model.js').Model} Model
 * @typedef {import('./preferences.js').Language} Language
 * @typedef {'chats' | 'chat' | 'panel'} View what a narrow screen shows
 * @typedef {'answer' | 'calls' | 'frames' | 'log' | 'trouble'} Tab
 * @typedef {object} Place
 * @property {string} chat
 * @property {string | null} question the one looked at; `null`: the latest of the chat
 * @property {View} view
 * @property {Tab} tab
 * @property {boolean} everything calls and log of all answers, not of one
 * @property {number | null} frame the frame looked at; `null`: the latest
 */

/**
 * What has changed: the place, who one is in the chat, what the next message replies to, or, of a chat, what is not
 * sent yet.
 *
 * @typedef {Partial<Place> & { speaker?: string, quote?: string | null, draft?: string }} Move
 */

/** @param {Model} model */
export function createUi(model) {
  const chats = model.chats;
  const kept = recall('chat');
  /** @type {Place} */
  const place = {
    chat: chats.find(({ id }) => id === kept)?.id ?? chats[0]?.id ?? '',
    question: null,
    view: 'chat',
    tab: 'answer',
    everything: false,
    frame: null,
  };
  /** @type {Map<string, string>} */
  const speakers = new Map();
  /** @type {Set<(change: Move) => void>} */
  const listeners = new Set();
  /** @param {Move} change */
  const tell = (change) => {
    for (const listener of listeners) listener(change);
  };
  /** @type {Set<() => void>} */
  const tourStarters = new Set();
  let language = preferredLanguage();

  return {
    model,
    place,
    /** The tour, while it is open: its question, and where it is. @type {{ question: string, chat: string, step: number } | null} */
    tour: null,
    startTour() {
      for (const starter of tourStarters) starter();
    },
    /** @param {() => void} starter */
    onTour(starter) {
      tourStarters.add(starter);
      return () => tourStarters.delete(starter);
    },
    /** The group of chips that is open. @type {import('./chips.js').ChipGroup} */
    chipGroup: 'answers',
    /** What was typed and not sent yet, by chat. @type {Map<string, string>} */
    drafts: new Map(),
    /** What was filled in on cards and not sent yet, by person, card and field. @type {Map<string, string>} */
    filledIn: new Map(),
    /** What is to be sent along, by chat. @type {Map<string, readonly import('./attachments.js').Chip[]>} */
    attached: new Map(),
    /** What is to be sent next in a chat is not what its field shows any more. @param {string} chat */
    redraft: (chat) => tell({ draft: chat }),
    /** What the next message replies to, by chat. @type {Map<string, string>} */
    quotes: new Map(),
    /** @param {string | null} item @param {string} [chat] */
    quote(item, chat = place.chat) {
      if (item === null) this.quotes.delete(chat);
      else this.quotes.set(chat, item);
      tell({ quote: item });
    },
    get language() {
      return language;
    },
    get words() {
      return wordsOf(language);
    },
    /** @param {Language} next */
    setLanguage(next) {
      language = next;
      keep('language', next);
    },
    /** @param {{ zh: string, en: string }} named */
    name: (named) => named[language],
    get robot() {
      return model.robot[language];
    },
    get chat() {
      return model.chat(place.chat);
    },
    /** A person, with the name in the language of the page. @param {string} id */
    person(id) {
      const found = model.person(id);
      return found && { ...found, name: found.name[language] };
    },
    /** The robot's language, where it follows the page. */
    get replyLanguage() {
      return language === 'zh' ? /** @type {const} */ ('zh-CN') : /** @type {const} */ ('en');
    },
    /** Who one is in the chat that is open. */
    get speaker() {
      const chat = model.chat(place.chat);
      return speakers.get(place.chat) ?? chat?.members[0] ?? '';
    },
    /** @param {string} person */
    speakAs(person) {
      speakers.set(place.chat, person);
      tell({ speaker: person });
    },
    /** The question, or the tap, that the panel is about. */
    get question() {
      const chosen = model.item(place.question);
      if (chosen && isAsked(chosen)) return chosen;
      return model.itemsOf(place.chat).findLast(isAsked) ?? null;
    },
    /** @param {Partial<Place>} change */
    go(change) {
      Object.assign(place, change);
      if (change.chat !== undefined) {
        keep('chat', change.chat);
        place.question = null;
      }
      if (change.chat !== undefined || change.question !== undefined) place.frame = null;
      tell(change);
    },
    /** @param {(change: Move) => void} listener */
    onMove(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** @typedef {ReturnType<typeof createUi>} Ui */
/**
 * A part of the page. `dispose` ends its subscriptions when the page is built anew in another language.
 *
 * @typedef {{ element: HTMLElement, dispose: () => void }} Part
 */

/** @param {number} at */
export const clockTime = (at) =>
  new Date(at).toLocaleTimeString('zh-CN', { hour: '2-digit', minute: '2-digit', hour12: false });

/** @param {number | null | undefined} ms */
export const duration = (ms) => {
  if (ms === null || ms === undefined) return '—';
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
};

/** @param {number} count */
export const bytes = (count) => {
  if (count < 1000) return `${count} B`;
  if (count < 1_000_000) return `${(count / 1000).toFixed(count < 10_000 ? 1 : 0)} kB`;
  return `${(count / 1_000_000).toFixed(1)} MB`;
};
