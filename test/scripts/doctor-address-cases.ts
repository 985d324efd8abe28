// The wrong deployments of the doctor's table test.
import type { WrongSetup } from './doctor-setup.ts';
import { BOT, CLIENT_ID, clockOffBy, MARK, page, type Stage } from './doctor-stage.ts';

const HOUR_MS = 3_600_000;

/** Something that the store remembers of the way in. */
async function remember({ url, token }: Stage['front'], door: string, afterMs: number, offset: string) {
  const command = ['HSET', `dify-on-dingtalk:{${CLIENT_ID}}:arrivals`, door, `${Date.now() + afterMs} ${offset}`];
  const body = JSON.stringify(['EVAL', `return redis.call(unpack(ARGV))`, '0', ...command]);
  const response = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body });
  if (!response.ok) throw new Error(await response.text());
}

export const WRONG_DEPLOYMENTS: readonly WrongSetup[] = [
  {
    name: 'an http address',
    run: { request: { origin: 'http://bot.example.com' } },
    code: 'addressHttp',
    says: /https:\/\//u,
  },
  {
    name: 'a vercel.app address',
    run: { request: { origin: 'https://bot.vercel.app' } },
    code: 'addressVercel',
    level: 'warning',
    says: /vercel\.app.*Domains/su,
    also: ['publicUrlDiffers'],
  },
  {
    name: 'an address without a certificate',
    stage: { isPlainHttp: true },
    code: 'addressCertificate',
    says: /bot\.example\.com.*SSL/su,
  },
  {
    name: 'a protected deployment',
    stage: { instead: page(401, '<html>', { 'set-cookie': '_vercel_sso_nonce=x' }) },
    code: 'addressProtected',
    says: /Deployment Protection/u,
  },
  {
    name: 'a protected deployment that redirects to the log-in',
    stage: { instead: page(302, '', { location: `https://vercel.com/sso-api?nonce=${MARK}` }) },
    code: 'addressProtected',
    says: /Deployment Protection/u,
  },
  {
    name: 'a firewall that challenges',
    stage: { instead: page(403, '<html>', { 'x-vercel-mitigated': 'challenge' }) },
    code: 'addressFirewall',
    says: /Firewall/u,
  },
  {
    name: 'a challenge of Cloudflare',
    stage: { instead: page(403, '<html>Just a moment...', { 'cf-mitigated': 'challenge', 'cf-ray': 'x' }) },
    code: 'addressGuarded',
    says: /Cloudflare.*403.*\/api\/dingtalk/su,
  },
  {
    name: 'a proxy that wants a password',
    stage: { instead: page(401, '<html>', { 'www-authenticate': 'Basic' }) },
    code: 'addressGuarded',
    says: /401.*\/api\/dingtalk/su,
  },
  {
    name: 'a proxy that does not reach the function',
    stage: { instead: page(502, '<html>Bad Gateway', { server: 'nginx' }) },
    code: 'proxyFailed',
    says: /502/u,
  },
  {
    name: 'a proxy that drops the signature',
    stage: { lostHeaders: ['timestamp', 'sign'] },
    code: 'headersDropped',
    says: /timestamp.*sign.*401/su,
  },
  {
    name: 'no deployment',
    stage: { instead: page(404, 'The deployment could not be found', { 'x-vercel-error': 'DEPLOYMENT_NOT_FOUND' }) },
    code: 'deploymentMissing',
    says: /DEPLOYMENT_NOT_FOUND.*Domains/su,
  },
  {
    name: 'a deployment without its configuration',
    stage: { deployed: { DINGTALK_CLIENT_SECRET: '', DIFY_API_KEY: '' } },
    code: 'addressMisconfigured',
    says: /503.*DINGTALK_CLIENT_SECRET\W+DIFY_API_KEY.*Environment Variables/su,
  },
  {
    name: 'a deployment that fails',
    stage: { instead: page(500, 'A server error', { 'x-vercel-error': 'FUNCTION_INVOCATION_FAILED' }) },
    code: 'functionFailed',
    says: /FUNCTION_INVOCATION_FAILED.*Logs/su,
  },
  {
    name: 'something else at the address',
    stage: { instead: page(200, '<html>') },
    code: 'addressForeign',
    says: /\/api\/dingtalk/u,
  },
  {
    name: 'an address that redirects',
    stage: { instead: page(308, '', { location: 'https://www.example.com/api/dingtalk' }) },
    code: 'addressRedirects',
    says: /www\.example\.com.*消息接收地址/su,
  },
  {
    name: 'a deployment with another secret',
    stage: { deployed: { DINGTALK_CLIENT_SECRET: `${MARK}-other` } },
    code: 'otherSecret',
    says: /401.*DINGTALK_CLIENT_SECRET/su,
  },
  {
    name: 'a rotation that the deployment does not know of',
    run: { env: { DINGTALK_CLIENT_SECRET: `${MARK}-new,${MARK}-client-secret` } },
    code: 'oldSecretThere',
    says: /new,old/u,
  },
  {
    name: 'a deployment whose clock is 2 hours off',
    stage: { clock: clockOffBy(120) },
    code: 'deployedClock',
    says: /401.*timedatectl/su,
  },
  {
    name: 'something that takes every signature',
    stage: { instead: () => new Response('ok: the DingTalk callback of Dify on DingTalk') },
    code: 'signatureUnchecked',
    says: /timestamp/u,
  },
  {
    name: 'a robot that the deployment does not know',
    run: { request: { origin: BOT, robotName: 'hr' } },
    code: 'robotUnknown',
    says: /\/api\/dingtalk\/hr.*BOTS/su,
    also: ['robotNotHere'],
  },
  {
    name: 'no callback has ever arrived',
    code: 'callbacksNever',
    level: 'warning',
    says: /Stream.*HTTP 模式.*消息接收地址.*https:\/\/bot\.example\.com\/api\/dingtalk.*版本管理与发布/su,
  },
  {
    name: 'a sweep that has never come',
    code: 'sweepRare',
    level: 'warning',
    says: /QSTASH_TOKEN.*--fix.*vercel\.json/su,
  },
  {
    name: 'a sweep that comes once a day',
    arrange: async ({ front }) => remember(front, 'sweep', -14 * HOUR_MS, ''),
    code: 'sweepRare',
    level: 'warning',
    says: /\d{4}-\d\d-\d\dT.*QSTASH_TOKEN/su,
  },
  {
    name: 'messages that come over Stream, by the store',
    arrange: async ({ front }) => remember(front, 'stream', 0, '3'),
    code: 'callbacksElsewhere',
    level: 'warning',
    says: /Stream.*DINGTALK_CONNECTION.*http/su,
  },
  {
    name: 'a function whose clock is 20 minutes off',
    arrange: async ({ front }) => remember(front, 'http', 0, String(-20 * 60_000)),
    code: 'functionClockOff',
    level: 'warning',
    says: /20.*NTP/su,
  },
  {
    name: 'another cron secret there',
    stage: { deployed: { CRON_SECRET: `${MARK}-another` } },
    code: 'statusClosed',
    level: 'warning',
    says: /CRON_SECRET/u,
  },
  {
    name: 'another public address here than there',
    run: { request: { origin: BOT }, env: { PUBLIC_URL: 'https://old.example.com' } },
    code: 'publicUrlDiffers',
    level: 'warning',
    says: /PUBLIC_URL/u,
  },
];
