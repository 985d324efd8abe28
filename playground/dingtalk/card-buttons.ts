import { isRecord, isText, isTextList, parseJson, type Json } from '../http/shape.ts';
import type { CardButton, CardField, CardPhase, CardTemplate, SimulatedCard } from './types.ts';
import type { World } from './world.ts';

/** protocol 4.5: 1 processing, 2 inputing, 3 finished, 4 executing, 5 failed. */
export const cardPhases: Readonly<Record<string, CardPhase>> = {
  '1': 'processing',
  '2': 'typing',
  '3': 'finished',
  '4': 'typing',
  '5': 'failed',
};

const isField = (value: unknown): value is Json & CardField =>
  isRecord(value) &&
  isText(value['name']) &&
  typeof value['label'] === 'string' &&
  (value['type'] === 'text' || (value['type'] === 'select' && isTextList(value['options']))) &&
  (value['value'] === undefined || typeof value['value'] === 'string');

/** The lists that the template's repeated parts are bound to, and what each of their entries must hold. */
const lists: Readonly<Record<string, (entry: unknown) => boolean>> = {
  suggestions: (entry) => isRecord(entry) && isText(entry['question']),
  form_actions: (entry) => isRecord(entry) && isText(entry['id']) && isText(entry['title']),
  form_fields: isField,
};

/** The entries of such a variable; none when it is unset or not what the template expects. */
function entriesOf(variables: Readonly<Record<string, string>>, name: string): Json[] {
  const value = parseJson(variables[name] ?? '');
  const isEntry = lists[name];
  return Array.isArray(value) && isEntry && value.every((entry) => isEntry(entry)) ? value : [];
}

/** Which variable a template with buttons could not show; DingTalk takes it all the same. */
export function unshowable(
  template: CardTemplate | undefined,
  variables: Readonly<Record<string, string>>,
): string | undefined {
  if (template?.buttons !== true) return undefined;
  const wrong = Object.entries(lists).find(([name, isEntry]) => {
    const text = variables[name] ?? '';
    const value = text === '' ? [] : parseJson(text);
    return !Array.isArray(value) || !value.every((entry) => isEntry(entry));
  });
  return wrong && `${wrong[0]} is not a list that the template can show`;
}

const named = (action: string, label: string): CardButton => ({ actionId: action, params: { action }, label });

function finishedButtons(variables: Readonly<Record<string, string>>): CardButton[] {
  const opinions = [named('like', '有用'), named('dislike', '没用')].map((button) =>
    button.actionId === variables['like_status'] ? { ...button, chosen: true } : button,
  );
  const questions = entriesOf(variables, 'suggestions').map(({ question }) => ({
    actionId: 'ask',
    params: { action: 'ask', question },
    label: String(question),
  }));
  const fields = entriesOf(variables, 'form_fields').filter((field) => isField(field));
  const submits = entriesOf(variables, 'form_actions').map(({ id, title }) => ({
    actionId: 'form',
    params: { action: 'form', action_id: id, title },
    label: String(title),
    fields,
  }));
  return [...opinions, named('new', '新会话'), ...questions, ...submits];
}

const buttonsByPhase: Readonly<Record<CardPhase, (variables: Readonly<Record<string, string>>) => CardButton[]>> = {
  processing: () => [],
  typing: () => [named('stop', '停止')],
  finished: finishedButtons,
  failed: () => [named('retry', '重试')],
};

/** What of a card one person sees: their own values go before everybody's. */
function viewOf(world: World, card: SimulatedCard, userId: string) {
  const own = card.privateVariables[world.nameOf(userId)] ?? {};
  return {
    phase: cardPhases[own['flowStatus'] ?? ''] ?? card.phase,
    variables: { ...card.variables, ...own },
  };
}

/** The buttons of a template built like ours (`buttons` of its settings), as one person sees them. */
export function createCardButtons(world: World) {
  return (outTrackId: string, userId: string): CardButton[] => {
    const card = world.cards.get(outTrackId);
    if (!card || world.settings.templates[card.templateId]?.buttons !== true) return [];
    const { phase, variables } = viewOf(world, card, userId);
    return buttonsByPhase[phase](variables);
  };
}
