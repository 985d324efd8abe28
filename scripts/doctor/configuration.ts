import { PLACEHOLDER, PLACEHOLDERS } from '../../lib/ask/inputs.ts';
import { readConfig } from '../../lib/config/config.ts';
import { deploymentSettings, STORE_PAIRS } from '../../lib/config/deployment-settings.ts';
import type { RobotConfig } from '../../lib/config/robot.ts';
import { robotSettings } from '../../lib/config/robot-settings.ts';
import type { Setting } from '../../lib/config/settings.ts';
import type { DeploymentContext } from './check.ts';
import type { Finder, Finding } from './finding.ts';
import { shortened } from './hosts.ts';

export function checkConfiguration({ ports: { env } }: DeploymentContext, say: Finder): Finding[] {
  const result = readConfig(env);
  if (!result.ok) return result.problems.map(({ variable, expected }) => say.failed('variable', variable, expected));
  const robots = result.config.robots.map(({ name, dingtalk }) => ({ name, clientId: shortened(dingtalk.clientId) }));
  return [say.ok('configurationRead', robots)];
}

/** Values that pass, and yet are hardly ever right. */
export function checkValues({ ports: { env }, config, request }: DeploymentContext, say: Finder): Finding[] {
  const findings = [...quoted(env, say), ...unusable(env, say), ...storeTwice(env, say)];
  for (const robot of config?.robots ?? []) findings.push(...oddValues(robot, say));
  const own = env['PUBLIC_URL']?.trim();
  const host = request.origin === null ? null : new URL(request.origin).host;
  if (own && host !== null && URL.parse(own)?.host !== host) {
    findings.push(say.warning('publicUrlDiffers', host));
  }
  if (own && URL.parse(own)?.pathname.includes('/api/dingtalk')) findings.push(say.failed('publicUrlPath'));
  return findings.some(({ level }) => level !== 'note') ? findings : [say.ok('valuesFine'), ...findings];
}

function oddValues({ name, dingtalk, dify, access }: RobotConfig, say: Finder): Finding[] {
  const findings: Finding[] = [];
  if (dingtalk.cardTemplateId !== null && !dingtalk.cardTemplateId.endsWith('.schema')) {
    findings.push(say.warning('templateIdOdd', dingtalk.cardTemplateId, name));
  }
  // A Client ID is `ding` and 16 more characters; a secret is three times as long.
  const isLikeId = (secret: string) => secret === dingtalk.clientId || /^ding[a-z0-9]{12,20}$/.test(secret);
  if (dingtalk.clientSecrets.some(isLikeId)) findings.push(say.warning('secretLooksLikeId', name));
  if (dingtalk.robotCode !== dingtalk.clientId) findings.push(say.warning('robotCodeDiffers', name));
  if (dify.apiKey.startsWith('dataset-')) findings.push(say.failed('difyKeyDataset', name));
  else if (!dify.apiKey.startsWith('app-')) findings.push(say.warning('difyKeyOdd', name));
  if (!new URL(dify.apiUrl).pathname.endsWith('/v1')) findings.push(say.warning('difyUrlOdd', name));
  const unknown = unknownPlaceholders(JSON.stringify(dify.inputs));
  if (unknown.length > 0) findings.push(say.warning('placeholdersUnknown', unknown, PLACEHOLDERS, name));
  return [...findings, ...oddIds(access, name, say)];
}

const unknownPlaceholders = (inputs: string) =>
  [...inputs.matchAll(PLACEHOLDER)]
    .map(([, placeholder = '']) => placeholder)
    .filter((placeholder) => !PLACEHOLDERS.some((known) => known === placeholder));

/** Names in place of ids match no person, and the log says nothing of it. */
function oddIds({ allowedUsers, allowedChats, adminUsers }: RobotConfig['access'], name: string | null, say: Finder) {
  // A staff id is plain; `$:LWCP_v1:` begins what callbacks call the sender, `cid` the id of a chat.
  const isStaffId = (id: string) => /^[\x21-\x7e]+$/.test(id) && !/^(?:\$:|cid)/.test(id);
  const isChatId = (id: string) => /^cid[\x21-\x7e]+$/.test(id);
  const count = (ids: readonly string[] | null, isId: (id: string) => boolean) =>
    (ids ?? []).filter((id) => !isId(id)).length;
  const people = { ALLOWED_USERS: count(allowedUsers, isStaffId), ADMIN_USERS: count(adminUsers, isStaffId) };
  const findings = Object.entries(people)
    .filter(([, odd]) => odd > 0)
    .map(([variable, odd]) => say.warning('staffIdsOdd', variable, odd, name));
  const chats = count(allowedChats, isChatId);
  return chats > 0 ? [...findings, say.warning('chatIdsOdd', chats, name)] : findings;
}

/** A value that was pasted into a console with the quotes of a file: there they belong to the value. */
function quoted(env: DeploymentContext['ports']['env'], say: Finder): Finding[] {
  return Object.entries(env)
    .filter(
      ([name, value = '']) => /^(?:DINGTALK|DIFY|UPSTASH|KV)_|^CRON_SECRET$/.test(name) && /^(["']).*\1$/.test(value),
    )
    .map(([name]) => say.warning('valueQuoted', name));
}

const settings: readonly (readonly [string, Setting])[] = Object.entries({ ...robotSettings, ...deploymentSettings });

/** Variables whose values go into headers, where `fetch` refuses other characters without saying which. */
const ASCII = settings.filter(([, { isAscii }]) => isAscii).map(([name]) => name);

function unusable(env: DeploymentContext['ports']['env'], say: Finder): Finding[] {
  const isPlain = (value: string) => /^[\x21-\x7e]*$/.test(value.trim().replace(/\s*,\s*/, ','));
  return ASCII.filter((name) => !isPlain(env[name] ?? '')).map((name) => say.warning('valueUnusable', name));
}

function storeTwice(env: DeploymentContext['ports']['env'], say: Finder): Finding[] {
  const differs = (one: string, other: string) => Boolean(env[one] && env[other]) && env[one] !== env[other];
  const [[url, token], [otherUrl, otherToken]] = STORE_PAIRS;
  const isTwice = differs(url, otherUrl) || differs(token, otherToken);
  return isTwice ? [say.warning('storeTwice')] : [];
}
