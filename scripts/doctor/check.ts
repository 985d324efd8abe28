import type { CheckName } from './check-name.ts';
import type { DingTalkClient } from '../../lib/dingtalk/client.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { Config, Environment } from '../../lib/config/config.ts';
import type { RobotConfig } from '../../lib/config/robot.ts';
import type { Fetch } from '../../lib/net/http.ts';
import type { RunScript } from '../../lib/state/redis/run-script.ts';
import type { Finder, Finding } from './finding.ts';
import type { Language } from '../language.ts';
import type { RunCommand } from '../setup/command.ts';
import type { Answer, Dates, NoAnswer } from './wire.ts';

/** What the doctor stands on; a test gives it others. */
export interface Ports {
  env: Environment;
  fetch: Fetch;
  clock: Clock;
  newId: () => string;
  /** A Redis over TCP. */
  connectRedis: (url: string) => RunScript;
  /** For DingTalk's `dws`; without it the console is not read. */
  runCommand?: RunCommand;
  /** For example `v24.11.1`. */
  nodeVersion: string;
}

/** What the operator asked for. */
export interface DoctorRequest {
  /** Origin of a deployment that is to be looked at. */
  origin: string | null;
  /** The robot that the address names, or `--robot`; null for all of them. */
  robotName: string | null;
  /** Who gets the test cards; null for no cards. */
  cardTo: string | null;
  /** Do what needs no decision: register the address for buttons, create the schedule. */
  isFixing?: boolean;
}

export interface DeploymentContext {
  ports: Ports;
  request: DoctorRequest;
  config: Config | null;
  language: Language;
}

/** One robot as DingTalk calls it; it may be known by its address only. */
export interface AddressContext extends DeploymentContext {
  robotName: string | null;
  /** The callback address; null when there is none that others could call. */
  address: URL | null;
}

export interface RobotContext extends AddressContext {
  config: Config;
  robot: RobotConfig;
  dingtalk: DingTalkClient;
  /** The answers of `GET /info` and `GET /parameters`, asked once. */
  dify: { info: () => Promise<Answer | NoAnswer>; parameters: () => Promise<Answer | NoAnswer> };
  /** What the answers said about the time. */
  dates: Dates;
}

interface CheckOf<Subject, Context> {
  name: CheckName;
  subject: Subject;
  /** Where one of these failed or was not done, this one is not done either. */
  needs: readonly CheckName[];
  run: (context: Context, say: Finder) => Finding[] | Promise<Finding[]>;
}

export type DeploymentCheck = CheckOf<'deployment', DeploymentContext>;
export type AddressCheck = CheckOf<'address', AddressContext>;
export type RobotCheck = CheckOf<'robot', RobotContext>;
