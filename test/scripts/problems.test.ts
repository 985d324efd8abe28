// What is wrong with a configuration, as the commands say it in Chinese.
import { expect, test } from 'vitest';
import { readConfig } from '../../lib/config/config.ts';
import { deploymentSettings } from '../../lib/config/deployment-settings.ts';
import { robotSettings } from '../../lib/config/robot-settings.ts';
import { expectedInChinese } from '../../scripts/doctor/sentences/expected-zh-CN.ts';

const robot = { DINGTALK_CLIENT_ID: 'a', DINGTALK_CLIENT_SECRET: 'b', DIFY_API_KEY: 'c' };
const twin = { name: 'x', dingtalkClientId: 'a', dingtalkClientSecret: 'b', dingtalkConnection: 'stream' };

const ofConfigurations = [
  {},
  { BOTS: 'no JSON' },
  { BOTS: '[]' },
  { BOTS: '[1]' },
  { BOTS: '[{"name":"a"},{"name":"a"},{"name":"A","unknown":1}]' },
  { ...robot, VERCEL: '1' },
  { ...robot, KV_REST_API_URL: 'https://store.example.com' },
  { ...robot, DINGTALK_CONNECTION: 'stream', BOTS: JSON.stringify([twin]) },
].flatMap((env) => {
  const result = readConfig(env);
  return result.ok ? [] : result.problems.map(({ expected }) => expected);
});
const ofValues = Object.values({ ...robotSettings, ...deploymentSettings }).map(({ schema }) => schema.description);

test.each([...new Set([...ofConfigurations, ...ofValues])])('%s', (expected = '') => {
  expect(expectedInChinese(expected)).toMatch(/[\u4E00-\u9FFF]|^true/u);
});
