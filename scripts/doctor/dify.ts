import { PLACEHOLDER } from '../../lib/ask/inputs.ts';
import { readAppType, readParameters, questionInput, wrongInput } from '../../lib/dify/app-facts.ts';
import { readRefusal } from '../../lib/dify/failures.ts';
import { readVersion } from '../../lib/dify/version.ts';
import type { RobotConfig } from '../../lib/config/robot.ts';
import type { Ports, RobotContext } from './check.ts';
import { readFeatures } from './dify-features.ts';
import type { Finder, Finding } from './finding.ts';
import { isPublicHost } from './hosts.ts';
import { ask, redirectHost, type Answer, type NoAnswer } from './wire.ts';

/** Asks for what the app tells of itself; each once, however many checks want it. */
export function askDify({ fetch, clock }: Ports, { dify }: RobotConfig): RobotContext['dify'] {
  const get = (path: string) => {
    let asked: Promise<Answer | NoAnswer> | null = null;
    const headers = { authorization: `Bearer ${dify.apiKey}`, accept: 'application/json' };
    return () => (asked ??= ask(fetch, clock, { url: `${dify.apiUrl}${path}`, headers }));
  };
  return { info: get('/info'), parameters: get('/parameters') };
}

/** Reachable, the key is right, and the app answers to it. */
export async function checkDify(context: RobotContext, say: Finder): Promise<Finding[]> {
  const { robot, dify, address } = context;
  const { host, hostname } = new URL(robot.dify.apiUrl);
  const info = await dify.info();
  const findings: Finding[] = [];
  if (address !== null && isPublicHost(address.hostname) && !isPublicHost(hostname)) {
    findings.push(say.note('difyPrivate', host));
  }
  const wrong = (await refusalOf(info, context, say)) ?? (await refusalOf(await dify.parameters(), context, say));
  return [...findings, wrong ?? say.ok('difyReached', host)];
}

async function refusalOf(answer: Answer | NoAnswer, context: RobotContext, say: Finder): Promise<Finding | null> {
  const { apiUrl } = context.robot.dify;
  const { host } = new URL(apiUrl);
  if (answer.kind === 'none') return say.failed('difyUnreachable', host, answer.reason);
  const elsewhere = redirectHost(answer, apiUrl);
  if (elsewhere !== null) return say.failed('difyRedirects', elsewhere, answer.status);
  if (answer.status === 200 && answer.json !== undefined) return null;
  const isPage = answer.json === undefined && answer.status < 500 && answer.status !== 429;
  if (isPage || answer.status === 404) {
    return (await isApi(`${apiUrl}/v1`, context))
      ? say.failed('difyWithoutV1', answer.status)
      : say.failed('difyPage', host, answer.status);
  }
  return serviceFinding(answer, host, say);
}

function serviceFinding({ status, json }: Answer, host: string, say: Finder): Finding {
  const { error } = readRefusal(status, json);
  const upstreamCode = String(error.facts['upstreamCode'] ?? '');
  switch (error.code) {
    case 'dify_unauthorized':
      return say.failed('difyKeyWrong', status, upstreamCode);
    case 'dify_forbidden':
      return say.failed('difyForbidden', status, upstreamCode);
    case 'dify_app_unavailable':
      return say.failed('difyUnpublished', status, upstreamCode);
    case 'dify_busy':
    case 'dify_quota':
      return say.warning('difyBusy', status, upstreamCode);
    default:
      return say.failed('difyServerError', host, status, upstreamCode);
  }
}

/** Whether Dify's API is at this address: without a key it says so in its own words. */
async function isApi(url: string, { ports }: RobotContext): Promise<boolean> {
  const answer = await ask(ports.fetch, ports.clock, { url: `${url}/info` });
  return answer.kind === 'answer' && answer.status === 401 && answer.json !== undefined;
}

/** Which Dify it is, and what one of that version cannot do. */
export async function checkDifyVersion({ robot, dify }: RobotContext, say: Finder): Promise<Finding[]> {
  const info = await dify.info();
  const header = info.kind === 'answer' ? info.headers.get('x-version') : null;
  const { version, runsSurvive, hasRunEvents } = readVersion(header, jsonOf(info));
  const findings = [version === null ? say.note('difyVersionHidden') : say.ok('difyVersion', version)];
  const type = readAppType(jsonOf(info)) ?? robot.dify.appType;
  // Only workflows and chatflows have runs and forms. `auto`: it may be one.
  if (type !== 'workflow' && type !== 'chatflow' && type !== 'auto') return findings;
  if (runsSurvive === false) findings.push(say.warning('difyRunsDie'));
  if (hasRunEvents === false) findings.push(say.note('difyNoForms'));
  return findings;
}

