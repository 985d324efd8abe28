import { createAiCard, updateCard, writeFrame } from '../../lib/dingtalk/ai-card.ts';
import { createCardExtras } from '../../lib/dingtalk/card-extras.ts';
import { createCardCallback } from '../../lib/dingtalk/card-callback.ts';
import { BridgeError } from '../../lib/errors.ts';
import { sleep } from '../../lib/runtime/clock.ts';
import type { RobotContext } from './check.ts';
import { dingtalkFinding, factsOf } from './dingtalk.ts';
import { hasFailed, type Finder, type Finding } from './finding.ts';
import { isPublicHost } from './hosts.ts';
import { cardTexts } from './sentences/card.ts';

/** The 500 of a wrong variable comes at random, too, when calls follow closely. */
const REPEAT_AFTER_MS = 500;

/** So long the person can look at each step of a card with buttons. */
const LOOK_MS = 4_000;

/**
 * Only real cards prove a template: two of them, one that ends well and one that ends as failed. What the variables of a
 * template with buttons show, only the person can see; so the first card sets them in turn, and the finding lists them.
 */
export async function checkTemplate(context: RobotContext, say: Finder): Promise<Finding[]> {
  const { request, robot, robotName } = context;
  const templateId = robot.dingtalk.cardTemplateId;
  if (templateId === null) return [say.note('noTemplate')];
  if (request.cardTo === null) return [say.note('templateUnproved', robotName)];
  const finished = await show(context, templateId, request.cardTo, 'finished', say);
  if (hasFailed(finished)) return finished;
  return [...finished, ...(await show(context, templateId, request.cardTo, 'failed', say))];
}

async function show(
  context: RobotContext,
  templateId: string,
  staffId: string,
  end: 'finished' | 'failed',
  say: Finder,
): Promise<Finding[]> {
  const { ports, robot, dingtalk: client } = context;
  const config = robot.dingtalk;
  const cardId = `doctor-${ports.newId()}`;
  const words = cardTexts[context.language];
  const card = createAiCard({
    client,
    config,
    templateId,
    cardId,
    message: {
      chat: { id: '', isGroup: false, title: null },
      sender: { staffId, unionId: null, id: '', nick: '', isAdmin: false },
    },
    summary: words.summary,
    question: words.question,
    app: () => words.app,
    routeKey: () => Promise.resolve(null),
    // Such a card works all the same; the function logs it.
    extras: createCardExtras(ports.clock),
    onExtrasRefused: () => undefined,
  });
  try {
    await card.open();
  } catch (error) {
    return [openFinding(error, templateId, config.apiUrl, say)];
  }
  const pause = () => sleep(ports.clock, config.cardSettleMs);
  /** @throws what the second try threw. */
  const write = async (text: string, state: 'typing' | 'finished' | 'failed') => {
    const frame = () => writeFrame(client, config, cardId, { text, state, id: ports.newId() });
    await pause();
    try {
      await frame();
    } catch {
      await sleep(ports.clock, REPEAT_AFTER_MS);
      await frame();
    }
  };
  try {
    await write(words.typing, 'typing');
  } catch (error) {
    // No frame can end this card; where the template has the usual name for its state, this does.
    await updateCard(client, cardId, { variables: { flowStatus: '3' } }).catch(() => undefined);
    return [frameFinding(error, config.cardContentKey, config.apiUrl, say)];
  }
  try {
    await write(words[end], end);
    if (end === 'failed') return [say.ok('failedStateFine')];
    return [say.ok('cardShown', config.cardContentKey), ...(await showParts(context, cardId, staffId, say))];
  } catch (error) {
    if (end === 'finished') return [frameFinding(error, config.cardContentKey, config.apiUrl, say)];
    await write(words.failedStateOff, 'finished').catch(() => undefined);
    const isRefused =
      error instanceof BridgeError && (error.code === 'dingtalk_card_variable' || error.code === 'dingtalk_refused');
    return [isRefused ? say.warning('failedStateOff', ...factsOf(error)) : dingtalkFinding(error, config.apiUrl, say)];
  }
}

