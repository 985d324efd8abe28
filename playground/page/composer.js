import { createAttachBar } from './attach-bar.js';
import { createAttachments } from './attachments.js';
import { createChipBar } from './chip-bar.js';
import { fill, h, icon } from './dom.js';
import { icons } from './icons.js';
import { createQuoteBar } from './quote-bar.js';
import { server } from './server.js';

/**
 * @typedef {import('./ui.js').Ui} Ui
 * @typedef {import('./ui.js').Part} Part
 * @typedef {import('./attachments.js').Chip} Chip
 */

/** Lines of the field before it scrolls. */
const MAX_HEIGHT_PX = 132;

/**
 * Where one types, and what one sends along. Enter sends, Shift+Enter breaks the line.
 *
 * @param {Ui} ui
 * @returns {Part & { addFiles: (files: Iterable<File>) => void }}
 */
export function createComposer(ui) {
  const { model, words } = ui;
  const problem = h('p', { class: 'composer-problem', role: 'alert', hidden: true, 'data-testid': 'composer-problem' });
  /** @param {string} text */
  const say = (text) => {
    problem.textContent = text;
    problem.hidden = text === '';
  };
  const attachments = createAttachments(ui, { say });
  const quoteBar = createQuoteBar(ui);
  /** @param {Iterable<File>} files */
  const addFiles = (files) => {
    say('');
    attachments.add(files);
    field.focus();
  };
  const attachBar = createAttachBar(ui, {
    onFiles: addFiles,
    onVoice: (voice) => void sendNow({ voice }),
    onRecord() {
      if (model.itemsOf(ui.place.chat).every(({ kind }) => kind === 'tap')) say(words.nothingToForward);
      else void sendNow({ record: true });
    },
    say,
  });
  /** What is sent with one press. @param {Omit<import('./server.js').Message, 'chat' | 'from'>} message */
  const sendNow = async (message) => {
    const isSent = await server.send({ chat: ui.place.chat, from: ui.speaker, ...message });
    say(isSent ? '' : words.notSent);
  };
  const field = h('textarea', {
    id: 'message',
    rows: 1,
    'data-testid': 'composer',
    'aria-label': words.message,
    'aria-describedby': 'composer-hint',
    placeholder: words.placeholder,
    maxlength: 10_000,
    oninput: () => {
      ui.drafts.set(ui.place.chat, field.value);
      fit();
    },
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      // Enter also ends the choice of a Chinese word; that one is not ours.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      void submit();
    },
    onpaste: (/** @type {ClipboardEvent} */ event) => {
      const files = event.clipboardData?.files;
      if (!files || files.length === 0) return;
      event.preventDefault();
      addFiles(files);
    },
  });
  const speaker = h('select', {
    'data-testid': 'speaker',
    'aria-label': words.speakAs,
    onchange: () => ui.speakAs(speaker.value),
  });
  const speakerBox = h('label', { class: 'speaker' }, h('span', null, words.speakAs), speaker);
  const mention = h('span', { class: 'mention composer-mention', 'aria-hidden': 'true' });
  const sendButton = h(
    'button',
    { type: 'submit', class: 'send', 'data-testid': 'send', 'aria-label': words.send },
    icon(icons.send),
    h('span', null, words.send),
  );
  const hint = h('p', { class: 'composer-hint', id: 'composer-hint', 'data-testid': 'composer-hint' });
  const chipBar = createChipBar(ui, { onText: (text) => void sendNow({ text }) });
  const appProblem = h('p', { class: 'app-problem', role: 'status', hidden: true, 'data-testid': 'app-problem' });
  /** The app of one's own cannot be reached, or is not what the configuration says. */
  const renderApp = () => {
    const { app, apps } = model.setup;
    const choice = apps.find(({ id }) => id === app);
    appProblem.hidden = !choice?.problem;
    appProblem.textContent = choice?.problem ? ui.name(choice.problem) : '';
  };

  const fit = () => {
    field.style.height = 'auto';
    // On a phone the field is not always on the screen; what is not there has no height.
    if (field.scrollHeight > 0) field.style.height = `${Math.min(MAX_HEIGHT_PX, field.scrollHeight)}px`;
    const hasSomething = field.value.trim() !== '' || !attachments.isEmpty;
    sendButton.classList.toggle('ready', hasSomething && attachments.isReady);
  };

  /**
   * As DingTalk sends it: pictures and words are one message, every other file is one of its own.
   *
   * @param {{ chat: string, from: string }} as
   * @param {string} text
   * @param {readonly Chip[]} chips
   * @returns {Promise<readonly Chip[] | null>} those that were not sent, with the text; null when everything was sent
   */
  const sendAll = async (as, text, chips) => {
    const quote = ui.quotes.get(as.chat);
    /** @param {readonly Chip[]} some */
    const filesOf = (some) => some.flatMap(({ uploaded }) => uploaded?.id ?? []);
    const pictures = chips.filter(({ uploaded }) => uploaded?.file.kind === 'picture');
    const others = chips.filter((chip) => !pictures.includes(chip));
    for (const [index, chip] of others.entries()) {
      if (!(await server.send({ ...as, files: filesOf([chip]) }))) return [...pictures, ...others.slice(index)];
    }
    if (text === '' && pictures.length === 0) return null;
    const files = filesOf(pictures);
    const isSent = await server.send({ ...as, text, files, ...(quote ? { quote } : {}) });
    if (!isSent) return pictures;
    ui.quote(null, as.chat);
    for (const { preview } of pictures) if (preview) URL.revokeObjectURL(preview);
    return null;
  };

  const submit = async () => {
    const text = field.value.trim();
    if ((text === '' && attachments.isEmpty) || !attachments.isReady) return;
    const { chat } = ui.place;
    ui.drafts.delete(chat);
    say('');
    const left = await sendAll({ chat, from: ui.speaker }, text, attachments.take());
    if (!left) return;
    // Nothing is lost because the server is away: it is in its chat again, before what was typed there since.
    ui.drafts.set(chat, [text, ui.drafts.get(chat) ?? ''].filter(Boolean).join('\n'));
    attachments.giveBack(chat, left);
    say(words.notSent);
  };

  const showDraft = () => {
    const draft = ui.drafts.get(ui.place.chat) ?? '';
    // The same text set again would still end the choice of a Chinese word.
    if (field.value !== draft) field.value = draft;
    attachments.render();
    fit();
  };

  const render = () => {
    const { chat } = ui;
    const isGroup = chat?.kind === 'group';
    speakerBox.hidden = !isGroup;
    mention.hidden = !isGroup;
    mention.textContent = `@${ui.robot}`;
    hint.textContent = isGroup ? words.groupHint : words.hint;
    fill(
      speaker,
      (chat?.members ?? []).map((id) => h('option', { value: id }, ui.person(id)?.name ?? id)),
    );
    speaker.value = ui.speaker;
    renderApp();
    attachBar.render();
    quoteBar.render();
  };

  const stops = [
    chipBar.dispose,
    model.subscribe(({ kind }) => {
      if (kind === 'setup' || kind === 'snapshot') renderApp();
    }),
    ui.onMove((change) => {
      quoteBar.render();
      if (typeof change.quote === 'string') field.focus();
      if (change.draft === ui.place.chat) showDraft();
      if (change.view !== undefined) requestAnimationFrame(fit);
      if (change.chat === undefined) return;
      render();
      say('');
      showDraft();
    }),
  ];
  render();
  queueMicrotask(showDraft);
  const form = h(
    'form',
    {
      class: 'composer',
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        void submit();
      },
    },
    appProblem,
    chipBar.element,
    h(
      'div',
      { class: 'composer-box' },
      quoteBar.element,
      attachments.element,
      h('div', { class: 'composer-line' }, mention, field),
      h('div', { class: 'composer-foot' }, attachBar.element, speakerBox, sendButton),
    ),
    problem,
    hint,
  );
  return { element: form, addFiles, dispose: () => stops.forEach((stop) => stop()) };
}
