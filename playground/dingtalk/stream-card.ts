import { isText, type Json } from '../http/shape.ts';
import { accept, blame, refuse, type Answer } from './answer.ts';
import { holdsUnsafeWord } from './content-check.ts';
import { keepNewest } from '../http/newest.ts';
import type { CardFrame, SimulatedCard } from './types.ts';
import type { World } from './world.ts';

/** Where DingTalk's own code caps a frame (protocol 4.3, reported). */
const maxFrameCharacters = 20_000;

/** A frame is tried again within seconds, so it is remembered for long enough. */
const maxRememberedFrames = 5000;

interface Attempt {
  /** The content this guid stood for, to recognise a guid that is used for something else. */
  content: string;
  answer: Answer;
}

function badField(body: Json): Answer | undefined {
  if (!isText(body['outTrackId'])) return blame(400, 'param.stream.outTrackId', 'outTrackId is empty');
  if (!isText(body['guid'])) return blame(400, 'param.stream.guidEmpty', 'guid is empty');
  if (!isText(body['key'])) return blame(400, 'param.stream.keyEmpty', 'key is empty');
  // Official samples send "", so only a missing or null content is refused.
  if (typeof body['content'] !== 'string') return blame(400, 'param.stream.contentEmpty', 'content is empty');
  // protocol 4.3: 400 when null, and a variable bound to markdown must be overwritten as a whole.
  if (body['isFull'] !== true) return blame(400, 'param.stream.isFull', 'isFull must be true for markdown');
  for (const flag of ['isFinalize', 'isError'])
    if (body[flag] !== undefined && typeof body[flag] !== 'boolean')
      return blame(400, 'param.invalid', `${flag} must be a boolean`);
  if (body['content'].length > maxFrameCharacters) return blame(400, 'param.stream.content', 'content is too large');
  return undefined;
}

export interface StreamingContext {
  /** True when the client has hung up: what happens now is not its fault. */
  abandoned: boolean;
}

export function createCardStreaming(world: World) {
  const { settings } = world;
  const attempts = new Map<string, Attempt>();
  const inFlight = new Map<string, number>();

  /** Marks a card as being updated; a second update meanwhile is refused (protocol 4.3: one in flight per card). */
  const enter = (body: Json): Answer | (() => void) => {
    const outTrackId = String(body['outTrackId']);
    if ((inFlight.get(outTrackId) ?? 0) > 0) return blame(500, 'unknownError', 'concurrent streaming of one card');
    inFlight.set(outTrackId, 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      inFlight.delete(outTrackId);
    };
  };

  const badState = (card: SimulatedCard | undefined, body: Json, context: StreamingContext): Answer | undefined => {
    if (!card) return blame(400, 'param.stream.outTrackId', 'card is not exist');
    if (card.endedAt !== null) {
      const late = refuse(400, 'param.stream.finished', 'card is finished and cannot be streamed');
      // Not the client's fault when it gave up on this frame, or never heard that the card had ended.
      return context.abandoned || world.unanswered.has(`streaming ${card.outTrackId}`)
        ? late
        : { ...late, violation: 'streaming after the card has ended' };
    }
    const template = settings.templates[card.templateId];
    if (!template?.variables.includes(String(body['key']))) return refuse(500, 'unknownError', '未知错误'); // protocol 4.3: the template has no such variable
    if (body['isError'] === true && !template.failedState) return refuse(500, 'unknownError', '未知错误');
    if (holdsUnsafeWord(settings, [String(body['content'])]))
      return refuse(400, 'param.contentUnsafe', 'card content is unsafe');
    return undefined;
  };

  const apply = (card: SimulatedCard, body: Json): Answer => {
    const frame: CardFrame = {
      at: world.clock.now(),
      key: String(body['key']),
      content: String(body['content']),
      final: body['isFinalize'] === true,
      error: body['isError'] === true,
      guid: String(body['guid']),
    };
    card.frames.push(frame);
    card.variables[frame.key] = frame.content;
    card.content = frame.content;
    card.phase = frame.error ? 'failed' : frame.final ? 'finished' : 'typing';
    if (frame.error || frame.final) card.endedAt = frame.at;
    world.emit({ type: 'card', card });
    return accept({ success: true, result: true });
  };

  /** PUT /v1.0/card/streaming (protocol 4.3). */
  const stream = (body: Json, context: StreamingContext): Answer => {
    const bad = badField(body);
    if (bad) return bad;
    const card = world.cards.get(String(body['outTrackId']));
    const guid = `${String(body['outTrackId'])} ${String(body['guid'])}`;
    const earlier = attempts.get(guid);
    if (earlier) {
      // guid is for idempotency: the same request again is a success and changes nothing.
      return earlier.content === body['content']
        ? earlier.answer
        : { ...earlier.answer, violation: 'a guid was used again for other content, which is dropped' };
    }
    const refusal = badState(card, body, context);
    if (refusal || !card) return refusal ?? refuse(500, 'system.busy', 'system busy');
    const answer = apply(card, body);
    attempts.set(guid, { content: String(body['content']), answer });
    keepNewest(attempts, maxRememberedFrames);
    return answer;
  };

  return { enter, stream };
}
