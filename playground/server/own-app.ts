import * as z from 'zod';
import type { RobotConfig } from '../../lib/config/robot.ts';
import { readAppType } from '../../lib/dify/app-facts.ts';
import { readRefusal } from '../../lib/dify/failures.ts';
import { callJson, isTimeout, type Fetch, type HttpAnswer } from '../../lib/net/http.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { AppChoice, Named } from './protocol.ts';

/** A Dify that takes longer to say what an app is will not answer a question in time either. */
const TIMEOUT_MS = 10_000;

const info = z.object({ name: z.string().trim().min(1).max(200) });

/** The choice of the app that `DIFY_API_KEY` opens, before Dify has told what it is. */
export const unknownOwnApp = (id: string, { appType }: RobotConfig['dify']): AppChoice => ({
  id,
  name: { zh: '我的 Dify 应用', en: 'My Dify app' },
  type: appType,
  real: true,
  samples: [],
  problem: null,
});

/** Asks Dify for the name and the type of the app, or says in a sentence why that cannot be had. */
export async function checkOwnApp(
  choice: AppChoice,
  dify: RobotConfig['dify'],
  { fetch, clock }: { fetch: Fetch; clock: Clock },
): Promise<AppChoice> {
  const { host } = new URL(dify.apiUrl);
  let answer: HttpAnswer;
  try {
    answer = await callJson(fetch, clock, {
      method: 'GET',
      url: `${dify.apiUrl}/info`,
      headers: { authorization: `Bearer ${dify.apiKey}` },
      timeoutMs: TIMEOUT_MS,
    });
  } catch (error) {
    return { ...choice, problem: isTimeout(error) ? PROBLEMS.silent(host) : PROBLEMS.unreachable(host) };
  }
  const { status, json } = answer;
  if (status !== 200 || json === undefined || json === null) {
    return { ...choice, problem: problemOf(status, json, host) };
  }
  const { name } = info.safeParse(json).data ?? {};
  const told = readAppType(json);
  const isOther = told !== null && dify.appType !== 'auto' && told !== dify.appType;
  return {
    ...choice,
    name: name === undefined ? choice.name : { zh: name, en: name },
    type: told ?? choice.type,
    problem: isOther ? PROBLEMS.otherType(dify.appType, told) : null,
  };
}

function problemOf(status: number, json: unknown, host: string): Named {
  const isPage = json === undefined && status < 500 && status !== 429;
  if (isPage || status === 404) return PROBLEMS.page(host, status);
  switch (readRefusal(status, json).error.code) {
    case 'dify_unauthorized':
      return PROBLEMS.key(host);
    case 'dify_forbidden':
    case 'dify_app_unavailable':
      return PROBLEMS.closed(status);
    default:
      return PROBLEMS.status(host, status);
  }
}

const PROBLEMS = {
  unreachable: (host: string) => ({
    zh: `连不上 ${host}。请检查 DIFY_API_URL 和网络；提问会失败（dify_unreachable）。`,
    en: `${host} cannot be reached. Check DIFY_API_URL and the network; questions will fail (dify_unreachable).`,
  }),
  silent: (host: string) => ({
    zh: `${host} 在 10 秒内没有回应。请检查 DIFY_API_URL 和 Dify 是否在运行。`,
    en: `${host} did not answer within 10 s. Check DIFY_API_URL, and whether Dify is running.`,
  }),
  page: (host: string, status: number) => ({
    zh: `${host} 返回的不是 Dify 的 API（状态 ${status}）。DIFY_API_URL 应为“访问 API”页上的地址，通常以 /v1 结尾。`,
    en: `${host} did not answer as Dify’s API (status ${status}). DIFY_API_URL is the address under API Access; it usually ends with /v1.`,
  }),
  key: (host: string) => ({
    zh: `${host} 不接受 DIFY_API_KEY。请在该应用的“访问 API”页新建密钥（dify_unauthorized）。`,
    en: `${host} does not accept DIFY_API_KEY. Create a key under API Access of the app (dify_unauthorized).`,
  }),
  closed: (status: number) => ({
    zh: `该应用未发布，或未开放 API（状态 ${status}）。请在 Dify 里发布应用并打开“访问 API”。`,
    en: `The app is not published, or its API is switched off (status ${status}). Publish it in Dify and switch API Access on.`,
  }),
  status: (host: string, status: number) => ({
    zh: `${host} 返回状态 ${status}，暂时无法确认是哪个应用。`,
    en: `${host} answered with status ${status}, so the app could not be checked.`,
  }),
  otherType: (set: string, told: string) => ({
    zh: `DIFY_APP_TYPE 设为 ${set}，而该应用是 ${told}。请删除 DIFY_APP_TYPE，类型会自动识别。`,
    en: `DIFY_APP_TYPE is ${set}, but the app is a ${told}. Remove DIFY_APP_TYPE: the type is detected automatically.`,
  }),
};
