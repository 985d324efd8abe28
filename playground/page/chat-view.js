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
  const { model, words } = ui;
  const head = h('div', { class: 'chat-head', 'data-testid': 'chat-head' });
  const timeline = createTimeline(ui, announce);
  const composer = createComposer(ui);

  const render = () => {
    const { chat } = ui;
    if (!chat) return;
    const people = chat.members.flatMap((id) => model.person(id) ?? []);
    const [person] = people;
    const line =
      chat.kind === 'group'
        ? `${words.members(people.length)} · ${people.map(({ name }) => name).join('、')}`
        : person && `${ui.name(person.role)} · ${person.staffId ?? words.external} ⇄ ${ui.robot}`;
    fill(
      head,
      chat.kind === 'group' || !person ? groupAvatar(people) : personAvatar(person),
      h('div', null, h('h2', null, ui.name(chat.title)), h('p', { class: 'ellipsis' }, line)),
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
