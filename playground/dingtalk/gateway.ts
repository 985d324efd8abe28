import type { Json } from '../http/shape.ts';
import { isText } from '../http/shape.ts';
import { accept, refuse, blame, type Answer } from './answer.ts';
import type { DingTalkApi, Permission } from './types.ts';
import type { World } from './world.ts';

/** Tokens live two hours; asking again while one is valid returns the same one (protocol 3). */
const tokenLifeSeconds = 7200;

export interface Gateway {
  issueToken(body: Json): Answer;
  invalidateTokens(): void;
  /** What stops a call before its API sees it, in the gateway's own order. Admission uses up one call. */
  admit(api: DingTalkApi, token: string | undefined, permission: Permission | undefined): Answer | undefined;
  /** Per app, per API, one-second window; also for APIs that do not count for the month. */
  throttle(api: DingTalkApi): Answer | undefined;
}

/** Access tokens, permissions, calls a second, calls a month. */
export function createGateway(world: World): Gateway {
  const { clock, settings } = world;
  let token: { value: string; expiresAt: number } | undefined;
  const recent = new Map<DingTalkApi, number[]>();
  let month = { name: '', calls: 0 };

  const issueToken = (body: Json): Answer => {
    if (!isText(body['appKey']) || !isText(body['appSecret']))
      return blame(400, 'invalidParameter', 'appKey and appSecret must be given');
    if (body['appKey'] !== world.clientId || body['appSecret'] !== world.clientSecret)
      return refuse(400, 'invalidClientIdOrSecret', '无效的clientId或者clientSecret');
    const now = clock.now();
    if (!token || token.expiresAt <= now) token = { value: world.createId().replaceAll('-', ''), expiresAt: 0 };
    // protocol 3: asking while valid extends the token that is there.
    token.expiresAt = now + tokenLifeSeconds * 1000;
    return accept({ accessToken: token.value, expireIn: tokenLifeSeconds });
  };

  const throttle = (api: DingTalkApi): Answer | undefined => {
    const now = clock.now();
    const window = (recent.get(api) ?? []).filter((at) => at > now - 1000);
    recent.set(api, window);
    if (window.length >= settings.qps)
      return {
        ...refuse(403, 'Forbidden.AccessDenied.QpsLimitForAppkeyAndApi', '应用调用该接口的QPS超过限制'),
        counted: false,
      };
    window.push(now);
    return undefined;
  };

  const spend = (): Answer | undefined => {
    // The allowance is one of the calendar month in China.
    const name = new Date(clock.now() + 8 * 3_600_000).toISOString().slice(0, 7);
    if (month.name !== name) month = { name, calls: 0 };
    if (month.calls >= settings.monthlyCalls)
      return {
        ...refuse(403, 'Forbidden.AccessDenied.ApiCountLimitForOrg', '企业API调用次数已达上限'),
        counted: false,
      };
    month.calls += 1;
    return undefined;
  };

  return {
    issueToken,
    throttle,
    invalidateTokens() {
      token = undefined;
    },
    admit(api, given, permission) {
      if (given === undefined)
        return { ...blame(400, 'InvalidAuthentication', 'the access token is missing'), counted: false };
      if (!token || given !== token.value || token.expiresAt <= clock.now())
        return { ...refuse(400, 'InvalidAuthentication', '不合法的access_token'), counted: false };
      const limited = throttle(api) ?? spend();
      if (limited) return limited;
      if (permission && !settings.permissions.includes(permission))
        return refuse(
          403,
          'Forbidden.AccessDenied.AccessTokenPermissionDenied',
          `应用尚未开通所需的权限：[${permission}]`,
          {
            accessdenieddetail: { requiredScopes: [permission] },
          },
        );
      return undefined;
    },
  };
}
