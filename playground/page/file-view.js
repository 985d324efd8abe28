import { h, icon } from './dom.js';
import { icons } from './icons.js';
import { bytes } from './ui.js';

/**
 * @typedef {import('./ui.js').Ui} Ui
 * @typedef {import('./model.js').FileInfo} FileInfo
 */

const PATHS = { picture: icons.picture, voice: icons.voice, video: icons.video, file: icons.file };

/**
 * A file in a chat: a picture as itself, anything else as what it is called and how large it is, to download.
 *
 * @param {Ui} ui
 * @param {FileInfo} file
 */
export function createFileView(ui, { kind, name, size, url }) {
  const { words } = ui;
  if (kind === 'picture') {
    const label = words.openPicture(name || words.fileKinds.picture);
    return h(
      'a',
      {
        class: 'thumbnail',
        href: url,
        target: '_blank',
        rel: 'noopener noreferrer',
        'aria-label': label,
        'data-testid': 'picture',
      },
      h('img', { src: url, alt: name, referrerpolicy: 'no-referrer' }),
    );
  }
  const extension = name.includes('.') ? name.slice(name.lastIndexOf('.') + 1).toLowerCase() : '';
  return h(
    'a',
    {
      class: `file-chip ${kind}`,
      href: url,
      download: name,
      'aria-label': words.download(name),
      'data-testid': 'file',
    },
    h('span', { class: 'file-icon', 'data-type': extension, 'aria-hidden': 'true' }, icon(PATHS[kind])),
    h(
      'span',
      { class: 'file-words' },
      h('span', { class: 'file-name' }, kind === 'voice' ? words.fileKinds.voice : name),
      h('span', { class: 'file-size' }, kind === 'voice' ? bytes(size) : `${words.fileKinds[kind]} · ${bytes(size)}`),
    ),
    icon(icons.download, 'icon file-download'),
  );
}
