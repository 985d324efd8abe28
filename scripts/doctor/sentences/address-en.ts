import { facts, line } from './line.ts';

const HTTP_MODE = 'open-dev.dingtalk.com → 应用开发 → the app → 机器人 → 消息接收模式';
const PROTECTION = 'Vercel → the project → Settings → Deployment Protection';
const VARIABLES = 'Vercel → the project → Settings → Environment Variables, then deploy again';
const DOMAINS = 'Vercel → the project → Settings → Domains';
/** Why DingTalk may never have called, the most frequent reason first. */
const NEVER_CALLED = (address: string) =>
  `(1) 消息接收模式 is still Stream, the default: choose HTTP 模式. (2) 消息接收地址 must be ${address}, on a domain of your own. (3) Press 发布 on the page of the robot, and publish a version under 版本管理与发布 with the askers within 可用范围; in groups only messages that @ the robot arrive`;

/** The deployment as DingTalk sees it. */
export const addressEn = {
  addressNone: () => line('no public address to look at: npm run doctor -- https://your-domain, or set PUBLIC_URL'),
  addressPrivate: (host: string) =>
    line(
      `${host} is this machine or a private network: DingTalk cannot reach it`,
      'give the public https address of the deployment',
    ),
  addressHttp: (host: string) =>
    line(
      `http://${host} is not encrypted; DingTalk takes only https, and the signature does not protect the text`,
      'use https://',
      HTTP_MODE,
    ),
  addressVercel: (host: string) =>
    line(
      `${host} cannot be relied on from mainland China, where DingTalk's servers are: *.vercel.app is blocked there, and preview addresses are protected`,
      'add a domain of your own to the project and use it in DingTalk and in PUBLIC_URL',
      DOMAINS,
    ),
  addressUnknown: (host: string, reason: string) =>
    line(
      `the name ${host} does not resolve (${reason})`,
      'check the spelling, and the DNS record of the domain',
      DOMAINS,
    ),
  addressUnreachable: (host: string, reason: string) =>
    line(`no connection to ${host} (${reason})`, 'check that the function runs, its port, firewall and proxy'),
  addressCertificate: (host: string, reason: string) =>
    line(
      `${host} offers no valid certificate (${reason})`,
      'renew it, with its whole chain and for this name; on Vercel wait until the domain is verified',
      DOMAINS,
    ),
  addressProtected: (status: number) =>
    line(
      `the deployment is protected: a log-in page stands in front of it (${facts(status)}), and DingTalk cannot log in`,
      'give DingTalk the production domain, not a preview; or switch Vercel Authentication and Password Protection off for it',
      PROTECTION,
    ),
  addressFirewall: (status: number) =>
    line(
      `Vercel's firewall stands before the deployment (${facts(status)})`,
      'add a rule that bypasses it for the path /api/dingtalk; switch Attack Challenge Mode off',
      'Vercel → the project → Firewall',
    ),
  addressGuarded: (status: number, by: string) =>
    line(
      `${by || 'something'} in front of the deployment refuses (${facts(status)}), as for a log-in or a check of the browser; DingTalk passes neither`,
      'let /api/dingtalk through without log-in, challenge, bot check or list of addresses',
      by === '' ? 'the proxy or firewall in front' : `${by} → the domain → Security`,
    ),
  addressRedirects: (host: string, status: number) =>
    line(
      `redirects to ${host} (${facts(status)}); DingTalk does not follow`,
      `use the address with ${host} in DingTalk and in PUBLIC_URL`,
      `${DOMAINS}; ${HTTP_MODE} → 消息接收地址`,
    ),
  deploymentMissing: (host: string) =>
    line(
      `Vercel has no deployment at ${host} (HTTP 404, DEPLOYMENT_NOT_FOUND)`,
      'deploy, and see that the domain belongs to this project',
      DOMAINS,
    ),
  addressMisconfigured: (variables: readonly string[]) =>
    line(
      `the deployment is not configured (HTTP 503); missing or malformed there: ${variables.join(', ')}`,
      'set these variables for Production and deploy again: changes count only for new deployments',
      VARIABLES,
    ),
  robotUnknown: (path: string) =>
    line(
      `the deployment knows no robot at ${path} (HTTP 404)`,
      'compare the path with the names in BOTS of the deployment; /api/dingtalk needs DINGTALK_CLIENT_ID, DINGTALK_CLIENT_SECRET and DIFY_API_KEY',
      VARIABLES,
    ),
  robotNotHere: (name: string, known: readonly string[]) =>
    line(
      `the configuration here has no robot called ${name}; there are ${known.join(', ') || 'none with a name'}`,
      'compare with the names in BOTS; everything but the address was left out',
    ),
  functionFailed: (status: number, code: string) =>
    line(`the deployment fails (${facts(status, code)})`, 'look at its log', 'Vercel → the project → Logs'),
  proxyFailed: (status: number, by: string) =>
    line(
      `${by || 'a proxy'} in front answers, but does not reach the function (${facts(status)})`,
      'see that the function runs (its log, its health check), and that the proxy has its address, port and protocol',
      by === '' ? 'the proxy’s own log' : `${by} → the domain → DNS and SSL/TLS`,
    ),
  addressForeign: (host: string, status: number, code: string) =>
    line(
      `something else than this function answers at ${host} (${facts(status, code)})`,
      'check domain and path: the function is at /api/dingtalk or /api/dingtalk/NAME',
      DOMAINS,
    ),
  addressFine: (address: string) => line(`${address} is answered by the function`),
  addressSlow: (ms: number) =>
    line(
      `the console's probe is accepted, but after ${ms} ms; DingTalk gives up after about 2 s`,
      'put the function near China (regions in vercel.json: sin1 or hnd1) and the database beside it',
    ),
  probeFine: (ms: number) => line(`the console's probe is accepted, after ${ms} ms`),
  probeRefused: (status: number) =>
    line(
      `an empty POST, as the console sends it on saving, is refused (${facts(status)})`,
      'let POST through to the function, with its headers; a firewall or proxy stands before it',
      'Vercel → the project → Firewall',
    ),
  headersDropped: () =>
    line(
      'the headers timestamp and sign do not reach the function: every message would be refused (HTTP 401)',
      'let the proxy in front pass all headers of the request as they are',
    ),
  signatureChecked: () => line('a request with a wrong signature is refused'),
  signatureUnchecked: (status: number) =>
    line(
      `a request with a wrong signature is not refused with 401 (${facts(status)})`,
      'see that the address is that of this function, and that a proxy passes the headers timestamp and sign',
    ),
  sameSecret: () =>
    line('the deployment takes a message signed with the secret from here (it is for no robot, so no answer follows)'),
  otherSecret: () =>
    line(
      'the deployment refuses a message signed with the secret from here (HTTP 401): it has another DINGTALK_CLIENT_SECRET',
      'set the same secret there and deploy again; or this address belongs to another robot',
      VARIABLES,
    ),
  oldSecretThere: () =>
    line(
      'the deployment has only the old of the two secrets from here',
      'set new,old there as well and deploy again, before DingTalk signs with the new one',
      VARIABLES,
    ),
  deployedClock: () =>
    line(
      'the clock of the deployment and the one here differ by more than an hour (HTTP 401)',
      'set the clock that is wrong: on this machine, or on the server of your own',
      'e.g. timedatectl set-ntp true',
    ),
  messageRefused: (status: number) =>
    line(
      `a signed message is refused (${facts(status)})`,
      'deploy the version that is checked out here',
      'Vercel → the project → Deployments',
    ),
  callbacksArrive: (time: string) => line(`DingTalk called last at ${time}`),
  callbacksNever: (address: string) => line('DingTalk has never called this robot', NEVER_CALLED(address), HTTP_MODE),
  callbacksUnknown: (address: string) =>
    line(
      `whether DingTalk has ever called is not known without CRON_SECRET. If nothing arrives: ${NEVER_CALLED(address)}`,
    ),
  statusClosed: () =>
    line(
      'the deployment does not take CRON_SECRET for ?status (HTTP 401)',
      'set the same CRON_SECRET there and deploy again',
      VARIABLES,
    ),
  statusUnclear: (status: number) =>
    line(
      `?status does not tell when DingTalk called last (${facts(status)})`,
      'deploy the version that is checked out here; if it is the same, look at its store',
    ),
};
