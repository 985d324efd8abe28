import { drawCard, isWide } from './card-drawing.ts';
import type { CardButton, CardPhase, Drawn, SimulatedCard } from './types.ts';
import type { World } from './world.ts';

/** protocol 4.5: 1 processing, 2 inputing, 3 finished, 4 executing, 5 failed. */
export const cardPhases: Readonly<Record<string, CardPhase>> = {
  '1': 'processing',
  '2': 'typing',
  '3': 'finished',
  '4': 'typing',
  '5': 'failed',
};

/** What of a card one person sees: their own values go before everybody's. */
function viewOf(world: World, card: SimulatedCard, userId: string) {
  const own = card.privateVariables[world.nameOf(userId)] ?? {};
  const [shown = ''] = world.settings.templates[card.templateId]?.variables ?? [];
  return {
    phase: cardPhases[own['flowStatus'] ?? ''] ?? card.phase,
    variables: { ...card.variables, [shown]: card.content, ...own },
  };
}

/** Cards as the template shows them: the file of `npm run card-template`, or that of `--minimal` without `buttons`. */
export function createCardViews(world: World) {
  const isMinimal = ({ templateId }: SimulatedCard) => world.settings.templates[templateId]?.buttons !== true;

  const drawingOf = (outTrackId: string, userId: string): Drawn[] => {
    const card = world.cards.get(outTrackId);
    if (!card) return [];
    const { phase, variables } = viewOf(world, card, userId);
    return drawCard(isMinimal(card), phase, variables);
  };

  return {
    drawingOf,
    isWide: (outTrackId: string): boolean => {
      const card = world.cards.get(outTrackId);
      return card !== undefined && isWide(isMinimal(card), card.variables);
    },
    /** With the fields of the form that is drawn above them. */
    buttonsOf(outTrackId: string, userId: string): CardButton[] {
      const drawn = drawingOf(outTrackId, userId);
      const fields = drawn.flatMap((part) => (part.kind === 'form' ? part.fields : []));
      const buttons = drawn.flatMap((part) => (part.kind === 'buttons' ? part.buttons : []));
      return buttons.map((button) => (button.actionId === 'form' ? { ...button, fields } : button));
    },
  };
}
