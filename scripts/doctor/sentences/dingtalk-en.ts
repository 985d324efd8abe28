import type { Scope } from '../scope.ts';
import { facts, line } from './line.ts';

const CONSOLE = 'open-dev.dingtalk.com → 应用开发 → the app';
const CREDENTIALS = `${CONSOLE} → 凭证与基础信息`;
const TEMPLATE = 'open-dev.dingtalk.com/fe/card → the template';
const USES: Readonly<Record<Scope, string>> = {
  'Card.Instance.Write': 'making and changing cards, and their buttons',
  'Card.Streaming.Write': 'streaming text into cards',
  qyapi_robot_sendmsg: 'fetching files that people send, and messages after the session has ended',
  qyapi_base: 'uploading pictures and files of answers; apps have it by default',
};

/** DingTalk. */
export const dingtalkEn = {
  tokenFine: (clientId: string) => line(`DingTalk gives an access token to ${clientId}`),
  secretsRotating: (valid: number) =>
    line(`two secrets are set; DingTalk takes ${valid} of them. After the rotation remove the old one`),
  credentials: (status: number, code: string) =>
    line(
      `DingTalk does not know this pair of Client ID and Client Secret (${facts(status, code)})`,
      'copy both DINGTALK_CLIENT_ID and DINGTALK_CLIENT_SECRET again, from the same app; a secret that was renewed makes the old one void',
      CREDENTIALS,
    ),
  ipRefused: (status: number, code: string) =>
    line(
      `DingTalk refuses this machine's address (${facts(status, code)})`,
      'empty the list 服务器出口IP: a serverless function has no fixed address',
      `${CONSOLE} → 安全设置 → 服务器出口IP`,
    ),
  monthUsedUp: (status: number, code: string) =>
    line(
      `the organisation's DingTalk calls of this month are used up (${facts(status, code)})`,
      'wait for the next month, or buy more; set DINGTALK_MONTHLY_CALLS (5000 in 标准版) so that it ends softly, and STREAMING=thrifty',
    ),
  dingtalkBusy: (status: number, code: string) =>
    line(
      `DingTalk limits the calls per second (${facts(status, code)})`,
      'run the doctor again in a minute; lower DINGTALK_QPS if this comes with answers',
    ),
  dingtalkUnreachable: (host: string, reason: string) =>
    line(`no connection to ${host} (${reason})`, 'check the network, a proxy or firewall, and DINGTALK_API_URL'),
  dingtalkRefused: (status: number, code: string) =>
    line(
      `DingTalk refused the call (${facts(status, code)})`,
      'look the code up in DingTalk’s list of error codes; check DINGTALK_API_URL',
      'open.dingtalk.com → 服务端API → 全局错误码',
    ),
  streamFine: (host: string) => line(`DingTalk gives a Stream connection, at ${host}`),
  streamRefused: (status: number, code: string) =>
    line(
      `DingTalk gives no Stream connection (${facts(status, code)})`,
      'choose Stream 模式 for the robot and publish the app',
      `${CONSOLE} → 机器人 → 消息接收模式`,
    ),
  streamUnreachable: (host: string, reason: string) =>
    line(
      `DingTalk names ${host} for the Stream connection, and there is no way to it (${reason})`,
      `let this machine reach ${host} on port 443 for WebSocket; the name may change, so allow *.dingtalk.com`,
    ),
  streamOnVercel: () =>
    line(
      'DINGTALK_CONNECTION=stream does not work on Vercel: a function ends after each request and keeps no connection open',
      'set DINGTALK_CONNECTION=http, or run npm run serve on a machine of your own',
    ),
  permissionGranted: (scope: Scope) => line(`${scope}: granted`),
  permissionMissing: (scope: Scope) =>
    line(
      `${scope} is not granted: it is for ${USES[scope]}`,
      `search for ${scope} and press 立即开通`,
      `${CONSOLE} → 权限管理`,
    ),
  permissionUnclear: (scope: Scope, status: number, code: string) =>
    line(`${scope}: DingTalk's answer tells nothing (${facts(status, code)})`, 'run the doctor again in a minute'),
  noTemplate: () => line('DINGTALK_CARD_TEMPLATE_ID is not set: answers come as markdown messages, without streaming'),
  templateUnproved: (robot: string | null) =>
    line(
      `not proved: only a real card shows whether the template exists, is published and has the variable. It takes about seven calls of the month: npm run doctor -- --card STAFF_ID${robot === null ? '' : ` --robot ${robot}`} (the robot tells your staff id on /id)`,
    ),
  templateMissing: (id: string, code: string) =>
    line(
      `DingTalk has no template ${id} for this app (${code})`,
      'copy the template ID (….schema) into DINGTALK_CARD_TEMPLATE_ID, and see that 关联应用 of the template is this app',
      'open-dev.dingtalk.com/fe/card → 模板列表',
    ),
  templateUnpublished: (id: string, code: string) =>
    line(`the template ${id} is not published (${code})`, 'open the template and press 发布', `${TEMPLATE} → 发布`),
  cardPerson: () =>
    line(
      'the card was not delivered to this person',
      'check the staff id (not the name or phone number), that the person is within 可用范围 of a published version, and DINGTALK_ROBOT_CODE',
      `${CONSOLE} → 版本管理与发布`,
    ),
  cardRobotCode: (status: number, code: string) =>
    line(
      `DingTalk does not accept the robot code (${facts(status, code)})`,
      'leave DINGTALK_ROBOT_CODE out, or copy it from the page of the robot',
      `${CONSOLE} → 机器人`,
    ),
  cardVariable: (key: string, status: number, code: string) =>
    line(
      `the template has no streaming variable called ${key} (${facts(status, code)}); this is the well-known “500 unknownError”. The person sees a card that stays empty`,
      `in 输入中 select the Markdown component, switch 流式组件 on and bind it to the variable ${key}; or set DINGTALK_CARD_CONTENT_KEY to the name of the variable. Then 保存 and 发布`,
      `${TEMPLATE} → 输入中`,
    ),
  cardShown: (key: string) =>
    line(`template, variable ${key}, streaming and last frame work: the person sees a finished test card`),
  cardParts: () =>
    line(
      'the variables of the template are set; only the person sees what it shows of them. On the first card, in turn: 输入中 with “Test question” (question) and 停止; 完成 with the whole width (config), “Test app” (app), 有用, 没用, 新会话 and 复制; 4 s later two test suggestions (suggestions), 没用 as chosen (like_status), four reasons and a field (ask_reason) and a notice (notice); 4 s later, instead of these, “Test person” (waiting_for), “Test field” (form_fields) and “Test action” (form_actions). On the second card 重试. The buttons of test cards do nothing. Parts that the template was built without are missing',
    ),
  failedStateFine: () => line('the failed state works: the person sees a second test card, which says that it failed'),
  failedStateOff: (status: number, code: string) =>
    line(
      `the template has no failed state (${facts(status, code)}): answers that fail end as finished. The person sees a second finished card`,
      'select the AI 卡片 component, enable the state 失败, put the Markdown component in, 保存, 发布',
      `${TEMPLATE} → AI卡片 → 状态`,
    ),
  callbackUnneeded: () => line('without a template there are no buttons'),
  callbackNotTried: () =>
    line(
      'not tried: PUBLIC_URL is not the public address that was looked at. The function registers itself before its first card',
    ),
  callbackRegistered: (host: string) => line(`DingTalk sends presses on buttons to ${host}`),
  callbackRefused: (status: number, code: string) =>
    line(
      `DingTalk does not register the address for buttons (${facts(status, code)}); cards go out without`,
      'check that Card.Instance.Write is granted and that PUBLIC_URL is reachable from mainland China',
      `${CONSOLE} → 权限管理`,
    ),
};
