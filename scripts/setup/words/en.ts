import type { Words } from './words.ts';

export const en: Words = {
  imported: (robots) =>
    `Taken over from dify-on-dingtalk: ${robots} ${robots === 1 ? 'robot' : 'robots; all but the first are in BOTS'}. Contexts begin anew; there they were one for each person in all chats, here that is CONVERSATION_SCOPE=user.`,
  intro: (file, isUnchecked) =>
    [
      `This guide makes ${file}. Nothing is written before you have seen a summary and said yes.`,
      'Enter keeps or skips what is in brackets · b goes one step back · - empties an optional value · Ctrl+C ends',
      isUnchecked
        ? 'Nothing is checked (--no-check): DingTalk, Dify and the store are not asked.'
        : 'What you enter is checked with DingTalk, Dify and the store at once.',
    ].join('\n'),
  questions: {
    DINGTALK_CLIENT_ID: {
      where:
        'The DingTalk app: open-dev.dingtalk.com → 应用开发 → 创建应用 (or an app that you have) → 凭证与基础信息. Add the robot under 添加应用能力 → 机器人.',
      ask: 'Client ID (AppKey)',
    },
    DINGTALK_CLIENT_SECRET: {
      where: 'On the same page, 凭证与基础信息. What you type is not shown.',
      ask: 'Client Secret (AppSecret)',
    },
    DINGTALK_CARD_TEMPLATE_ID: {
      where:
        'The AI card, in which the answer streams: open-dev.dingtalk.com/fe/card (开放能力 → 卡片平台) → 新建模板, 卡片类型 消息卡片, 卡片模板场景 AI 卡片, 关联应用 this app; 保存, 发布. The id is in the list.',
      ask: 'Template id, ends in .schema',
    },
    DINGTALK_CARD_BUTTONS: {
      where:
        'Buttons of the template (stop, like, ask again, …), as in docs/card-template.md. Without them there are links and words to type.',
      ask: 'Does the template have these buttons? y or n',
    },
    DIFY_API_URL: {
      where: 'Dify → your app → API Access (访问 API): the API server address, with /v1 at its end.',
      ask: 'Address of the Dify API',
    },
    DIFY_API_KEY: {
      where:
        'On the same page: API Key (API 密钥) → create one. One key is one app; the app must be published. What you type is not shown.',
      ask: 'Key of the app, begins with app-',
    },
    DIFY_QUERY_INPUT: {
      where:
        'It is not clear which input of the app carries the question. Dify → your app → the start node shows them.',
      ask: 'Input for the question',
    },
    UPSTASH_REDIS_REST_URL: {
      where:
        'The store, required on Vercel: console.upstash.com → Redis → Create Database, region Singapore (ap-southeast-1) → REST API.',
      ask: 'UPSTASH_REDIS_REST_URL',
    },
    UPSTASH_REDIS_REST_TOKEN: {
      where: 'On the same page; the token that may write, not the read-only one. What you type is not shown.',
      ask: 'UPSTASH_REDIS_REST_TOKEN',
    },
    PUBLIC_URL: {
      where:
        'The public address of the function: Vercel → the project → Settings → Domains. Take a domain of your own: *.vercel.app is widely unreachable from mainland China, where DingTalk calls from.',
      ask: 'Address such as https://bot.example.com',
    },
    extras: {
      where:
        'Optional: admins (who may stop others and is told of the quota), users (who may ask), streaming (calls per answer), cron (a random CRON_SECRET: opens the sweep and the status).',
      ask: 'Which of admins, users, streaming, cron? Words with spaces, or none',
    },
    ADMIN_USERS: {
      where: "Staff ids, separated by commas. /id in a chat with the robot tells one's own.",
      ask: 'Administrators',
    },
    ALLOWED_USERS: { where: 'Staff ids, separated by commas; empty is everybody.', ask: 'People who may ask' },
    STREAMING: {
      where: 'DingTalk calls for an answer of one minute: smooth 45, balanced 20, thrifty 5, off 2.',
      ask: 'smooth, balanced, thrifty or off',
    },
  },
  input: (name, label) => ({
    where: `The app requires the input ${name}${label === name ? '' : ` (${label})`}, and nothing fills it. The value may hold {{staffId}}, {{nick}}, {{chatId}}, {{chatTitle}}, {{corpId}}, {{isAdmin}} or {{query}}.`,
    ask: `Value for ${name}`,
  }),
  no: 'n',
  keeps: (value) => (value === null ? 'Enter: kept' : `Enter: ${value}`),
  skips: 'Enter: skip',
  usual: (value) => `Enter: ${value}`,
  required: 'This one is required.',
  expected: (expected) => `That cannot be used. Expected: ${expected}.`,
  yesOrNo: 'Please answer y or n.',
  unknownExtra: (word) => `There is no ${word} here: admins, users, streaming, cron, or none.`,
  originOnly: 'Only the beginning, such as https://bot.example.com, without a path.',
  checking: 'checking …',
  afterFailure: 'Enter another value, or Enter to try again, b to go back, ! to take it as it is.',
  atBeginning: 'This is the first step.',
  taken: 'Taken without the check.',
  app: (name, type) => `The app is called “${name}” and is of the type ${type}.`,
  questionInputs: (names) => `Text inputs of the app: ${names.join(', ') || 'none'}`,
  noTemplate: 'No template: answers come whole, as markdown messages. It can follow at any time.',
  noStore: 'No store: on Vercel the function will not start like this. Elsewhere it remembers within its process only.',
  otherStore: (variable) => `The store is given by ${variable}; it is kept.`,
  noAddress: 'No address: on Vercel it is the production domain. The address for card buttons is not registered now.',
  malformed: (variable, expected) => `${variable} cannot be used as it is. Expected: ${expected}.`,
  missing: (list) => `The configuration is not complete; nothing was written:\n${list}`,
  checksFailed: 'A check failed; nothing was written. --no-check leaves the checks out.',
  summary: 'Summary',
  hidden: (isKept) => (isKept ? 'kept' : 'new, not shown'),
  removed: '(emptied)',
  unchanged: (file) => `${file} has all of this already; it is not written anew.`,
  confirm: (file) => `Write ${file}? Its other lines and comments stay. y, n, or b`,
  declined: 'Nothing was written.',
  interrupted: (hasWritten) => (hasWritten ? 'Interrupted; the file is written.' : 'Interrupted; nothing was written.'),
  dryRun: (file, names) => `--dry-run: would write ${file}: ${names.join(', ') || 'nothing'}`,
  written: (file) => `${file} is written, readable for you alone.`,
  unwritable: (variable) =>
    `${variable} cannot be written into the file so that it is read back the same; nothing was written.`,
  fileRefused: (file, code) => `${file} cannot be read or written (${code}); nothing was written.`,
  vercel:
    'For Vercel: vercel link, then these lines. Each takes its value out of the file without showing it; a variable that the shell itself has set wins.',
  afterVercel: 'Then: vercel deploy --prod',
  callback: (address) => `The callback address to paste into 消息接收地址: ${address}`,
  host: 'https://YOUR-DOMAIN',
  ownServer:
    'Messages come over a Stream connection, so the bridge runs on a machine of your own: docker compose up -d --build --wait, or npm run serve. docs/own-server.md has both.',
  streamSteps: (permissions) =>
    [
      'What is left to do at open-dev.dingtalk.com → 应用开发 → the app:',
      `  1. 权限管理: search ${permissions.join(', ')} and press 立即开通.`,
      '  2. 机器人 → 消息接收模式: Stream 模式; press 发布.',
      '  3. 版本管理与发布 → 创建新版本: choose 可用范围 and publish. Before that others do not find the robot.',
      '  4. Stop the other bridge: with both connected, each message goes to one of the two.',
    ].join('\n'),
  consoleSteps: (address, permissions) =>
    [
      'What is left to do at open-dev.dingtalk.com → 应用开发 → the app:',
      `  1. 权限管理: search ${permissions.join(', ')} and press 立即开通.`,
      `  2. 机器人 → 消息接收模式: HTTP 模式 (not Stream); 消息接收地址: ${address}; press 发布.`,
      '  3. 版本管理与发布 → 创建新版本: choose 可用范围 and publish. Before that others do not find the robot.',
      '  4. Single chat: search for the robot and send /help. Group (内部群): 群设置 → 机器人 → 添加机器人.',
    ].join('\n'),
  doctor: (origin) =>
    origin === ''
      ? 'Then check all of it: npm run doctor'
      : `When it is deployed, check all of it: npm run doctor -- ${origin}`,
  needsTerminal:
    'There is no terminal to ask at. Either --yes with the values from the environment, .env and --set, or --plain for answers line by line; --help tells more. Nothing was written.',
};