/** Sets the variables of a template with buttons in turn: first what follows an answer, then a form. */
async function showParts(
  { ports, robot, dingtalk: client, language }: RobotContext,
  cardId: string,
  userId: string,
  say: Finder,
): Promise<Finding[]> {
  if (!robot.dingtalk.cardButtons) return [];
  const { parts } = cardTexts[language];
  const steps = [
    {
      variables: { suggestions: JSON.stringify(parts.questions.map((question) => ({ question }))) },
      own: { like_status: 'dislike', ask_reason: 'true', notice: parts.notice },
    },
    {
      variables: {
        suggestions: '[]',
        waiting_for: parts.name,
        form_actions: JSON.stringify([{ id: 'approve', title: parts.action }]),
        form_fields: JSON.stringify({
          fields: [{ name: 'reason', label: parts.field, required: false, defaultValue: '', type: 'TEXT' }],
        }),
      },
      own: { like_status: '', ask_reason: '', notice: '' },
    },
  ];
  try {
    for (const { variables, own } of steps) {
      await sleep(ports.clock, LOOK_MS);
      await updateCard(client, cardId, { variables, own: { userId, isUnionId: false, variables: own } });
    }
    return [say.ok('cardParts')];
  } catch (error) {
    return [dingtalkFinding(error, robot.dingtalk.apiUrl, say)];
  }
}

function openFinding(error: unknown, templateId: string, apiUrl: string, say: Finder): Finding {
  if (!(error instanceof BridgeError)) throw error;
  const [status, upstreamCode] = factsOf(error);
  if (error.code === 'dingtalk_template_missing') return say.failed('templateMissing', templateId, upstreamCode);
  if (error.code === 'dingtalk_template_unpublished')
    return say.failed('templateUnpublished', templateId, upstreamCode);
  if (error.code === 'dingtalk_permission_missing') return say.failed('permissionMissing', 'Card.Instance.Write');
  // `errorMsg` of a refused delivery is free text; mostly the person is not known or not allowed to see the robot.
  if (error.code === 'dingtalk_card_undelivered' || upstreamCode === 'param.userIdNotExist')
    return say.failed('cardPerson');
  if (upstreamCode.startsWith('param.openDeliverModel')) return say.failed('cardRobotCode', status, upstreamCode);
  return dingtalkFinding(error, apiUrl, say);
}

function frameFinding(error: unknown, contentKey: string, apiUrl: string, say: Finder): Finding {
  if (!(error instanceof BridgeError)) throw error;
  if (error.code === 'dingtalk_card_variable') return say.failed('cardVariable', contentKey, ...factsOf(error));
  if (error.code === 'dingtalk_permission_missing') return say.failed('permissionMissing', 'Card.Streaming.Write');
  return dingtalkFinding(error, apiUrl, say);
}

/** DingTalk does not tell what is registered, so only registering shows whether it works: with `--fix`. */
export async function proveCardCallback(context: RobotContext, say: Finder): Promise<Finding[]> {
  if (context.request.isFixing || context.robot.dingtalk.cardTemplateId === null)
    return checkCardCallback(context, say);
  return [say.note('callbackUntried')];
}

/**
 * Registers what the function itself registers before its first card: the same key, address and derived secret, so that
 * it changes nothing where all is well. The check before this one has shown that the deployment has the same secret.
 */
export async function checkCardCallback(context: RobotContext, say: Finder): Promise<Finding[]> {
  const { ports, robot, address, config, dingtalk: client } = context;
  if (robot.dingtalk.cardTemplateId === null) return [say.note('callbackUnneeded')];
  const isOwn = address !== null && address.origin === URL.parse(config.publicUrl)?.origin;
  if (!isOwn || !isPublicHost(address.hostname)) return [say.note('callbackNotTried')];
  let failure: unknown = null;
  const callback = createCardCallback({
    client,
    config: robot.dingtalk,
    address: address.href,
    flags: { isSet: () => Promise.resolve(false), set: () => Promise.resolve() },
    clock: ports.clock,
    onFailed: (error) => {
      failure = error;
    },
  });
  if ((await callback.routeKey()) !== null) return [say.ok('callbackRegistered', address.host)];
  if (failure instanceof BridgeError && failure.code === 'dingtalk_permission_missing') {
    return [say.failed('permissionMissing', 'Card.Instance.Write')];
  }
  const facts: [number, string] = failure instanceof BridgeError ? factsOf(failure) : [0, 'timeout'];
  return [say.warning('callbackRefused', ...facts)];
}
