import * as z from 'zod';
import { robotSignature } from '../../lib/dingtalk/signature.ts';
import type { RobotContext } from './check.ts';
import type { Finder, Finding } from './finding.ts';
import { ask } from './wire.ts';

/** No robot has this code, so the function logs the message and answers no person. */
const NO_ROBOT = 'doctor-probe';

/** A message signed with the secret from here: the deployment takes it if it has the same one. */
export async function checkSameSecret({ address, ports, robot }: RobotContext, say: Finder): Promise<Finding[]> {
  if (address === null) return [];
  const send = (secret: string) => {
    const timestamp = String(ports.clock.now());
    const headers = { 'content-type': 'application/json', timestamp, sign: robotSignature(timestamp, secret) };
    const body = JSON.stringify(messageForNobody(ports.newId()));
    return ask(ports.fetch, ports.clock, { url: address.href, method: 'POST', headers, body });
  };
  const [secret, oldSecret] = robot.dingtalk.clientSecrets;
  const answer = await send(secret);
  if (answer.kind === 'none') return [say.failed('addressUnreachable', address.host, answer.reason)];
  if (answer.status === 200) return [say.ok('sameSecret')];
  if (answer.status !== 401) return [say.failed('messageRefused', answer.status)];
  // Our own words: the signature was right, but too old or too new.
  if (answer.text.includes('timestamp')) return [say.failed('deployedClock')];
  const older = oldSecret === undefined ? null : await send(oldSecret);
  const isOld = older?.kind === 'answer' && older.status === 200;
  return [isOld ? say.failed('oldSecretThere') : say.failed('otherSecret')];
}

const messageForNobody = (id: string) => ({
  msgId: `doctor-${id}`,
  msgtype: 'text',
  conversationId: NO_ROBOT,
  conversationType: '1',
  senderId: NO_ROBOT,
  robotCode: NO_ROBOT,
  text: { content: NO_ROBOT },
});

/** `GET ?status`; only what is looked at, and whatever else a version may add. */
const statusBody = z.object({
  robots: z.array(
    z.object({
      robot: z.string().nullish(),
      lastCallback: z.union([z.string(), z.number()]).nullish(),
      // Left out by a version that does not know.
    }),
  ),
});

/** Only the deployment knows whether DingTalk has ever called it, and it tells that to a request with the cron secret. */
export async function checkCallbacks(context: RobotContext, say: Finder): Promise<Finding[]> {
  const { address, ports, config, robotName } = context;
  if (address === null) return [];
  if (config.cronSecret === null) return [say.note('callbacksUnknown', address.href)];
  const answer = await ask(ports.fetch, ports.clock, {
    url: `${address.href}?status`,
    headers: { authorization: `Bearer ${config.cronSecret}` },
  });
  if (answer.kind === 'none') return [say.warning('addressUnreachable', address.host, answer.reason)];
  if (answer.status === 401) return [say.warning('statusClosed')];
  const robots = statusBody.safeParse(answer.json).data?.robots;
  const own = robots?.find(({ robot }) => (robot ?? null) === robotName);
  if (answer.status !== 200 || own?.lastCallback === undefined) return [say.warning('statusUnclear', answer.status)];
  const at = own.lastCallback === null ? null : new Date(own.lastCallback);
  if (at === null) return [say.warning('callbacksNever', address.href)];
  return [Number.isNaN(at.getTime()) ? say.warning('statusUnclear', 200) : say.ok('callbacksArrive', at.toISOString())];
}
