import { requestTicket } from '../../lib/dingtalk/stream/ticket.ts';
import { BridgeError } from '../../lib/errors.ts';
import type { RobotContext } from './check.ts';
import { dingtalkFinding, factsOf } from './dingtalk.ts';
import type { Finder, Finding } from './finding.ts';
import { ask } from './wire.ts';

/**
 * Asks DingTalk for a connection and opens none: a second connection would take messages away from the process that is
 * running. The ticket ends by itself after 90 s.
 */
export async function checkStream({ ports, robot, request }: RobotContext, say: Finder): Promise<Finding[]> {
  const isVercel = ports.env['VERCEL'] !== undefined || request.origin?.endsWith('.vercel.app') === true;
  const findings = isVercel ? [say.failed('streamOnVercel')] : [];
  try {
    const { endpoint } = await requestTicket(robot.dingtalk, ports);
    // Whatever the gateway says to a request without a ticket: it is there, and the way to it is open.
    const url = endpoint.href.replace(/^ws/, 'http');
    const answer = await ask(ports.fetch, ports.clock, { url });
    const unreachable = answer.kind === 'none' ? say.failed('streamUnreachable', endpoint.host, answer.reason) : null;
    return [...findings, unreachable ?? say.ok('streamFine', endpoint.host)];
  } catch (error) {
    const isRefused = error instanceof BridgeError && error.code === 'dingtalk_stream_refused';
    if (isRefused) return [...findings, say.failed('streamRefused', ...factsOf(error))];
    return [...findings, dingtalkFinding(error, robot.dingtalk.apiUrl, say)];
  }
}
