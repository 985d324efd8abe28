import { needOf } from '../doctor/sentences/line.ts';
import type { ListenProblem } from '../host.ts';

/** What `npm start`, `npm run serve` and `npm run dev:stream` say in the terminal. */
export const en = {
  incomplete: 'The configuration is not complete.',
  missing: 'Missing:',
  malformed: 'Malformed:',
  lacking: (variable: string, expected: string) => `${variable} (${needOf(expected)})`,
  problem: (variable: string, expected: string) => `${variable}: expected ${expected}`,
  unreadable: '.env cannot be read. It has to be a file that the user who starts this command may read.',
  nothingYet:
    'Nothing is configured here yet. To look at it first, without any account: npm start\n' +
    'To configure it step by step: npm run setup',
  cannotListen: ({ port, hostname, code, command }: ListenProblem) =>
    code === 'EADDRINUSE'
      ? `Port ${port} is in use. Stop what runs there, or choose another: PORT=${port + 1} ${command}`
      : `Cannot listen on ${hostname}:${port} (${code}). Set PORT and HOST.`,

  playground: (url: string) => `Playground: ${url}`,
  openSample:
    'Open it, choose a chat and ask: a sample Dify app answers. Your own: DIFY_API_KEY in .env. Ctrl+C ends it.',
  openOwn: 'Open it, choose a chat and ask: your own Dify app answers. Ctrl+C ends it.',
  ownApp: (name: string, type: string) => `The app that answers: “${name}” (${type})`,

  listening: (url: string, callback: string | null) =>
    `Listening on ${url}${callback === null ? '' : `, callback address: ${callback}`}`,
  byStream: (name: string | null) => `${name ?? 'The robot'}: messages come over a Stream connection`,

  usage: 'usage: npm run dev:stream -- [--to http://host:port]',
  oneStream:
    'One client id should serve one stream service: with several, each message goes to one picked at random. Use an app ' +
    'of its own for development, with its robot in Stream mode; a robot in HTTP mode gets no messages here.',
  goTo: (origin: string) =>
    `Messages go to the function at ${origin}. Its cards name its own registered address, so buttons reach it ` +
    'there and not through this connection; without --to they come through the connection, too.',
  allHttp: 'Every robot of BOTS has dingtalkConnection http: none is to be connected.',
  inThisProcess: (url: string) => `The function runs in this process, at ${url} for this machine only.`,
  noneLeft: 'No robot is left to connect.',
  crashed: (name: string) => `The function crashed (${name}). The stream goes on.`,
  ending: 'Ending: the connections are closed, answers that are being written may finish.',
  robot: 'robot',
  hint:
    'no message has come for a minute. If you have sent one: the robot is in HTTP mode (开发者后台 → the app → 机器人 → ' +
    '消息接收模式: choose Stream 模式, then 发布), or another program is connected with the same client id, or the ' +
    'robot was not mentioned in a group',
  ended: (reason: string) => `the connection has ended (${reason}), connecting again`,
  connected: 'connected, waiting for messages',
  ticketRefused: (status: number) => `DingTalk refused the ticket (${status}): it was too old, or used already`,
  noConnection: (code: string) => `no connection (${code})`,
  /** What to do about an attempt that failed, by its code. */
  remedies: {
    dingtalk_credentials:
      'DingTalk does not know this pair of client id and client secret (401). Copy both again (开发者后台 → the app → ' +
      '凭证与基础信息) into .env, without blanks, and start again',
    dingtalk_stream_refused: 'DingTalk refused to open a connection: the app may have no robot, or none in Stream mode',
    dingtalk_stream_handshake:
      'the connection could not be opened: look for a proxy or firewall that lets no WebSocket through',
    dingtalk_unreachable: 'DINGTALK_API_URL cannot be reached: look at the network',
    dingtalk_timeout: 'DINGTALK_API_URL gave no answer in time: look at the network',
  } as Readonly<Record<string, string>>,
  message: 'a message came',
  press: 'a button was pressed',
  forwarded: (what: string, status: number, ms: number, remedy: string | null) =>
    `${what}: forwarded with status ${status} after ${ms} ms${remedy === null ? '' : `: ${remedy}`}`,
  notForwarded: (what: string, url: string, lateMs: number | null) =>
    `${what}: not forwarded, the function at ${url} ${lateMs === null ? 'cannot be reached' : `gave no answer within ${lateMs} ms`}. ` +
    'The stream goes on; send it again.',
  notTheFunction: 'that is not an answer of the function',
  /** What to look at when the function does not take a callback, by status. */
  refusals: {
    400: 'what came has not the shape of a callback',
    401: 'the function there has another DINGTALK_CLIENT_SECRET, or its clock is more than an hour off',
    404: 'there is no such robot, or the address is not that of the function',
    413: 'it was larger than the function takes',
    500: 'the function failed; its log says at what',
    503: 'the function there is not configured; open its address to see what is missing',
  } as Readonly<Record<number, string>>,
};

/** English is the model; the type checker compares the other language with it. */
export type CommandWords = typeof en;
