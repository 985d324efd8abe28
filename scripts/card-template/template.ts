import { answer, button, form, input, line, loop } from './components.ts';
import type { Part } from './part.ts';
import { container, content, copyBar, pending, state, STATES } from './states.ts';
import { where } from './values.ts';
import { allVariables, minimalVariables } from './variables.ts';

/** The file that the card builder imports: its `editorData` is JSON as a text. */
export interface TemplateFile {
  editorData: string;
  /** What the builder compiles when the template is saved. */
  widgetInfo: '';
  type: 'im';
  mode: 'card';
}

const REASONS = [
  ['wrong', '答错了'],
  ['incomplete', '不完整'],
  ['outdated', '过时了'],
  ['other', '其他'],
] as const;

const question = line('问题', '${question}', where('question'));
const app = line('应用', '${app}', where('app'));
const notice = line('提示', '${notice}', where('notice'));
const isAsked = where('ask_reason');
/** The variable is empty from the beginning. */
const noFormWaits = where('waiting_for', '');

const opinions: readonly Part[] = [
  button('like', { label: '有用', visible: noFormWaits }),
  button('dislike', { label: '没用', visible: noFormWaits }),
  line('评价', '已评价：有用', where('like_status', 'like')),
  line('评价', '已评价：没用', where('like_status', 'dislike')),
  ...REASONS.map(([reason, label]) =>
    button('dislike', { label, visible: isAsked, more: [{ name: 'reason', from: { text: reason } }] }),
  ),
  input('dislike', { label: '哪里没用', hint: '最多 500 字', visible: isAsked }),
];

const entry = (list: string, name: string) => ({ entry: `${list}[0].${name}` });

const suggestions = loop('suggestions', [
  button('ask', { label: '${loop.question}', more: [{ name: 'question', from: entry('suggestions', 'question') }] }),
]);

const waiting: readonly Part[] = [
  line('等待处理', '等待 ${waiting_for} 处理', where('waiting_for')),
  form('form_fields', where('form_fields'), '提交'),
  loop('form_actions', [
    button('form', {
      label: '${loop.title}',
      color: 'blue',
      more: [
        { name: 'action_id', from: entry('form_actions', 'id') },
        { name: 'title', from: entry('form_actions', 'title') },
      ],
    }),
  ]),
];

const start = state('pending', '处理中状态', [pending('正在处理…')]);

const minimal = container([
  start,
  state('writing', '输入中状态', [content([answer(true)])]),
  state('done', '完成状态', [content([answer(false)])]),
  state('failed', '失败状态', [content([answer(false)])]),
]);

const full = container([
  start,
  state('writing', '输入中状态', [content([question, answer(true), button('stop', { label: '停止' }), notice])]),
  state('done', '完成状态', [
    content([
      question,
      answer(false),
      app,
      ...waiting,
      ...opinions,
      suggestions,
      button('new', { label: '新会话' }),
      notice,
    ]),
    copyBar(),
  ]),
  state('failed', '失败状态', [
    content([question, answer(false), button('retry', { label: '重试', color: 'blue' }), notice]),
  ]),
]);

/** @param isMinimal nothing but the streaming text and the failed state. */
export function templateFile(isMinimal: boolean): TemplateFile {
  const root = isMinimal ? minimal : full;
  const variables = isMinimal ? minimalVariables : allVariables;
  const editorData = {
    schemaVersion: '3.0.0',
    schema: {
      version: '1.0.0',
      componentsMap: [...kindsOf(root)].map(component),
      componentsTree: [nodeOf(root, numbered())],
      i18n: {},
    },
    mockData: {
      cardData: Object.fromEntries(variables.map(({ name, mock }) => [name, mock])),
      cardPrivateData: {},
      localData: {},
      richTextData: {},
    },
    renderContext: { regenerateEnabled: '1', regenerateIndex: '2', regenerateTotal: '5' },
    editVersion: 0,
    customWidgetInfo: '',
    useCustomWidgetInfo: false,
    variableList: variables.map((declared) => declared.entry),
    formList: [],
    customContextList: [],
    expList: [],
    localList: [],
    hsfList: [],
    lwpList: [],
    pageData: {},
    extension: { extendType: 'AI', aiStatusList: statesOf(root), fileTypeList: [] },
  };
  return { editorData: JSON.stringify(editorData), widgetInfo: '', type: 'im', mode: 'card' };
}

function kindsOf({ kind, children }: Part): Set<string> {
  return new Set([kind, ...children.flatMap((child) => [...kindsOf(child)])]);
}

const component = (kind: string) => ({
  package: '@ali/dxComponent',
  version: '1.0.0',
  exportName: kind,
  main: './src/index.tsx',
  destructuring: false,
  subName: '',
  componentName: kind,
});

function numbered(): () => string {
  let count = 0;
  return () => `node_${(count += 1)}`;
}

function nodeOf({ kind, title, props, children }: Part, newId: () => string): object {
  return {
    componentName: kind,
    id: newId(),
    // A part of its own beside the bar: the builder gives it an id like that of a component.
    props: kind === 'Feedback' ? { ...props, customRightArea: { type: 'JSSlot', title: '', id: newId() } } : props,
    title,
    hidden: false,
    isLocked: false,
    condition: true,
    conditionGroup: '',
    ...(children.length > 0 ? { children: children.map((child) => nodeOf(child, newId)) } : {}),
  };
}

/** The states that the flags of the container enable. 完成 has no flag. */
function statesOf({ props }: Part): number[] {
  const flags = {
    enablePending: 'pending',
    enableWriting: 'writing',
    enableDoing: 'doing',
    enableFailed: 'failed',
  } as const;
  const enabled = Object.entries(flags).filter(([flag]) => props[flag] === true);
  return [STATES.done, ...enabled.map(([, name]) => STATES[name])].toSorted((a, b) => a - b);
}
