// DingTalk's own Stream client against the gateway.
import { DWClient, TOPIC_ROBOT, type DWClientDownStream } from 'dingtalk-stream';
import { expect, test } from 'vitest';
import { createStreamGateway } from '../../playground/dingtalk/stream-gateway.ts';
import { createDingTalkSimulator } from '../../playground/dingtalk/simulator.ts';
import { app } from '../support/dingtalk.ts';

test('a message comes over the connection and is acknowledged', async () => {
  const gateway = await createStreamGateway({ app });
  const dingtalk = await createDingTalkSimulator({
    app,
    people: [{ staffId: 'staff-1', unionId: 'union-1', nick: 'x' }],
    stream: gateway,
  });
  const client = new DWClient({ clientId: app.clientId, clientSecret: app.clientSecret });
  const got: DWClientDownStream[] = [];
  client.registerCallbackListener(TOPIC_ROBOT, (frame) => {
    got.push(frame);
    client.socketCallBackResponse(frame.headers.messageId, {});
  });
  try {
    await connectTo(client, dingtalk.origin);
    const callback = dingtalk.callback({ from: 'staff-1', text: 'how many?' });
    expect((await dingtalk.deliver(gateway.callbackUrl, callback)).status).toBe(200);
    expect(got).toHaveLength(1);
    expect(JSON.parse(got[0]?.data ?? '')).toMatchObject({ text: { content: 'how many?' } });
    expect(gateway.violations).toEqual([]);
  } finally {
    client.disconnect();
    await Promise.all([dingtalk.close(), gateway.close()]);
  }
});

/** The client knows one address only: its calls to it go to the simulator instead. */
async function connectTo(client: DWClient, origin: string): Promise<void> {
  const { default: axios } = await import('axios');
  const before = axios.interceptors.request.use((request) => ({
    ...request,
    url: request.url?.replace(/^https:\/\/(api|oapi)\.dingtalk\.com/u, origin) ?? '',
  }));
  await client.connect();
  axios.interceptors.request.eject(before);
}
