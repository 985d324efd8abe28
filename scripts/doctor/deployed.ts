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
