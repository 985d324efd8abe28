import { fill, h, icon, setProp } from './dom.js';
import { icons } from './icons.js';

/**
 * @typedef {import('./ui.js').Ui} Ui
 */

/**
 * The buttons that choose what to send along. In groups DingTalk delivers neither audio nor video nor files to a robot,
 * so there they say so.
 *
 * @param {Ui} ui
 * @param {{
 *   onFiles: (files: FileList) => void,
 *   onVoice: (id: string) => void,
 *   onRecord: () => void,
 *   say: (problem: string) => void,
 * }} options
 */
export function createAttachBar(ui, { onFiles, onVoice, onRecord, say }) {
  const { words, model } = ui;
  const isGroup = () => ui.chat?.kind === 'group';

  /** @param {string} name @param {string} label @param {string} path @param {string} [accept] */
  const chooser = (name, label, path, accept) => {
    const input = h('input', {
      type: 'file',
      hidden: true,
      multiple: true,
      accept,
      'data-testid': `input-${name}`,
      onchange: () => {
        if (input.files) onFiles(input.files);
        // The same file can be chosen again.
        input.value = '';
      },
    });
    const button = h(
      'button',
      {
        type: 'button',
        class: 'tool',
        'data-testid': `attach-${name}`,
        'aria-label': label,
        title: label,
        onclick: () => (button.getAttribute('aria-disabled') ? say(words.onlyPicturesInGroups) : input.click()),
      },
      icon(path),
    );
    return { button, input };
  };
  const picture = chooser(
    'picture',
    words.attachPicture,
    icons.picture,
    'image/png,image/jpeg,image/gif,image/webp,image/bmp',
  );
  const file = chooser('file', words.attachFile, icons.clip);
  const video = chooser('video', words.attachVideo, icons.video, 'video/*');

  const menu = h(
    'div',
    { class: 'voice-menu', id: 'voice-menu', role: 'menu', hidden: true, 'aria-label': words.attachVoice },
    model.voices.map(({ id, name, recognition }) =>
      h(
        'button',
        {
          type: 'button',
          role: 'menuitem',
          'data-testid': `voice-${id}`,
          onclick: () => {
            close(true);
            onVoice(id);
          },
        },
        h('span', null, ui.name(name)),
        h('small', null, recognition ? words.recognised(recognition) : words.notRecognised),
      ),
    ),
  );
  const voice = h(
    'button',
    {
      type: 'button',
      class: 'tool',
      'data-testid': 'attach-voice',
      'aria-label': words.attachVoice,
      title: words.attachVoice,
      'aria-haspopup': 'menu',
      'aria-expanded': 'false',
      'aria-controls': 'voice-menu',
      onclick: () => {
        if (voice.getAttribute('aria-disabled')) say(words.onlyPicturesInGroups);
        else if (menu.hidden) open();
        else close(true);
      },
    },
    icon(icons.voice),
  );

  const record = h(
    'button',
    {
      type: 'button',
      class: 'tool',
      'data-testid': 'forward-record',
      'aria-label': words.forwardRecord,
      title: words.forwardRecord,
      onclick: () => (record.getAttribute('aria-disabled') ? say(words.onlyPicturesInGroups) : onRecord()),
    },
    icon(icons.record),
  );

  const open = () => {
    menu.hidden = false;
    setProp(voice, 'aria-expanded', 'true');
    const [first] = menu.children;
    if (first instanceof HTMLElement) first.focus();
  };
  /** @param {boolean} withFocus */
  const close = (withFocus) => {
    menu.hidden = true;
    setProp(voice, 'aria-expanded', 'false');
    if (withFocus) voice.focus();
  };
  const place = h('div', { class: 'voice-place' }, voice, menu);
  place.addEventListener('keydown', (event) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (event.key === 'Escape' && !menu.hidden) close(true);
    if (step === 0 || menu.hidden) return;
    event.preventDefault();
    const all = [...menu.children];
    const at = document.activeElement ? all.indexOf(document.activeElement) : -1;
    const next = all[(at + step + all.length) % all.length];
    if (next instanceof HTMLElement) next.focus();
  });
  place.addEventListener('focusout', ({ relatedTarget }) => {
    if (!(relatedTarget instanceof Node) || !place.contains(relatedTarget)) close(false);
  });

  const element = h('div', { class: 'tools', role: 'group', 'aria-label': words.attachments });
  fill(element, picture.button, picture.input, file.button, file.input, video.button, video.input, place, record);
  return {
    element,
    render() {
      for (const button of [file.button, video.button, voice, record])
        setProp(button, 'aria-disabled', isGroup() ? 'true' : null);
    },
  };
}
