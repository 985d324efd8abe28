import { expectedInChinese } from '../doctor/sentences/expected-zh-CN.ts';
import type { CommandWords } from './en.ts';

export const zhCN: CommandWords = {
  incomplete: '配置不完整。',
  missing: '缺少：',
  malformed: '格式不对：',
  lacking: (variable, expected) => `${variable}（${expectedInChinese(expected)}）`,
  problem: (variable, expected) => `${variable}：应为${expectedInChinese(expected)}`,
  unreadable: '无法读取 .env：它必须是一个文件，并且启动此命令的用户有权读取。',
  nothingYet: '这里还没有任何配置。想先看看效果（不需要任何账号）：npm start\n想一步步完成配置：npm run setup',
  cannotListen: ({ port, hostname, code, command }) =>
    code === 'EADDRINUSE'
      ? `端口 ${port} 已被占用。请停掉占用它的程序，或换一个端口：PORT=${port + 1} ${command}`
      : `无法监听 ${hostname}:${port}（${code}）。请设置 PORT 和 HOST。`,

  playground: (url) => `Playground: ${url}`,
  openSample:
    '打开上面的地址，选择一个会话并提问，由示例 Dify 应用回答。要用自己的应用，在 .env 里设置 DIFY_API_KEY。按 Ctrl+C 结束。',
  openOwn: '打开上面的地址，选择一个会话并提问，由你自己的 Dify 应用回答。按 Ctrl+C 结束。',
  ownApp: (name, type) => `回答的应用：“${name}”（${type}）`,

  listening: (url, callback) => `正在监听 ${url}${callback === null ? '' : `，回调地址：${callback}`}`,
  byStream: (name) => `${name ?? '机器人'}：通过 Stream 连接接收消息`,

  usage: '用法：npm run dev:stream -- [--to http://主机:端口]',
  oneStream:
    '一个 Client ID 只应有一个 Stream 服务：有多个时，每条消息会随机发给其中一个。请为开发单独建一个应用，' +
    '并把机器人设为 Stream 模式；HTTP 模式的机器人在这里收不到消息。',
  goTo: (origin) =>
    `消息会转发给 ${origin} 的函数。它的卡片使用它自己注册的回调地址，所以按钮回调直接到那里，不经过这条连接；` +
    '不加 --to 时，按钮回调也走这条连接。',
  allHttp: 'BOTS 里每个机器人的 dingtalkConnection 都是 http，没有需要连接的机器人。',
  inThisProcess: (url) => `函数就在这个进程里运行，地址 ${url}，只有本机能访问。`,
  noneLeft: '没有可以连接的机器人了。',
  crashed: (name) => `函数崩溃（${name}）。连接继续。`,
  ending: '正在结束：连接已关闭，正在生成的回答可以写完。',
  robot: '机器人',
  hint:
    '一分钟内没有收到消息。如果已经发过：机器人可能是 HTTP 模式（开发者后台 → 应用 → 机器人 → 消息接收模式，' +
    '改为 Stream 模式后发布），或另一个程序用同一个 Client ID 连接着，或在群里没有 @ 机器人',
  ended: (reason) => `连接已断开（${reason}），正在重连`,
  connected: '已连接，等待消息',
  ticketRefused: (status) => `钉钉拒绝了连接票据（${status}）：已过期或已用过`,
  noConnection: (code) => `没有连上（${code}）`,
  remedies: {
    dingtalk_credentials:
      '钉钉不认识这对 Client ID 和 Client Secret（401）。请从开发者后台 → 应用 → 凭证与基础信息重新复制到 .env，' +
      '不要带空格，然后重新启动',
    dingtalk_stream_refused: '钉钉拒绝打开连接：应用可能没有机器人，或机器人不是 Stream 模式',
    dingtalk_stream_handshake: '连接打不开：请检查代理或防火墙是否不放行 WebSocket',
    dingtalk_unreachable: '连不上 DINGTALK_API_URL：请检查网络',
    dingtalk_timeout: 'DINGTALK_API_URL 没有及时回应：请检查网络',
  },
  message: '收到一条消息',
  press: '有人点了按钮',
  forwarded: (what, status, ms, remedy) =>
    `${what}：已转发，状态 ${status}，用时 ${ms} ms${remedy === null ? '' : `：${remedy}`}`,
  notForwarded: (what, url, lateMs) =>
    `${what}：没有转发成功，${url} 的函数${lateMs === null ? '连不上' : `在 ${lateMs} ms 内没有回应`}。连接继续，请重新发送。`,
  notTheFunction: '这不是函数的回应',
  refusals: {
    400: '收到的内容不是回调的格式',
    401: '那边函数的 DINGTALK_CLIENT_SECRET 不同，或它的时钟差了一小时以上',
    404: '没有这个机器人，或地址不是函数的地址',
    413: '超过了函数接受的大小',
    500: '函数出错，原因见它的日志',
    503: '那边的函数还没有配置好；打开它的地址可以看到缺什么',
  },
};
