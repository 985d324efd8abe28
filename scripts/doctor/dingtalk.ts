import type { Scope } from './scope.ts';
import { writeFrame, updateCard } from '../../lib/dingtalk/ai-card.ts';
import { createTokenSource } from '../../lib/dingtalk/token.ts';
import { BridgeError } from '../../lib/errors.ts';
import type { RobotContext } from './check.ts';
import type { Finder, Finding } from './finding.ts';
import { shortened } from './hosts.ts';
import { networkReason } from './wire.ts';

interface Probe {
  scope: Scope;
  /** Needed only for AI cards. */
  isForCards: boolean;
  /** A call that asks for this permission and can do nothing. */
  call: (context: RobotContext) => Promise<unknown>;
}

/** Long enough that no card or file has this name. */
const nothingOf = ({ ports }: RobotContext) => `doctor-${ports.newId()}`;

/**
 * Each names something that does not exist, so no person sees anything, and each counts as one call of the month. That the
 * permission is judged before the request itself is inferred: the gateway answers `AccessTokenPermissionDenied`
 * (global error codes), the single APIs have codes of their own for what does not exist.
 */
const PROBES: readonly Probe[] = [
  {
    scope: 'Card.Instance.Write',
    isForCards: true,
    // `param.cardNotExist`
    call: (context) => updateCard(context.dingtalk, nothingOf(context), { variables: { doctor: '' } }),
  },
  {
    scope: 'Card.Streaming.Write',
    isForCards: true,
    // `param.stream.outTrackId`: the card does not exist
    call: (context) =>
      writeFrame(context.dingtalk, context.robot.dingtalk, nothingOf(context), {
        text: 'doctor',
        state: 'typing',
        id: context.ports.newId(),
      }),
  },
  {
    scope: 'qyapi_robot_sendmsg',
    isForCards: false,
    // `invalidParameter.…`: no such file
    call: (context) =>
      context.dingtalk.call('downloadFile', {
        method: 'POST',
        path: '/v1.0/robot/messageFiles/download',
        body: { robotCode: context.robot.dingtalk.robotCode, downloadCode: nothingOf(context) },
      }),
  },
  {
    scope: 'qyapi_base',
    isForCards: false,
    // An empty file of a kind that is not taken: refused by number, and nothing of the year's uploads is used.
    call: ({ dingtalk }) =>
      dingtalk.upload({ type: 'file', name: 'doctor.txt', mimeType: 'text/plain', size: 0, bytes: noBytes() }),
  },
];

async function* noBytes(): AsyncGenerator<Uint8Array, void, undefined> {}

/** Each secret by itself, for during a rotation one of them is wrong. */
export async function checkToken({ ports, robot }: RobotContext, say: Finder): Promise<Finding[]> {
  const { clientSecrets, clientId } = robot.dingtalk;
  const failures: unknown[] = [];
  for (const secret of clientSecrets) {
    const config = { ...robot.dingtalk, clientSecrets: [secret] as const };
    try {
      await createTokenSource({ config, fetch: ports.fetch, clock: ports.clock, store: null }).get();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === clientSecrets.length) return [dingtalkFinding(failures[0], robot.dingtalk.apiUrl, say)];
  if (clientSecrets.length === 1) return [say.ok('tokenFine', shortened(clientId))];
  return [
    say.ok('tokenFine', shortened(clientId)),
    say.note('secretsRotating', clientSecrets.length - failures.length),
  ];
}

/** Refusals of the whole app: the next call would get the same. */
const OF_THE_APP: ReadonlySet<string> = new Set([
  'dingtalk_credentials',
  'dingtalk_ip_refused',
  'dingtalk_month_used_up',
  'dingtalk_unreachable',
  'dingtalk_timeout',
  'dingtalk_token_invalid',
]);

export async function checkPermissions(context: RobotContext, say: Finder): Promise<Finding[]> {
  const hasCards = context.robot.dingtalk.cardTemplateId !== null;
  const findings: Finding[] = [];
  for (const { scope, isForCards, call } of PROBES) {
    if (isForCards && !hasCards) continue;
    const error = await failureOf(() => call(context));
    if (error !== null && OF_THE_APP.has(error.code)) {
      return [...findings, dingtalkFinding(error, context.robot.dingtalk.apiUrl, say)];
    }
    findings.push(permission(scope, error, say));
  }
  return findings;
}

function permission(scope: Scope, error: BridgeError | null, say: Finder): Finding {
  if (error === null) return say.ok('permissionGranted', scope);
  const [status, upstreamCode] = factsOf(error);
  if (error.code === 'dingtalk_permission_missing') {
    return isNeeded(scope) ? say.failed('permissionMissing', scope) : say.warning('permissionMissing', scope);
  }
  // A 500 of the streaming API says that the card has no such variable, which a card that does not exist has not.
  const isPassed = error.code === 'dingtalk_refused' || error.code === 'dingtalk_card_variable';
  // Only an API that is there has a code of its own; a 404 is a wrong address.
  return isPassed && status !== 404 && upstreamCode !== ''
    ? say.ok('permissionGranted', scope)
    : say.warning('permissionUnclear', scope, status, upstreamCode);
}

/** Without them there are no cards, or no files of users; only uploads of pictures and files go by the other. */
const isNeeded = (scope: Scope) => scope !== 'qyapi_base';

async function failureOf(work: () => Promise<unknown>): Promise<BridgeError | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof BridgeError) return error;
    throw error;
  }
}

/** What a call to DingTalk failed with, in the doctor's words. */
export function dingtalkFinding(error: unknown, apiUrl: string, say: Finder): Finding {
  if (!(error instanceof BridgeError)) throw error;
  switch (error.code) {
    case 'dingtalk_credentials':
      return say.failed('credentials', ...factsOf(error));
    case 'dingtalk_ip_refused':
      return say.failed('ipRefused', ...factsOf(error));
    case 'dingtalk_month_used_up':
      return say.failed('monthUsedUp', ...factsOf(error));
    case 'dingtalk_qps':
      return say.warning('dingtalkBusy', ...factsOf(error));
    case 'dingtalk_unreachable':
      // With a status, DingTalk's gateway has answered.
      return 'status' in error.facts
        ? say.failed('dingtalkRefused', ...factsOf(error))
        : say.failed('dingtalkUnreachable', new URL(apiUrl).host, networkReason(error));
    case 'dingtalk_timeout':
      return say.failed('dingtalkUnreachable', new URL(apiUrl).host, 'timeout');
    default:
      return say.failed('dingtalkRefused', ...factsOf(error));
  }
}

/** HTTP status and DingTalk's own code. */
export function factsOf({ facts }: BridgeError): [status: number, upstreamCode: string] {
  return [Number(facts['status'] ?? 0), String(facts['upstreamCode'] ?? '')];
}
