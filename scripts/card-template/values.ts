// The wrappers that the card builder puts around the values of a component's properties.

export type Props = Readonly<Record<string, unknown>>;

/** Where a variable is looked up: among those of the card, or in the entry that a loop draws. */
export type Scope = 'global' | 'loop';

export const variable = (name: string, variableType: Scope = 'global') => ({
  type: 'variableValue',
  variable: name,
  variableType,
});

/** Without `varType` the text of a Markdown block is reported to stay blank. */
export const markdown = (name: string) => ({ ...variable(name), varType: 'markdown' });

export const text = (content = '') => ({ type: 'dynamicString', content, i18n: false });

type Kind = 'Link' | 'Number' | 'Boolean' | 'Color' | 'Select' | 'SelectOptions';

export const fixed = (kind: Kind, value: unknown) => ({
  type: `dynamic${kind}`,
  valueType: 'fixed',
  value,
  variable: '',
  variableType: 'global',
});

export const noCondition = { op: 'and', conditions: [] };

export const always = { type: 'dynamicVisible', value: true, valueType: 'fixed', condition: noCondition };

/** Shown where the variable is not empty, or equals a value. */
export function where(name: string, equals?: string) {
  const condition = {
    type: 'variable',
    variable: name,
    variableType: 'global',
    op: equals === undefined ? 'isNotEmpty' : 'equal',
    value: equals ?? '',
    valueType: 'fixed',
    valueVariableType: 'global',
  };
  return { ...always, valueType: 'condition', condition: { op: 'or', conditions: [condition] } };
}

/** A parameter of a press. */
export interface Param {
  name: string;
  /** A fixed text; or the name of a variable in the entry of a loop. */
  from: { text: string } | { entry: string };
}

const param = (id: number, name: string, from: Props) => ({
  type: 'fixed',
  id: String(id),
  name,
  value: '',
  variable: '',
  variableType: 'global',
  ...from,
});

/** One entry without a name stands for none. */
export const noParams = [param(1, '', {})];

export const params = (given: readonly Param[]) =>
  given.map(({ name, from }, index) =>
    param(
      index + 1,
      name,
      'text' in from ? { value: from.text } : { type: 'variable', variable: from.entry, variableType: 'loop' },
    ),
  );

export const margins = (marginTop: number, marginSide: number, marginBottom = marginTop) => ({
  marginTop,
  marginBottom,
  marginLeft: marginSide,
  marginRight: marginSide,
});
