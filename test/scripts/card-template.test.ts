// The file for the card builder, held against what published files of the builder have in common.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { OWN_VARIABLES } from '../../lib/delivery/card-variables.ts';
import { actions } from '../../lib/robot/buttons.ts';
import { templateFile } from '../../scripts/card-template/template.ts';
import { startScript } from '../support/script.ts';

interface Node {
  componentName: string;
  id: string;
  props: Record<string, unknown>;
  children?: Node[];
}

interface Entry {
  id: string;
  name: string;
  type: string;
  private: boolean;
  schema?: Entry[];
}

interface EditorData {
  schemaVersion: string;
  schema: { componentsMap: { componentName: string; exportName: string }[]; componentsTree: [Node] };
  mockData: { cardData: Record<string, unknown>; cardPrivateData: object };
  variableList: Entry[];
  expList: unknown[];
  extension: { extendType: string; aiStatusList: number[]; fileTypeList: unknown[] };
}

/** The kinds of components in published files. */
const SEEN = [
  'AICardContainer AICardStatusContainer AICardContent AIPending AIGenerationProcessing Feedback MarkdownBlock',
  'BaseText SingleButton Input Form Loop',
].flatMap((kinds) => kinds.split(' '));

const read = (isMinimal: boolean) => JSON.parse(templateFile(isMinimal).editorData) as EditorData;

const nodesOf = (node: Node): Node[] => [node, ...(node.children ?? []).flatMap(nodesOf)];

/** Every object within, the value itself included. */
function objectsIn(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value as Record<string, unknown>, ...Object.values(value).flatMap(objectsIn)];
}

/** The variables that properties name: in a binding, a condition, a parameter, or within a text. */
function variablesIn(value: unknown): string[] {
  return objectsIn(value).flatMap(({ variable, content }) => [
    ...(typeof variable === 'string' && variable !== '' ? [variable] : []),
    ...(typeof content === 'string' ? Array.from(content.matchAll(/\$\{([^}]+)\}/g), ([, name = '']) => name) : []),
  ]);
}

const declaredIds = (entries: readonly Entry[]): string[] =>
  entries.flatMap(({ id, schema }) => [id, ...declaredIds(schema ?? [])]);

/** Where a variable of a loop's text is declared. */
const loopId = (list: string, name: string) => name.replace(/^loop\./, `${list}[0].`);

