// The wrong set-ups of Stream mode for the doctor's table test.
import type { WrongSetup } from './doctor-setup.ts';
import { MARK } from './doctor-stage.ts';

const stream = { env: { DINGTALK_CONNECTION: 'stream' } };

const online = { robotStatus: 'ONLINE', mode: 'HTTPS' };

export const WRONG_STREAMS: readonly WrongSetup[] = [
  {
    name: 'a robot in Stream mode whose messages are to come over HTTP',
    run: { console: { ...online, mode: 'STREAM' } },
    code: 'modeDiffers',
    says: /STREAM.*http.*HTTP 模式.*消息接收模式/su,
  },
  {
    name: 'a robot in HTTP mode whose messages are to come over Stream',
    run: { ...stream, console: online },
    code: 'modeDiffers',
    says: /HTTPS.*stream.*Stream 模式/su,
  },
  {
    name: 'another address in the console',
    run: { console: { ...online, outgoingUrl: `https://old.example.com/api/dingtalk?key=${MARK}` } },
    code: 'consoleAddress',
    says: /https:\/\/old\.example\.com\/api\/dingtalk\b.*https:\/\/bot\.example\.com\/api\/dingtalk/su,
  },
  {
    name: 'no address in the console',
    run: { console: online },
    code: 'consoleAddress',
    says: /消息接收地址.*https:\/\/bot\.example\.com\/api\/dingtalk/su,
  },
  {
    name: 'a robot that is switched off',
    run: { console: { ...online, robotStatus: 'OFFLINE' } },
    code: 'robotOffline',
    says: /OFFLINE.*机器人/su,
  },
  {
    name: 'a robot that gets no Stream connection',
    run: stream,
    arrange: ({ gateway }) => gateway.refuseOpen(1, 403, 'some.code'),
    code: 'streamRefused',
    says: /403, some\.code.*Stream 模式/su,
  },
  {
    name: 'a Stream connection over which nothing has ever come',
    run: stream,
    code: 'streamNever',
    level: 'warning',
    says: /npm run serve.*Stream 模式.*可用范围/su,
  },
  {
    name: 'a gateway that fails',
    run: stream,
    arrange: ({ gateway }) => gateway.refuseOpen(1, 503, 'busy'),
    code: 'dingtalkRefused',
    says: /503, busy/u,
  },
  {
    name: 'a gateway that cannot be reached',
    run: stream,
    arrange: ({ gateway }) => gateway.close(),
    code: 'streamUnreachable',
    says: /127\.0\.0\.1:\d+.*ECONNREFUSED.*WebSocket/su,
  },
  {
    name: 'a Stream connection on Vercel',
    run: { env: { DINGTALK_CONNECTION: 'stream' }, request: { origin: 'https://bot.vercel.app' } },
    code: 'streamOnVercel',
    says: /DINGTALK_CONNECTION=http.*npm run serve/su,
    also: ['publicUrlDiffers'],
  },
];
