import { h, icon, reconcile, setProp } from './dom.js';
import { icons } from './icons.js';
import { MAX_UPLOAD_BYTES, server } from './server.js';
import { bytes } from './ui.js';

/**
 * @typedef {import('./ui.js').Ui} Ui
 * @typedef {import('./server.js').Uploaded} Uploaded
 * @typedef {{ key: string, name: string, size: number, preview: string | null, uploaded: Uploaded | null }} Chip
 */

const PICTURE = /\.(?:png|jpe?g|gif|webp|bmp)$/i;
/** As many as go into one message. */
const MAX_FILES = 9;
let lastChip = 0;

/**
 * What is to be sent along: uploaded as soon as it is chosen, shown as chips that can be taken away again.
 *
 * @param {Ui} ui
 * @param {{ say: (problem: string) => void }} options
 */
export function createAttachments(ui, { say }) {
  const { words } = ui;
  const element = h('ul', { class: 'attachments', hidden: true, 'aria-label': words.attachments });

  /** @param {string} chat */
  const of = (chat) => ui.attached.get(chat) ?? [];
  const mine = () => of(ui.place.chat);

  /** @param {string} chat @param {readonly Chip[]} next */
  const put = (chat, next) => {
    ui.attached.set(chat, next);
    ui.redraft(chat);
  };

  /** @param {string} chat @param {Chip} chip */
  const remove = (chat, chip) => {
    if (chip.preview) URL.revokeObjectURL(chip.preview);
    put(
      chat,
      of(chat).filter(({ key }) => key !== chip.key),
    );
  };

  /** @param {Chip} chip */
  const create = (chip) =>
    h(
      'li',
      { class: 'attachment', 'data-testid': 'attachment' },
      chip.preview ? h('img', { src: chip.preview, alt: '' }) : icon(icons.file),
      h('span', { class: 'attachment-name ellipsis' }, chip.name),
      h('span', { class: 'attachment-size' }, bytes(chip.size)),
      h(
        'button',
        {
          type: 'button',
          'aria-label': words.removeFile(chip.name),
          'data-testid': 'remove-attachment',
          onclick: () => remove(ui.place.chat, chip),
        },
        icon(icons.cross),
      ),
    );

  const render = () => {
    const shown = mine();
    element.hidden = shown.length === 0;
    reconcile(element, shown, {
      key: ({ key }) => key,
      create,
      update: (row, { uploaded }) => {
        setProp(row, 'aria-busy', uploaded ? null : 'true');
        setProp(row, 'data-state', uploaded ? 'ready' : 'uploading');
      },
    });
  };

  /** @param {string} chat @param {File} file */
  const attach = async (chat, file) => {
    // A picture from the clipboard is called `image.png` by every browser.
    const preview = PICTURE.test(file.name) ? URL.createObjectURL(file) : null;
    /** @type {Chip} */
    const chip = { key: `chip-${(lastChip += 1)}`, name: file.name, size: file.size, preview, uploaded: null };
    put(chat, [...of(chat), chip]);
    const uploaded = await server.upload(file);
    const now = of(chat);
    // Taken away in the meantime.
    if (!now.some(({ key }) => key === chip.key)) return;
    if (uploaded) {
      put(
        chat,
        now.map((other) => (other.key === chip.key ? { ...other, uploaded } : other)),
      );
    } else {
      say(words.uploadFailed(file.name));
      remove(chat, chip);
    }
  };

  return {
    element,
    render,
    /** @param {Iterable<File>} files */
    add(files) {
      const isGroup = ui.chat?.kind === 'group';
      for (const file of files) {
        if (isGroup && !PICTURE.test(file.name)) say(words.onlyPicturesInGroups);
        else if (file.size > MAX_UPLOAD_BYTES) say(words.fileTooLarge(file.name));
        else if (file.size === 0) say(words.fileEmpty(file.name));
        else if (mine().length >= MAX_FILES) say(words.tooManyFiles(MAX_FILES));
        else void attach(ui.place.chat, file);
      }
    },
    get isEmpty() {
      return mine().length === 0;
    },
    get isReady() {
      return mine().every(({ uploaded }) => uploaded !== null);
    },
    /** What is attached, which is nothing from here on. */
    take() {
      const taken = mine();
      put(ui.place.chat, []);
      return taken;
    },
    /** What was taken and could not be sent. @param {string} chat @param {readonly Chip[]} chips */
    giveBack: (chat, chips) => put(chat, [...chips, ...of(chat)]),
  };
}
