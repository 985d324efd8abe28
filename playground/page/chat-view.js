import { groupAvatar, personAvatar } from './avatar.js';
import { createComposer } from './composer.js';
import { fill, h, icon } from './dom.js';
import { icons } from './icons.js';
import { createTimeline } from './timeline.js';

/**
 * The open chat: who is in it, what was said, where one types.
 *
 * @param {import('./ui.js').Ui} ui
 * @param {(text: string) => void} announce
 * @returns {import('./ui.js').Part}
 */
export function createChatView(ui, announce) {
  const { words } = ui;
  const head = h('div', { class: 'chat-head', 'data-testid': 'chat-head' });
  const timeline = createTimeline(ui, announce);
  const composer = createComposer(ui);

  const render = () => {
    const { chat } = ui;
    if (!chat) return;
    const people = chat.members.flatMap((id) => ui.person(id) ?? []);
    const me = people.find(({ id }) => id === ui.speaker);
    const others = people.filter((person) => person !== me).map(({ name }) => name);
    const line =
      me &&
      (chat.kind === 'group'
        ? words.youAmong(me.name, ui.name(me.role), words.listed([...others, ui.robot]))
        : words.youAlone(me.name, ui.name(me.role), ui.robot));
    fill(
      head,
      chat.kind === 'group' || !me ? groupAvatar(people) : personAvatar(me),
      h(
        'div',
        null,
        h('h2', null, ui.name(chat.title)),
        h('p', { class: 'ellipsis', title: line, 'data-testid': 'you-are' }, line),
      ),
    );
  };
  const stop = ui.onMove(render);
  render();
  const element = h(
    'main',
    { class: 'chat', 'data-view': 'chat' },
    head,
    timeline.element,
    composer.element,
    h('p', { class: 'drop-here', 'aria-hidden': 'true' }, icon(icons.clip), words.dropHere),
  );
  acceptDrops(element, composer.addFiles);
  return {
    element,
    dispose() {
      stop();
      timeline.dispose();
      composer.dispose();
    },
  };
}

/** @param {HTMLElement} element @param {(files: Iterable<File>) => void} onFiles */
function acceptDrops(element, onFiles) {
  /** @param {DragEvent} event */
  const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes('Files') ?? false;
  element.addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    element.classList.add('dropping');
  });
  element.addEventListener('dragleave', ({ relatedTarget }) => {
    if (!(relatedTarget instanceof Node) || !element.contains(relatedTarget)) element.classList.remove('dropping');
  });
  element.addEventListener('drop', (event) => {
    element.classList.remove('dropping');
    if (!hasFiles(event)) return;
    event.preventDefault();
    onFiles(event.dataTransfer?.files ?? []);
  });
}
