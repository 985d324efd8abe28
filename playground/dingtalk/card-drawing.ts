import { templateFile } from '../../scripts/card-template/template.ts';
import { isRecord, parseJson, recordOf, type Json } from '../http/shape.ts';
import { readFields, entriesOf } from './card-lists.ts';
import type { CardButton, CardPhase, Drawn } from './types.ts';

/** Draws cards from the file that `npm run card-template` writes, as DingTalk's builder is thought to read it. */

type Variables = Readonly<Record<string, string>>;

interface Node {
  kind: string;
  props: Json;
  children: Node[];
}

interface Scene {
  variables: Variables;
  /** The entry that a loop draws. */
  entry: Json;
}

/** A text of the file or of an entry; empty where it is another value. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const STATUS: Readonly<Record<CardPhase, number>> = { processing: 1, typing: 2, finished: 3, failed: 5 };

const listOf = (value: unknown): Json[] => (Array.isArray(value) ? value.filter((item) => isRecord(item)) : []);

function nodeOf(json: Json): Node {
  return {
    kind: textOf(json['componentName']),
    props: recordOf(json['props']),
    children: listOf(json['children']).map(nodeOf),
  };
}

function readLayout(isMinimal: boolean) {
  const data = recordOf(parseJson(templateFile(isMinimal).editorData));
  const [root] = listOf(recordOf(data['schema'])['componentsTree']);
  if (!root) throw new Error('the template has no component');
  const names = new Set(listOf(data['variableList']).map(({ name }) => name));
  return { states: nodeOf(root).children, names };
}

const layouts = { whole: readLayout(false), minimal: readLayout(true) };

/** A condition of 是否显示. Another operator than those of the file is a mistake of its generator. */
function holds(condition: Json, { variables }: Scene): boolean {
  const value = variables[textOf(condition['variable'])] ?? '';
  if (condition['op'] === 'isNotEmpty') return value !== '';
  if (condition['op'] === 'equal') return value === condition['value'];
  throw new Error(`the operator ${textOf(condition['op'])} cannot be drawn`);
}

function isVisible({ visible }: Json, scene: Scene): boolean {
  const { valueType, value, condition } = recordOf(visible);
  if (valueType !== 'condition') return value !== false;
  const { op, conditions } = recordOf(condition);
  const each = listOf(conditions);
  return op === 'and' ? each.every((one) => holds(one, scene)) : each.some((one) => holds(one, scene));
}

const PLACE = /\$\{(loop\.)?(\w+)\}/gu;

/** What a text says. */
function wordsOf(value: unknown, { variables, entry }: Scene): string {
  return textOf(recordOf(value)['content']).replace(PLACE, (_place, loop: string | undefined, name: string) =>
    loop === undefined ? (variables[name] ?? '') : textOf(entry[name]),
  );
}

const variableOf = (value: unknown): string => textOf(recordOf(value)['variable']);

/** The parameters of a press. One without a name stands for none; a field of the entry is named `list[0].field`. */
function paramsOf(value: unknown, { entry }: Scene): Json {
  const named = listOf(value).filter(({ name }) => name !== '');
  return Object.fromEntries(
    named.map(({ name, type, value: text, variable }) => [
      name,
      type === 'variable' ? entry[textOf(variable).replace(/^.*\./u, '')] : text,
    ]),
  );
}

type Draw = (node: Node, scene: Scene) => Drawn[];

const inside: Draw = ({ children }, scene) => children.flatMap((child) => draw(child, scene));

const kinds: Readonly<Record<string, Draw>> = {
  AICardContent: inside,
  AIGenerationProcessing: () => [],
  AIPending: ({ props }, scene) => [{ kind: 'pending', text: wordsOf(props['pendingTip'], scene) }],
  MarkdownBlock: () => [{ kind: 'answer' }],
  BaseText: ({ props }, scene) => [
    {
      kind: 'text',
      text: wordsOf(props['text'], scene),
      variable: /\$\{(\w+)\}/u.exec(textOf(recordOf(props['text'])['content']))?.[1] ?? null,
    },
  ],
  SingleButton: ({ props }, scene) => {
    const button: CardButton = {
      actionId: wordsOf(props['actionId'], scene),
      params: paramsOf(props['params'], scene),
      label: wordsOf(props['text'], scene),
      color: textOf(recordOf(props['color'])['value']),
    };
    return [{ kind: 'buttons', buttons: [button], isList: false }];
  },
  Loop: (node, scene) => {
    const entries = entriesOf(scene.variables, variableOf(node.props['listData']));
    const drawn = entries.flatMap((entry) => inside(node, { ...scene, entry }));
    const buttons = drawn.flatMap((part) => (part.kind === 'buttons' ? part.buttons : []));
    return buttons.length === 0 ? [] : [{ kind: 'buttons', buttons, isList: true }];
  },
  Form: ({ props }, scene) => {
    const fields = readFields(scene.variables, variableOf(props['formSchema']));
    if (fields.length === 0) return [];
    return [{ kind: 'form', actionId: textOf(props['id']), submit: wordsOf(props['submitText'], scene), fields }];
  },
  Input: ({ props }, scene) => [
    {
      kind: 'input',
      actionId: wordsOf(props['id'], scene),
      label: wordsOf(props['title'], scene),
      hint: wordsOf(props['placeholder'], scene),
    },
  ],
  Feedback: ({ props }, { variables }) =>
    props['enableCopy'] === true ? [{ kind: 'copy', text: variables[variableOf(props['copyVariable'])] ?? '' }] : [],
};

function draw(node: Node, scene: Scene): Drawn[] {
  if (!isVisible(node.props, scene)) return [];
  const found = kinds[node.kind];
  if (!found) throw new Error(`the component ${node.kind} cannot be drawn`);
  return found(node, scene);
}

/** What a card shows in a state, from the top; buttons that follow each other stand in a row. */
export function drawCard(isMinimal: boolean, phase: CardPhase, given: Variables): Drawn[] {
  const { states, names } = layouts[isMinimal ? 'minimal' : 'whole'];
  const variables = Object.fromEntries(Object.entries(given).filter(([name]) => names.has(name)));
  const state = states.find(({ props }) => props['status'] === STATUS[phase]);
  return (state ? inside(state, { variables, entry: {} }) : []).reduce<Drawn[]>((drawn, part) => {
    const last = drawn.at(-1);
    const isRow = part.kind === 'buttons' && last?.kind === 'buttons' && !part.isList && !last.isList;
    return isRow ? [...drawn.slice(0, -1), { ...last, buttons: [...last.buttons, ...part.buttons] }] : [...drawn, part];
  }, []);
}

/** Whether a card is as wide as the chat: its template has the variable `config`, and that says so. */
export function isWide(isMinimal: boolean, variables: Variables): boolean {
  const { names } = layouts[isMinimal ? 'minimal' : 'whole'];
  return names.has('config') && recordOf(parseJson(variables['config'] ?? ''))['autoLayout'] === true;
}
