import { checkAddress, checkProbe } from './address.ts';
import { checkTemplate, proveCardCallback } from './card.ts';
import type { AddressCheck, DeploymentCheck, RobotCheck } from './check.ts';
import type { CheckName } from './check-name.ts';
import { checkConsole } from './console.ts';
import { checkConfiguration, checkValues } from './configuration.ts';
import { checkCallbacks } from './callbacks.ts';
import { checkSameSecret } from './deployed.ts';
import { checkPermissions, checkToken } from './dingtalk.ts';
import {
  checkDify,
  checkDifyFeatures,
  checkDifyFiles,
  checkDifyInputs,
  checkDifyType,
  checkDifyVersion,
} from './dify.ts';
import { checkClock, checkLimits, checkNode } from './platform.ts';
import { checkSchedule } from './schedule.ts';
import { checkStore } from './store.ts';
import { checkStream } from './stream.ts';

/** Once, in this order. */
export const DEPLOYMENT_CHECKS: readonly DeploymentCheck[] = [
  { name: 'configuration', subject: 'deployment', needs: [], run: checkConfiguration },
  { name: 'values', subject: 'deployment', needs: [], run: checkValues },
  { name: 'node', subject: 'deployment', needs: [], run: checkNode },
  { name: 'limits', subject: 'deployment', needs: ['configuration'], run: checkLimits },
  { name: 'store', subject: 'deployment', needs: ['configuration'], run: checkStore },
  { name: 'schedule', subject: 'deployment', needs: ['configuration'], run: checkSchedule },
];

/** Of the HTTP callback: a robot with a Stream connection has none. */
export const OF_THE_CALLBACK: ReadonlySet<CheckName> = new Set(['address', 'probe', 'sameSecret', 'cardCallback']);

/** For each robot, in this order. Those of the subject `robot` need its configuration, those of `address` do not. */
export const ROBOT_CHECKS: readonly (AddressCheck | RobotCheck)[] = [
  { name: 'token', subject: 'robot', needs: ['configuration'], run: checkToken },
  { name: 'stream', subject: 'robot', needs: ['token'], run: checkStream },
  { name: 'permissions', subject: 'robot', needs: ['token'], run: checkPermissions },
  { name: 'console', subject: 'robot', needs: ['configuration'], run: checkConsole },
  { name: 'template', subject: 'robot', needs: ['token'], run: checkTemplate },
  { name: 'dify', subject: 'robot', needs: ['configuration'], run: checkDify },
  { name: 'difyVersion', subject: 'robot', needs: ['dify'], run: checkDifyVersion },
  { name: 'difyType', subject: 'robot', needs: ['dify'], run: checkDifyType },
  { name: 'difyInputs', subject: 'robot', needs: ['dify'], run: checkDifyInputs },
  { name: 'difyFeatures', subject: 'robot', needs: ['dify'], run: checkDifyFeatures },
  { name: 'difyFiles', subject: 'robot', needs: ['dify'], run: checkDifyFiles },
  { name: 'clock', subject: 'robot', needs: ['configuration'], run: checkClock },
  { name: 'address', subject: 'address', needs: [], run: checkAddress },
  { name: 'probe', subject: 'address', needs: ['address'], run: checkProbe },
  { name: 'sameSecret', subject: 'robot', needs: ['configuration', 'clock', 'probe'], run: checkSameSecret },
  // It would overwrite the registration of a deployment with another secret.
  { name: 'cardCallback', subject: 'robot', needs: ['token', 'sameSecret'], run: proveCardCallback },
  // The cron secret goes only where the other secret is known already.
  { name: 'callbacks', subject: 'robot', needs: ['sameSecret'], run: checkCallbacks },
];
