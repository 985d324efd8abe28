// Sixty answers at once under DingTalk's limit of calls a second: this project over three processes, next to an
// update every 500 ms, on the same simulated DingTalk.
import { systemClock, sleep } from '../../lib/runtime/clock.ts';
import {
  answerOf,
  CREDENTIALS,
  figuresOf,
  LOAD,
  runLoad,
  startLoadedDingTalk,
  TEMPLATE,
  type LoadFigures,
} from '../../test/chaos/load.ts';
import { programPath } from '../../test/support/programs.ts';

const FIXED_INTERVAL_MS = 500;

/**
 * The rule of most bridges: an update every 500 ms where there is something new, each waited for. A refused update is
 * left out; a card and its end are tried again at the next interval, for without that they would be missing.
 */
async function measureFixedInterval(): Promise<LoadFigures> {
  const dingtalk = await startLoadedDingTalk();
  const call = async (
    method: string,
    path: string,
    body: object,
    token = '',
  ): Promise<Record<string, unknown> | null> => {
    const headers = { 'content-type': 'application/json', 'x-acs-dingtalk-access-token': token };
    const response = await fetch(`${dingtalk.origin}${path}`, { method, headers, body: JSON.stringify(body) });
    const told = (await response.json()) as Record<string, unknown>;
    return response.ok ? told : null;
  };
  const credentials = { appKey: CREDENTIALS.clientId, appSecret: CREDENTIALS.clientSecret };
  const token = String((await call('POST', '/v1.0/oauth2/accessToken', credentials))?.['accessToken']);
  const untilDone = async (work: () => Promise<unknown>) => {
    while (!(await work())) await sleep(systemClock, FIXED_INTERVAL_MS);
  };
  let lastEndMs = 0;

  async function answer(index: number): Promise<void> {
    const { everyMs, words } = answerOf(index);
    const askedMs = systemClock.now();
    const outTrackId = `fixed-${index}`;
    const card = {
      cardTemplateId: TEMPLATE,
      outTrackId,
      cardData: { cardParamMap: { content: '' } },
      openSpaceId: `dtv1.card//IM_ROBOT.p${index}`,
      imRobotOpenSpaceModel: { supportForward: true },
      imRobotOpenDeliverModel: { spaceType: 'IM_ROBOT', robotCode: CREDENTIALS.clientId },
    };
    await untilDone(() => call('POST', '/v1.0/card/instances/createAndDeliver', card, token));
    const endMs = askedMs + everyMs * words.length;
    lastEndMs = Math.max(lastEndMs, endMs);
    const update = (content: string, isFinalize: boolean) => {
      const frame = { outTrackId, guid: crypto.randomUUID(), key: 'content', content, isFull: true };
      return call('PUT', '/v1.0/card/streaming', { ...frame, isFinalize, isError: false }, token);
    };
    while (systemClock.now() < endMs) {
      await update(words.slice(0, Math.floor((systemClock.now() - askedMs) / everyMs)).join(''), false);
      await sleep(systemClock, Math.min(FIXED_INTERVAL_MS, Math.max(0, endMs - systemClock.now())));
    }
    await untilDone(() => update(words.join(''), true));
  }

  await Promise.all(Array.from({ length: LOAD.answers }, (_, index) => answer(index)));
  const figures = figuresOf(dingtalk, lastEndMs);
  await dingtalk.close();
  return figures;
}

/** One line for each way of updating, for the bench. */
export async function measureLoad(): Promise<string[]> {
  const what = `${LOAD.answers} answers of 6 to 8 s at once, limit ${LOAD.qps} a second`;
  if (!programPath('redis-server')) return [`${what}: SKIPPED, needs redis-server`];
  const line = (name: string, { calls, refused, lastCardAfterMs, exact }: LoadFigures) =>
    `  ${name.padEnd(30)}  ${String(calls).padStart(5)} calls  ${((100 * refused) / calls).toFixed(1).padStart(5)} % refused  last card ${(lastCardAfterMs / 1000).toFixed(1)} s after Dify's last end  exact ${exact}/${LOAD.answers}`;
  return [
    `${what} (bound for the last card: ${(1.5 * LOAD.answers) / LOAD.qps} s):`,
    line(`this project, ${LOAD.processes} processes`, await runLoad()),
    line(`fixed interval of ${FIXED_INTERVAL_MS} ms`, await measureFixedInterval()),
  ];
}