export async function checkDifyType({ robot, dify }: RobotContext, say: Finder): Promise<Finding[]> {
  const info = await dify.info();
  const told = info.kind === 'answer' ? readAppType(info.json) : null;
  const { appType } = robot.dify;
  if (told === null)
    return [appType === 'auto' ? say.warning('difyTypeUnknown') : say.note('difyTypeAssumed', appType)];
  if (appType !== 'auto' && appType !== told) return [say.failed('difyTypeDiffers', appType, told)];
  // Nothing that the app tells shows its limit of concurrent requests.
  const hasTrap = told === 'chatflow' || told === 'workflow';
  return [say.ok('difyTypeFine', told), ...(hasTrap ? [say.note('difyOneRequest')] : [])];
}

/** The inputs of the app, and what the configuration leaves of them. */
export async function readInputs({ robot, dify }: RobotContext) {
  const { inputs } = readParameters(jsonOf(await dify.parameters()));
  const { appType, queryInput, inputs: given } = robot.dify;
  const type = appType === 'auto' ? (readAppType(jsonOf(await dify.info())) ?? 'chat') : appType;
  /** Whether the question is an input, and not a field of its own. */
  const isAsked = type === 'workflow' || type === 'completion';
  const question = isAsked ? questionInput(inputs, queryInput) : null;
  return {
    inputs,
    type,
    isAsked,
    question,
    texts: inputs.filter(({ isText }) => isText).map(({ name }) => name),
    /** Required, and filled by nothing. */
    empty: inputs.filter(
      ({ name, required }) => required && name !== question && (given[name] === undefined || given[name] === ''),
    ),
  };
}

/** What every question would be refused for: a required input that nothing fills, or none for the question. */
export async function checkDifyInputs(context: RobotContext, say: Finder): Promise<Finding[]> {
  const { queryInput, inputs: given } = context.robot.dify;
  const { inputs, isAsked, question, texts, empty } = await readInputs(context);
  const findings: Finding[] = [];
  if (isAsked) {
    findings.push(
      question === null ? say.failed('difyNoQuestion', queryInput, texts) : say.ok('difyQuestion', question),
    );
  }
  const names = empty.filter(({ file }) => file === null).map(({ name }) => name);
  const files = empty.filter(({ file }) => file !== null).map(({ name }) => name);
  // Where no input is found for the question, the required texts are already named.
  if (names.length > 0 && !(isAsked && question === null)) findings.push(say.failed('difyInputsEmpty', names));
  if (files.length > 0) findings.push(say.warning('difyFilesRequired', files));
  const wrong = wrongInput(inputs, withoutPlaceholders(given));
  if (wrong) findings.push(say.failed('difyInputWrong', wrong.label));
  const unknown = Object.keys(given).filter((name) => !inputs.some((input) => input.name === name));
  if (unknown.length > 0) findings.push(say.note('difyInputsUnknown', unknown));
  return findings.some(({ level }) => level === 'failed' || level === 'warning')
    ? findings
    : [...findings, say.ok('difyInputsFine', inputs.length)];
}

/** What a message fills in is not known beforehand. */
const withoutPlaceholders = (given: RobotConfig['dify']['inputs']) =>
  Object.fromEntries(
    Object.entries(given).filter(([, value]) => typeof value !== 'string' || value.match(PLACEHOLDER) === null),
  );

export async function checkDifyFeatures({ dify }: RobotContext, say: Finder): Promise<Finding[]> {
  return readFeatures(jsonOf(await dify.parameters()), say);
}

/** Where the links of answers are fetched. Any refusal will do; a page or silence will not. */
export async function checkDifyFiles({ ports, robot }: RobotContext, say: Finder): Promise<Finding[]> {
  const { filesUrl } = robot.dify;
  const { host } = new URL(filesUrl);
  const answer = await ask(ports.fetch, ports.clock, { url: `${filesUrl}/files/tools/doctor.png` });
  if (answer.kind === 'none') return [say.failed('filesUnreachable', host, answer.reason)];
  const elsewhere = redirectHost(answer, filesUrl);
  if (elsewhere !== null) return [say.warning('filesRedirect', host, elsewhere)];
  const isPage = answer.headers.get('content-type')?.startsWith('text/html') ?? false;
  if (answer.status >= 500) return [say.warning('filesForeign', host, answer.status)];
  // Dify refuses a link without signature as JSON; a web page with 404 is what its front end says to unknown paths.
  if (answer.status < 400 || isPage) return [say.warning('filesForeign', host, answer.status)];
  return [say.ok('filesFine', host)];
}

export const jsonOf = (answer: Answer | NoAnswer): unknown => (answer.kind === 'answer' ? answer.json : undefined);
