import { createDingTalkClient } from '../../lib/dingtalk/client.ts';
import { pathOf } from '../../lib/routes.ts';
import { readConfig, type Config } from '../../lib/config/config.ts';
import type { RobotConfig } from '../../lib/config/robot.ts';
import type { AddressContext, DeploymentContext, DoctorRequest, Ports, RobotContext } from './check.ts';
import type { CheckName } from './check-name.ts';
import { DEPLOYMENT_CHECKS, OF_THE_CALLBACK, ROBOT_CHECKS } from './checks.ts';
import { askDify } from './dify.ts';
import { createFinder, hasFailed, type Finding } from './finding.ts';
import { isPublicHost } from './hosts.ts';
import { frameOf, sentencesOf } from './sentences/index.ts';
import { languageOf, type Language } from '../language.ts';
import { watchDates } from './wire.ts';

export interface CheckedFinding extends Omit<Finding, 'code'> {
  check: CheckName;
  /** `skipped` where something else has to be mended first. */
  code: string;
}

export interface Section {
  /** The robot's name, or null; `deployment` is what all robots share. */
  subject: 'deployment' | 'robot';
  robot: string | null;
  findings: readonly CheckedFinding[];
}

export type Report = { ok: true; language: Language; sections: readonly Section[] } | { ok: false; reason: string };

/** Looks at everything. Throws only for mistakes of its own. */
export async function runDoctor(ports: Ports, request: DoctorRequest): Promise<Report> {
  const language = languageOf(ports.env);
  const result = readConfig(ports.env);
  const config = result.ok ? result.config : null;
  const subjects = robotsOf(config, request);
  if (!subjects) {
    const known = (config?.robots ?? []).flatMap(({ name }) => name ?? []);
    return { ok: false, reason: frameOf[language].noSuchRobot(request.robotName ?? '', known) };
  }
  const deployment: DeploymentContext = { ports, request, config, language };
  const tally = createTally(language);
  for (const check of DEPLOYMENT_CHECKS) await tally.add(check, () => check.run(deployment, tally.say));
  const sections: Section[] = [{ subject: 'deployment', robot: null, findings: tally.findings }];
  for (const { name, robot } of subjects) sections.push(await checkRobot(deployment, name, robot, tally));
  return { ok: true, language, sections };
}

/** The robots that are to be looked at; null when the one that is asked for is not there. */
function robotsOf(
  config: Config | null,
  { robotName, origin }: DoctorRequest,
): { name: string | null; robot: RobotConfig | null }[] | null {
  if (!config) return [{ name: robotName, robot: null }];
  if (robotName === null) return config.robots.map((robot) => ({ name: robot.name, robot }));
  const robot = config.robots.find(({ name }) => name === robotName) ?? null;
  // A deployment may have robots that are not configured here.
  return robot || origin !== null ? [{ name: robotName, robot }] : null;
}

async function checkRobot(
  deployment: DeploymentContext,
  name: string | null,
  robot: RobotConfig | null,
  shared: Tally,
): Promise<Section> {
  const { config } = deployment;
  const address: AddressContext = { ...deployment, robotName: name, address: addressOf(deployment, name) };
  const known = robot && config ? robotContext(address, config, robot) : null;
  const tally = createTally(deployment.language, shared.undone);
  if (config && !known) {
    const names = config.robots.flatMap((other) => other.name ?? []);
    tally.undone.add('configuration');
    tally.findings.push({ check: 'configuration', ...tally.say.warning('robotNotHere', name ?? '', names) });
  }
  const isStream = robot?.dingtalk.connection === 'stream';
  for (const check of ROBOT_CHECKS) {
    if (isStream ? OF_THE_CALLBACK.has(check.name) : check.name === 'stream') continue;
    if (check.subject === 'address') await tally.add(check, () => check.run(address, tally.say));
    else await tally.add(check, () => (known ? check.run(known, tally.say) : []));
  }
  return { subject: 'robot', robot: name, findings: tally.findings };
}

function robotContext(address: AddressContext, config: Config, robot: RobotConfig): RobotContext {
  const { clock } = address.ports;
  const { fetch, dates } = watchDates(address.ports.fetch, clock);
  const ports = { ...address.ports, fetch };
  return {
    ...address,
    ports,
    config,
    robot,
    dingtalk: createDingTalkClient(robot.dingtalk, fetch, clock),
    dify: askDify(ports, robot),
    dates,
  };
}

/** Where DingTalk calls this robot: the address that was given, else a public PUBLIC_URL, also of a wrong configuration. */
function addressOf({ config, request, ports }: DeploymentContext, name: string | null): URL | null {
  if (request.origin !== null) return new URL(`${request.origin}${pathOf(name)}`);
  const publicUrl = config?.publicUrl ?? ports.env['PUBLIC_URL']?.trim() ?? '';
  // With the path of the function in it, it is wrong; that is said elsewhere, and the rest can be looked at all the same.
  const own = URL.parse(`${publicUrl.replace(/\/api\/dingtalk.*$|\/+$/, '')}${pathOf(name)}`);
  return own !== null && isPublicHost(own.hostname) ? own : null;
}

interface Tally {
  say: ReturnType<typeof createFinder>;
  findings: CheckedFinding[];
  /** What failed, and what was left out because of it. */
  undone: Set<CheckName>;
  add(
    check: { name: CheckName; needs: readonly CheckName[] },
    run: () => Finding[] | Promise<Finding[]>,
  ): Promise<void>;
}

function createTally(language: Language, before: ReadonlySet<CheckName> = new Set()): Tally {
  const frame = frameOf[language];
  const findings: CheckedFinding[] = [];
  const undone = new Set(before);
  return {
    say: createFinder(sentencesOf[language]),
    findings,
    undone,
    async add({ name, needs }, run) {
      const needed = needs.find((need) => undone.has(need));
      if (needed !== undefined) {
        undone.add(name);
        findings.push({ check: name, level: 'note', code: 'skipped', found: frame.skipped(frame.titles[needed]) });
        return;
      }
      const found = await run();
      if (hasFailed(found)) undone.add(name);
      findings.push(...found.map((finding) => ({ check: name, ...finding })));
    },
  };
}
