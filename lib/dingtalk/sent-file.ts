import * as z from 'zod';
import { BridgeError } from '../errors.ts';
import type { DingTalkClient } from './client.ts';

const addressBody = z.object({ downloadUrl: z.string().min(1) });

/**
 * Where a file that a user sent can be fetched, for a short time. Needs the permission `qyapi_robot_sendmsg`.
 *
 * @throws BridgeError `file_unavailable`. The fact `cause` is our code for DingTalk's refusal.
 */
export async function downloadAddress(
  client: Pick<DingTalkClient, 'call'>,
  robotCode: string,
  downloadCode: string,
): Promise<string> {
  const api = 'downloadFile';
  let answer: unknown;
  try {
    answer = await client.call(api, {
      method: 'POST',
      path: '/v1.0/robot/messageFiles/download',
      body: { robotCode, downloadCode },
    });
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    const facts = { ...error.facts, cause: error.code };
    throw new BridgeError('file_unavailable', 'DingTalk does not give the file', facts, error);
  }
  const parsed = addressBody.safeParse(answer);
  if (parsed.success) return parsed.data.downloadUrl;
  throw new BridgeError('file_unavailable', 'DingTalk names no address for the file', { api, status: 200 });
}
