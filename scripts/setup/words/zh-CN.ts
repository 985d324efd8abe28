import type { Words } from './words.ts';
import { expectedInChinese } from '../../doctor/sentences/expected-zh-CN.ts';

export const zhCN: Words = {
  imported: (robots) =>
    `已读入 dify-on-dingtalk 的配置：${robots} 个机器人${robots === 1 ? '' : '，第一个以外的写入 BOTS'}。上下文会重新开始；原来每个人在所有会话里共用一份，这里对应 CONVERSATION_SCOPE=user。`,
  intro: (file, isUnchecked) =>
    [
      `本向导会生成 ${file}。在您看过汇总并确认之前，不会写入任何内容。`,
      '回车：保留或跳过方括号里的内容 · b：返回上一步 · -：清空可选值 · Ctrl+C：退出',
      isUnchecked ? '不做检查（--no-check）：不访问钉钉、Dify 和存储。' : '您输入的内容会立即向钉钉、Dify 和存储核实。',
    ].join('\n'),
  questions: {
    DINGTALK_CLIENT_ID: {
      where:
        '钉钉应用：open-dev.dingtalk.com → 应用开发 → 创建应用（或已有应用）→ 凭证与基础信息。机器人在 添加应用能力 → 机器人 中添加。',
      ask: 'Client ID（AppKey）',
    },
    DINGTALK_CLIENT_SECRET: {
      where: '同一页面：凭证与基础信息。输入不会显示。',
      ask: 'Client Secret（AppSecret）',
    },
    DINGTALK_CARD_TEMPLATE_ID: {
      where:
        '流式显示回答的 AI 卡片：open-dev.dingtalk.com/fe/card（开放能力 → 卡片平台）→ 新建模板，卡片类型 消息卡片，卡片模板场景 AI 卡片，关联应用选本应用；保存，发布。ID 在模板列表里。',
      ask: '模板 ID，以 .schema 结尾',
    },
    DINGTALK_CARD_BUTTONS: {
      where: '模板的按钮（停止、点赞、追问等），见 docs/card-template.zh-CN.md。没有按钮时用链接或文字代替。',
      ask: '模板有这些按钮吗？y 或 n',
    },
    DIFY_API_URL: {
      where: 'Dify → 您的应用 → 访问 API：API 服务器地址，以 /v1 结尾。',
      ask: 'Dify API 地址',
    },
    DIFY_API_KEY: {
      where: '同一页面：API 密钥 → 创建。一个密钥对应一个应用，应用必须已发布。输入不会显示。',
      ask: '应用的密钥，以 app- 开头',
    },
    DIFY_QUERY_INPUT: {
      where: '无法确定由应用的哪个输入变量承载问题。Dify → 您的应用 → 开始节点 中可以看到它们。',
      ask: '承载问题的输入变量',
    },
    UPSTASH_REDIS_REST_URL: {
      where:
        '存储，在 Vercel 上必填：console.upstash.com → Redis → Create Database，区域 Singapore (ap-southeast-1) → REST API。',
      ask: 'UPSTASH_REDIS_REST_URL',
    },
    UPSTASH_REDIS_REST_TOKEN: {
      where: '同一页面；要可写的令牌，不是只读令牌。输入不会显示。',
      ask: 'UPSTASH_REDIS_REST_TOKEN',
    },
    PUBLIC_URL: {
      where:
        '函数的公网地址：Vercel → 项目 → Settings → Domains。请使用自己的域名：*.vercel.app 在中国大陆大多无法访问，而钉钉的回调来自那里。',
      ask: '形如 https://bot.example.com 的地址',
    },
    extras: {
      where:
        '可选：admins（管理员，可停止他人的回答，并收到额度提醒）、users（允许提问的人）、streaming（每次回答的调用数）、cron（随机的 CRON_SECRET，用于补完中断的回答和查看状态）。',
      ask: '要设置 admins、users、streaming、cron 中的哪些？用空格分隔，都不要写 none',
    },
    ADMIN_USERS: { where: '员工 ID，用逗号分隔。在与机器人的聊天中发送 /id 可查看自己的。', ask: '管理员' },
    ALLOWED_USERS: { where: '员工 ID，用逗号分隔；留空表示所有人。', ask: '允许提问的人' },
    STREAMING: {
      where: '一分钟的回答消耗的钉钉调用数：smooth 45、balanced 20、thrifty 5、off 2。',
      ask: 'smooth、balanced、thrifty 或 off',
    },
  },
  input: (name, label) => ({
    where: `应用要求输入变量 ${name}${label === name ? '' : `（${label}）`}，但没有值。值中可以使用 {{staffId}}、{{nick}}、{{chatId}}、{{chatTitle}}、{{corpId}}、{{isAdmin}} 或 {{query}}。`,
    ask: `${name} 的值`,
  }),
  no: 'n',
  keeps: (value) => (value === null ? '回车：保留' : `回车：${value}`),
  skips: '回车：跳过',
  usual: (value) => `回车：${value}`,
  required: '这一项必填。',
  expected: (expected) => `无法使用。应为：${expectedInChinese(expected)}。`,
  yesOrNo: '请回答 y 或 n。',
  unknownExtra: (word) => `没有 ${word} 这一项：请写 admins、users、streaming、cron 或 none。`,
  originOnly: '只需要开头部分，例如 https://bot.example.com，不带路径。',
  checking: '正在检查……',
  afterFailure: '请输入另一个值；回车：重试；b：返回；!：不经检查直接采用。',
  atBeginning: '这是第一步。',
  taken: '未经检查，直接采用。',
  app: (name, type) => `应用名称为“${name}”，类型为 ${type}。`,
  questionInputs: (names) => `应用的文本输入变量：${names.join('、') || '无'}`,
  noTemplate: '没有模板：回答完成后以 markdown 消息发送。以后随时可以补上。',
  noStore: '没有存储：在 Vercel 上函数将无法启动；在其他环境只在进程内记忆。',
  otherStore: (variable) => `存储由 ${variable} 指定，予以保留。`,
  noAddress: '没有地址：在 Vercel 上使用生产域名。现在不注册卡片按钮的回调地址。',
  malformed: (variable, expected) => `${variable} 目前的值无法使用。应为：${expectedInChinese(expected)}。`,
  missing: (list) => `配置不完整，没有写入：\n${list}`,
  checksFailed: '检查未通过，没有写入。使用 --no-check 可跳过检查。',
  summary: '汇总',
  hidden: (isKept) => (isKept ? '保留' : '新值，不显示'),
  removed: '（已清空）',
  unchanged: (file) => `${file} 已包含全部内容，无需重写。`,
  confirm: (file) => `写入 ${file} 吗？其他行和注释保持不变。y、n 或 b`,
  declined: '没有写入任何内容。',
  interrupted: (hasWritten) => (hasWritten ? '已中断；文件已经写入。' : '已中断；没有写入任何内容。'),
  dryRun: (file, names) => `--dry-run：将写入 ${file}：${names.join('、') || '无'}`,
  written: (file) => `已写入 ${file}，仅您本人可读。`,
  unwritable: (variable) => `${variable} 无法以能原样读回的方式写入文件；没有写入任何内容。`,
  fileRefused: (file, code) => `无法读写 ${file}（${code}）；没有写入任何内容。`,
  vercel:
    '在 Vercel：先执行 vercel link，再逐行执行下列命令。每行从文件中取值而不显示；若 shell 中已设置同名变量，则以它为准。',
  afterVercel: '然后：vercel deploy --prod',
  callback: (address) => `填入 消息接收地址 的回调地址：${address}`,
  host: 'https://您的域名',
  ownServer:
    '消息通过 Stream 连接接收，因此要在自己的机器上运行：docker compose up -d --build --wait，或 npm run serve。两种方式见 docs/own-server.zh-CN.md。',
  streamSteps: (permissions) =>
    [
      '还需在 open-dev.dingtalk.com → 应用开发 → 该应用 中完成：',
      `  1. 权限管理：搜索 ${permissions.join('、')}，点击 立即开通。`,
      '  2. 机器人 → 消息接收模式：Stream 模式；点击 发布。',
      '  3. 版本管理与发布 → 创建新版本：选择 可用范围 并发布。在此之前其他人找不到机器人。',
      '  4. 停掉原来的程序：两边同时连接时，每条消息只会随机送到其中一边。',
    ].join('\n'),
  consoleSteps: (address, permissions) =>
    [
      '还需在 open-dev.dingtalk.com → 应用开发 → 该应用 中完成：',
      `  1. 权限管理：搜索 ${permissions.join('、')}，点击 立即开通。`,
      `  2. 机器人 → 消息接收模式：HTTP 模式（不是 Stream）；消息接收地址：${address}；点击 发布。`,
      '  3. 版本管理与发布 → 创建新版本：选择 可用范围 并发布。在此之前其他人找不到机器人。',
      '  4. 单聊：搜索机器人并发送 /help。群聊（内部群）：群设置 → 机器人 → 添加机器人。',
    ].join('\n'),
  doctor: (origin) =>
    origin === '' ? '然后全面检查：npm run doctor' : `部署完成后，全面检查：npm run doctor -- ${origin}`,
  needsTerminal:
    '没有可以提问的终端。请使用 --yes（值取自环境变量、.env 和 --set），或使用 --plain 逐行提供回答；详见 --help。没有写入任何内容。',
};
