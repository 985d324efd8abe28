import * as z from 'zod';
import type { AppInput } from '../../lib/dify/app-facts.ts';
import { createDingTalkClient } from '../../lib/dingtalk/client.ts';
import { pathOf } from '../../lib/routes.ts';
import { readConfig } from '../../lib/config/config.ts';
import { STORE_PAIRS } from '../../lib/config/deployment-settings.ts';
import { REQUIRED_OF_ROBOT } from '../../lib/config/robot-settings.ts';
import { checkAddress } from '../doctor/address.ts';
import { checkCardCallback, checkTemplate } from '../doctor/card.ts';
import type { Ports, RobotContext } from '../doctor/check.ts';
import { askDify, checkDify, checkDifyInputs, checkDifyType, jsonOf, readInputs } from '../doctor/dify.ts';
import { checkSameSecret } from '../doctor/deployed.ts';
import { readFeatures } from '../doctor/dify-features.ts';
import { checkPermissions, checkToken } from '../doctor/dingtalk.ts';
import { createFinder, hasFailed, type Finder, type Finding } from '../doctor/finding.ts';
import { isPublicHost } from '../doctor/hosts.ts';
import { sentencesOf } from '../doctor/sentences/index.ts';
import { type Language } from '../language.ts';
import { checkSchedule } from '../doctor/schedule.ts';
import { checkStore } from '../doctor/store.ts';
import { checkStream } from '../doctor/stream.ts';
import { watchDates } from '../doctor/wire.ts';
import type { Draft } from './draft.ts';
import { waitForPerson, type Person } from './first-person.ts';
import { printable } from './printable.ts';

/** What the app tells of itself, as far as the guide asks about it. */
export interface DifyApp {
  name: string;
  type: string;
  /** Required inputs that get no value. */
  missing: readonly AppInput[];
  /** Names of the text inputs where it is not clear which of them carries the question; null where it is. */
  unclearQuestion: readonly string[] | null;
  /** Whether it takes files and speech. */
  features: readonly Finding[];
}

/** What the guide asks the other sides: the doctor's checks, on the configuration as it is so far. */
export interface Checks {
  token: () => Promise<Finding[]>;
  dify(): Promise<{ findings: Finding[]; app: DifyApp | null }>;
  /** With what was answered about the inputs. */
  difyInputs(): Promise<Finding[]>;
  store: () => Promise<Finding[]>;
  /** Sends no request: the address is mostly not deployed yet. */
  address(url: URL): Finding[];
  /** Null where there is nothing to register, or nowhere. */
  register(): Promise<Finding[] | null>;
  permissions: () => Promise<Finding[]>;
  stream: () => Promise<Finding[]>;
  /** The deployed address: that it is ours, and that it has the same secret. */
  reach(): Promise<Finding[]>;
  /** Creates the schedule that calls the sweep, or sets right the one that is there. */
  schedule(): Promise<Finding[]>;
  /** Real cards to a person. */
  card(staffId: string): Promise<Finding[]>;
  firstPerson(signal: AbortSignal): Promise<Person | null>;
}

/** What a person may expect of the robot at once; the doctor tells the rest. */
const TOLD_FEATURES: ReadonlySet<Finding['code']> = new Set<Finding['code']>([
  'filesTaken',
  'filesNotTaken',
  'speechTaken',
  'speechNotTaken',
]);

const infoBody = z.object({ name: z.string().nullish() });

export function createChecks(ports: Ports, draft: Draft, language: Language): Checks {
  const say = createFinder(sentencesOf[language]);
  const context = () => contextOf(ports, draft, language);

  return {
    token: async () => checkToken(context(), say),
    async dify() {
      const known = context();
      const findings = await checkDify(known, say);
      if (hasFailed(findings)) return { findings, app: null };
      findings.push(...(await checkDifyType(known, say)));
      return { findings, app: await appOf(known, say) };
    },
    difyInputs: async () => checkDifyInputs(context(), say),
    store: async () => checkStore(context(), say),
    address({ protocol, host, hostname }) {
      if (!isPublicHost(hostname)) return [say.warning('addressPrivate', host)];
      if (protocol === 'http:') return [say.failed('addressHttp', host)];
      return hostname.endsWith('.vercel.app') ? [say.warning('addressVercel', host)] : [];
    },
    async register() {
      const known = context();
      const { address, robot } = known;
      const isReachable = address?.protocol === 'https:' && isPublicHost(address.hostname);
      if (!isReachable || robot.dingtalk.cardTemplateId === null) return null;
      return checkCardCallback(known, say);
    },
    permissions: async () => checkPermissions(context(), say),
    stream: async () => checkStream(context(), say),
    async reach() {
      const known = context();
      const findings = await checkAddress(known, say);
      if (hasFailed(findings)) return findings;
      return [...findings, ...(await checkSameSecret(known, say))];
    },
    async schedule() {
      const known = context();
      const env = draft.environment();
      const withToken = { ...known.ports, env: { ...known.ports.env, ...env } };
      return checkSchedule({ ...known, ports: withToken, request: { ...known.request, isFixing: true } }, say);
    },
    async card(staffId) {
      const known = context();
      return checkTemplate({ ...known, request: { ...known.request, cardTo: staffId } }, say);
    },
    firstPerson: (signal) => waitForPerson(context(), signal),
  };
}

/** The robot of the flat variables. What is not answered yet is filled in: no check here needs what comes after it. */
function contextOf(ports: Ports, draft: Draft, language: Language): RobotContext {
  const { BOTS: _others, ...env } = draft.environment();
  // One half of a pair is not a store yet.
  for (const [url, token] of STORE_PAIRS)
    if (!(url in env && token in env)) for (const name of [url, token]) delete env[name];
  const unanswered = Object.fromEntries(REQUIRED_OF_ROBOT.map((variable) => [variable, 'unanswered']));
  const result = readConfig({ ...unanswered, ...env });
  const robot = result.ok ? result.config.robots[0] : undefined;
  if (!result.ok || !robot) throw new Error('a draft holds only what the schema accepts');
  const { fetch, dates } = watchDates(ports.fetch, ports.clock);
  const watched = { ...ports, fetch };
  return {
    ports: watched,
    request: { origin: null, robotName: null, cardTo: null },
    config: result.config,
    language,
    robotName: null,
    address: env['PUBLIC_URL'] === undefined ? null : new URL(`${result.config.publicUrl}${pathOf(null)}`),
    robot,
    dingtalk: createDingTalkClient(robot.dingtalk, fetch, ports.clock),
    dify: askDify(watched, robot),
    dates,
  };
}

async function appOf(context: RobotContext, say: Finder): Promise<DifyApp> {
  const { type, isAsked, question, texts, empty } = await readInputs(context);
  const parameters = jsonOf(await context.dify.parameters());
  return {
    name: printable(infoBody.safeParse(jsonOf(await context.dify.info())).data?.name ?? '?'),
    type,
    missing: empty.filter(({ file }) => file === null),
    // An app without any text input takes no question; that is for the doctor to say.
    unclearQuestion: isAsked && question === null && texts.length > 0 ? texts.map(printable) : null,
    features: readFeatures(parameters, say).filter(({ code }) => TOLD_FEATURES.has(code)),
  };
}
