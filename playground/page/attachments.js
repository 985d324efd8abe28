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
let chips = 0;

/**
 * What is to be sent along: uploaded as soon as it is chosen, shown as chips that can be taken away again.
 *
 * @param {Ui} ui
 * @param {{ onChange: () => void, say: (problem: string) => void }} options
 */
export function createAttachments(ui, { onChange, say }) {
  const { words } = ui;
  /** By chat. @type {Map<string, Chip[]>} */
  const attached = new Map();
  const element = h('ul', { class: 'attachments', hidden: true, 'aria-label': words.attachments });

  const mine = () => attached.get(ui.place.chat) ?? [];

  /** @param {string} chat @param {Chip[]} next */
  const put = (chat, next) => {
    attached.set(chat, next);
    render();
    onChange();
  };

  /** @param {Chip} chip */
  const remove = (chip) => {
    if (chip.preview) URL.revokeObjectURL(chip.preview);
    put(
      ui.place.chat,
      mine().filter(({ key }) => key !== chip.key),
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
          onclick: () => remove(chip),
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
    const chip = { key: `chip-${(chips += 1)}`, name: file.name, size: file.size, preview, uploaded: null };
    put(chat, [...(attached.get(chat) ?? []), chip]);
    const uploaded = await server.upload(file);
    const now = attached.get(chat) ?? [];
    // Taken away in the meantime.
    if (!now.some(({ key }) => key === chip.key)) return;
    if (!uploaded) say(words.uploadFailed(file.name));
    put(
      chat,
      uploaded
        ? now.map((other) => (other.key === chip.key ? { ...other, uploaded } : other))
        : now.filter(({ key }) => key !== chip.key),
    );
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
    /** What is attached, which is nothing from here on. @returns {Uploaded[]} */
    take() {
      const taken = mine();
      for (const { preview } of taken) if (preview) URL.revokeObjectURL(preview);
      put(ui.place.chat, []);
      return taken.flatMap(({ uploaded }) => uploaded ?? []);
    },
  };
}