describe.each([
  ['whole', false],
  ['minimal', true],
] as const)('the %s template', (_which, isMinimal) => {
  const data = read(isMinimal);
  const [root] = data.schema.componentsTree;
  const nodes = nodesOf(root);
  const states = (root.children ?? []).map(({ props }) => props['status']);

  test('has the envelope of an export, and is an AI card', () => {
    const { editorData, ...envelope } = templateFile(isMinimal);
    expect(envelope).toEqual({ widgetInfo: '', type: 'im', mode: 'card' });
    expect(editorData).toBe(JSON.stringify(data));
    expect(data).toMatchObject({ schemaVersion: '3.0.0', extension: { extendType: 'AI', fileTypeList: [] } });
    expect(root.componentName).toBe('AICardContainer');
  });

  test('declares every kind of component that it uses, once, and uses only kinds that were seen', () => {
    const used = [...new Set(nodes.map(({ componentName }) => componentName))];
    const declared = data.schema.componentsMap.map(({ componentName }) => componentName);
    expect(declared.toSorted()).toEqual(used.toSorted());
    expect(SEEN).toEqual(expect.arrayContaining(used));
  });

  test('has each id once', () => {
    const slots = nodes.flatMap(({ props }) => objectsIn(props).filter(({ type }) => type === 'JSSlot'));
    const ids = [...nodes, ...slots].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('enables the states that the container says, and has each of them', () => {
    const { enablePending, enableWriting, enableDoing, enableFailed } = root.props;
    const flags = [enablePending, enableWriting, true, enableDoing, enableFailed];
    const enabled = flags.flatMap((flag, index) => (flag === true ? [index + 1] : []));
    expect(data.extension.aiStatusList).toEqual(enabled);
    expect(states).toEqual(enabled);
    expect(enabled).toContain(5);
  });

  test('shows the answer in three states, and streams it while it is written only', () => {
    const shown = (root.children ?? []).flatMap((state) =>
      nodesOf(state)
        .filter(({ componentName }) => componentName === 'MarkdownBlock')
        .map(({ props }) => ({
          status: state.props['status'],
          isStreaming: props['isStreaming'],
          of: props['content'],
        })),
    );
    const of = { type: 'variableValue', variable: 'content', variableType: 'global', varType: 'markdown' };
    expect(shown).toEqual([
      { status: 2, isStreaming: true, of },
      { status: 3, isStreaming: false, of },
      { status: 5, isStreaming: false, of },
    ]);
  });

  test('declares each variable that it names', () => {
    const inLoops = nodes.filter(({ componentName }) => componentName === 'Loop');
    const looped = inLoops.flatMap((loop) => {
      const [list = ''] = variablesIn(loop.props['listData']);
      return (loop.children ?? [])
        .flatMap(nodesOf)
        .flatMap(({ props }) => variablesIn(props).map((name) => loopId(list, name)));
    });
    const plain = nodes.flatMap(({ props }) => variablesIn(props)).filter((name) => !name.startsWith('loop.'));
    expect(declaredIds(data.variableList)).toEqual(expect.arrayContaining([...new Set([...plain, ...looped])]));
  });

  test('binds each variable, and has a value of each for the preview', () => {
    const named = new Set(nodes.flatMap(({ props }) => variablesIn(props)));
    const names = data.variableList.map(({ name }) => name);
    // DingTalk reads these by their names.
    const own = ['config', '_IC_AIGC_DETAIL_URL'];
    expect(names.filter((name) => !named.has(name) && !own.includes(name))).toEqual([]);
    expect(Object.keys(data.mockData.cardData)).toEqual(names);
  });

  test('needs nothing that the builder compiles', () => {
    const kinds = objectsIn(root).flatMap(({ actionType }) => (actionType === undefined ? [] : [actionType]));
    expect(kinds).not.toContain('eventChain');
    expect(data.expList).toEqual([]);
  });
});

test('the minimal template has nothing but the streaming text', () => {
  expect(read(true).variableList.map(({ name }) => name)).toEqual(['content', 'flowStatus']);
});

describe('the whole template', () => {
  const data = read(false);
  const nodes = nodesOf(data.schema.componentsTree[0]);
  const entryOf = (name: string) => data.variableList.find((entry) => entry.name === name);

  test('has the variables that the function sets, private where only one person sees them', () => {
    for (const name of ['suggestions', 'form_actions', 'form_fields'])
      expect(entryOf(name)).toMatchObject({ private: false });
    for (const name of Object.values(OWN_VARIABLES)) expect(entryOf(name)).toMatchObject({ private: true });
    for (const name of ['question', 'app', 'waiting_for', 'config']) expect(entryOf(name)).toBeDefined();
  });

  test('has a button for each action, which names it', () => {
    const buttons = nodes.filter(({ componentName }) => componentName === 'SingleButton');
    const pressed = buttons.map(({ props }) => {
      const [first] = props['params'] as { name: string; value: string }[];
      expect(first?.name).toBe('action');
      expect(props).toMatchObject({ actionType: 'request', actionId: { content: first?.value } });
      return first?.value ?? '';
    });
    expect([...new Set(pressed)].toSorted()).toEqual(Object.keys(actions).toSorted());
  });

  test('asks for a reason only where the function asks for one', () => {
    const reasons = nodes.filter(({ props }) => {
      const given = (props['params'] ?? []) as { name: string }[];
      return given.some(({ name }) => name === 'reason' || name === 'input');
    });
    expect(reasons).toHaveLength(5);
    for (const { props } of reasons) expect(variablesIn(props['visible'])).toEqual(['ask_reason']);
  });

  test('copies the answer without a call', () => {
    const bar = nodes.find(({ componentName }) => componentName === 'Feedback');
    expect(bar?.props).toMatchObject({ enableCopy: true, enableLikeDislike: false, actionType: 'none' });
    expect(variablesIn(bar?.props['copyVariable'])).toEqual(['content']);
  });
});

describe('npm run card-template', () => {
  async function run(...args: string[]) {
    const directory = await mkdtemp(join(tmpdir(), 'card-template-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const { ended, printed, complaints } = startScript('scripts/card-template.ts', {
      cwd: directory,
      env: { LANG: 'C' },
      args,
    });
    const code = await ended;
    const written = (name: string) => readFile(join(directory, name), 'utf8');
    return { code, printed: printed(), complaints: complaints(), written };
  }

  test('writes the file, and says what no import has proved', async () => {
    const { printed, written } = await run();
    expect(JSON.parse(await written('card-template.json'))).toEqual(templateFile(false));
    expect(printed).toContain('was not imported into a live console yet');
    for (const part of ['fixed parameters', 'private variables', 'submit button']) expect(printed).toContain(part);
  });

  test('writes the minimal one to another place', async () => {
    const { printed, written } = await run('--minimal', '--file', 'small.json');
    expect(printed).not.toContain('private variables');
    expect(JSON.parse(await written('small.json'))).toEqual(templateFile(true));
  });

  test('ends with 1 and a sentence where the file cannot be written', async () => {
    const { code, complaints } = await run('--file', 'none/small.json');
    expect([code, complaints]).toEqual([1, 'none/small.json cannot be written (ENOENT).\n']);
  });

  test('ends with 2 where it is told something else', async () => {
    const { code, complaints } = await run('--nonsense');
    expect(code).toBe(2);
    expect(complaints).toContain('--minimal');
  });
});
