import { expectedInChinese } from './expected-zh-CN.ts';
import { facts, isMissing, line, ofRobot } from './line.ts';
import type { setupEn } from './setup-en.ts';

const CONSOLE = '开发者后台 open-dev.dingtalk.com → 应用开发 → 该应用';
const CREDENTIALS = `${CONSOLE} → 凭证与基础信息`;
const UPSTASH = 'console.upstash.com → 该数据库 → REST API';
const VARIABLES = '.env；或 Vercel → Settings → Environment Variables，改后重新部署';

export const setupZh: typeof setupEn = {
  configurationRead: (robots) =>
    line(`完整；机器人：${robots.map(({ name, clientId }) => `${name ?? '（默认机器人）'} ${clientId}`).join('、')}`),
  variable: (variable, expected) =>
    line(
      `${variable} ${isMissing(expected) ? '缺失' : '格式不对'}`,
      `请设置 ${variable}（${expectedInChinese(expected)}）`,
      VARIABLES,
    ),
  valuesFine: () => line('未发现异常'),
  valueQuoted: (variable) =>
    line(`${variable} 首尾带有引号`, '去掉引号：不在文件里时，引号会成为值的一部分', VARIABLES),
  valueUnusable: (variable) =>
    line(
      `${variable} 含有空格，或 ID、密钥、token 里不会有的字符`,
      '重新复制：常见的是混入了全角字符、换行或另一个值',
      VARIABLES,
    ),
  templateIdOdd: (id, robot) =>
    line(
      `DINGTALK_CARD_TEMPLATE_ID${ofRobot(robot)} 为 ${id}，末尾没有 .schema`,
      '从模板列表复制完整的模板 ID，它以 .schema 结尾',
      '卡片平台 open-dev.dingtalk.com/fe/card → 模板列表',
    ),
  secretLooksLikeId: (robot) =>
    line(
      `DINGTALK_CLIENT_SECRET${ofRobot(robot)} 看起来是 Client ID`,
      '复制 Client ID 下面的 Client Secret',
      CREDENTIALS,
    ),
  robotCodeDiffers: (robot) =>
    line(
      `DINGTALK_ROBOT_CODE${ofRobot(robot)} 与 Client ID 不同；企业内部应用的机器人二者相同`,
      '不要设置 DINGTALK_ROBOT_CODE，除非机器人页面上就是这个编码：发给别的机器人的消息会被忽略',
      `${CONSOLE} → 机器人`,
    ),
  staffIdsOdd: (variable, count, robot) =>
    line(
      `${variable}${ofRobot(robot)} 里有 ${count} 项不是员工 ID（例如姓名或会话 ID），匹配不到任何人`,
      '填写员工 ID，用逗号分隔：在与机器人的聊天里发送 /id 可以看到自己的',
      VARIABLES,
    ),
  chatIdsOdd: (count, robot) =>
    line(
      `ALLOWED_CHATS${ofRobot(robot)} 里有 ${count} 项不是群的会话 ID，匹配不到任何群`,
      '填写会话 ID（cid…），不是群名：在群里发送 /id 可以看到',
      VARIABLES,
    ),
  placeholdersUnknown: (unknown, known, robot) =>
    line(
      `DIFY_INPUTS${ofRobot(robot)} 里的 {{${unknown.join('}}、{{')}}} 不会被替换，应用收到的就是这几个字`,
      `请使用：${known.map((name) => `{{${name}}}`).join('、')}`,
      VARIABLES,
    ),
  difyKeyDataset: (robot) =>
    line(
      `DIFY_API_KEY${ofRobot(robot)} 是知识库的密钥（dataset-…）`,
      '创建应用的密钥，以 app- 开头',
      'Dify → 该应用 → 访问 API → API 密钥',
    ),
  difyKeyOdd: (robot) =>
    line(`DIFY_API_KEY${ofRobot(robot)} 不以 app- 开头`, '请确认它是应用的密钥', 'Dify → 该应用 → 访问 API → API 密钥'),
  difyUrlOdd: (robot) =>
    line(
      `DIFY_API_URL${ofRobot(robot)} 不以 /v1 结尾`,
      '照 Dify 显示的 API 地址填写，几乎总以 /v1 结尾',
      'Dify → 该应用 → 访问 API',
    ),
  storeTwice: () =>
    line(
      'UPSTASH_REDIS_REST_… 与 KV_REST_API_… 指向不同的存储；使用的是前者',
      '删除不需要的一组，否则会有两份记录',
      VARIABLES,
    ),
  publicUrlDiffers: (host) =>
    line(`PUBLIC_URL 不在 ${host}`, '把 PUBLIC_URL 设为钉钉调用的地址：长回答的接力和卡片按钮都走它', VARIABLES),
  publicUrlPath: () =>
    line(
      'PUBLIC_URL 里带了路径 /api/dingtalk，而函数会自己加上它：卡片按钮和长回答的交接都会失败',
      'PUBLIC_URL 只写开头，例如 https://bot.example.com',
      VARIABLES,
    ),
  nodeFine: (version) => line(`Node ${version}`),
  nodeTooOld: (version) =>
    line(
      `Node ${version} 过旧`,
      '使用 Node 24：自行安装，或用 npm run 启动（会自动获取）',
      'Vercel → Settings → Build and Deployment → Node.js Version → 24.x',
    ),
  nodeUntried: (version) => line(`Node ${version} 比验证过的版本新`, '如有异常，请改用 Node 24'),
  limitUnset: () =>
    line('未设置 FUNCTION_MAX_DURATION_S：由平台决定一次调用的时长（vercel.json 为 300 秒）；自托管时没有限制'),
  limitFine: (seconds) => line(`一次调用最长 ${seconds} 秒`),
  limitShort: (seconds) =>
    line(
      `一次调用最长只有 ${seconds} 秒：多数回答会在中途接力`,
      '把 FUNCTION_MAX_DURATION_S 与 vercel.json 的 maxDuration 提高到 300',
      VARIABLES,
    ),
  limitAboveHobby: (seconds) =>
    line(
      `FUNCTION_MAX_DURATION_S 为 ${seconds}，而 Vercel Hobby 套餐最多 300 秒`,
      'Hobby 请设为 300 或不设；Pro 请同时提高 vercel.json 的 maxDuration',
      VARIABLES,
    ),
  limitAboveAll: (seconds) =>
    line(
      `FUNCTION_MAX_DURATION_S 为 ${seconds}，而 Vercel 最多 300 秒（Hobby）或 800 秒（Pro）`,
      '改为平台允许的值；自己的服务器上不要设置',
      VARIABLES,
    ),
  clockFine: (host) => line(`与 ${host} 一致`),
  clockUnknown: () => line('没有应答带有时间，未能比较'),
  clockOff: (minutes, isAhead) =>
    line(
      `本机时钟${isAhead ? '快' : '慢'} ${minutes} 分钟`,
      '校准时钟，最好用 NTP；相差超过一小时，所有消息都会被拒绝',
      '在本机，例如 timedatectl set-ntp true',
    ),
  clockWrong: (minutes, isAhead) =>
    line(
      `本机时钟${isAhead ? '快' : '慢'} ${minutes} 分钟：签名时间相差超过一小时会被拒绝`,
      '校准时钟，最好用 NTP',
      '在本机，例如 timedatectl set-ntp true',
    ),
  storeNone: () =>
    line(
      '没有：使用进程内存储，重启后全部丢失，也不能多实例运行',
      '创建 Upstash Redis 并设置 UPSTASH_REDIS_REST_URL 与 UPSTASH_REDIS_REST_TOKEN；在 Vercel 上必须有。自己的服务器可用 REDIS_URL',
      'Vercel → Storage → Upstash for Redis',
    ),
  storeFine: (host) => line(`${host}：可连接，脚本可运行、可写入`),
  storeTokenWrong: (host, status) =>
    line(
      `${host} 不接受该 token（${facts(status)}）`,
      '重新复制 UPSTASH_REDIS_REST_TOKEN（或 KV_REST_API_TOKEN）；它只对应这个地址',
      UPSTASH,
    ),
  storeReadOnly: (host) =>
    line(
      `${host}：该 token 或用户只读`,
      '请用可写的 token，不要用 Read-Only Token（KV_REST_API_READ_ONLY_TOKEN）；用 REDIS_URL 时，用户须能执行 EVAL、EVALSHA 和 SET',
      UPSTASH,
    ),
  storeUnreachable: (host, reason) =>
    line(`连不上 ${host}（${reason}）`, '检查 UPSTASH_REDIS_REST_URL；一个月未使用的数据库会被归档，需要恢复', UPSTASH),
  storeTcpUnreachable: (host) =>
    line(
      `REDIS_URL：${host} 不可用`,
      '检查主机、端口、用户名和密码、是否需要 rediss://（TLS）、防火墙，以及用户能否执行 EVAL 和 EVALSHA；需要 Redis 7 或 Valkey',
    ),
  storeForeign: (host, status) =>
    line(
      `${host} 的应答不是 Upstash（${facts(status)}）`,
      'UPSTASH_REDIS_REST_URL 是 REST API 下的 https 地址；redis:// 地址请填 REDIS_URL',
      UPSTASH,
    ),
  storeLoginWrong: (host, said) =>
    line(
      `REDIS_URL：${host} 不接受该用户名或密码（${said}）`,
      '检查 REDIS_URL 中的用户名和密码：redis://USER:PASSWORD@HOST:PORT；@、/ 等字符须使用百分号编码',
    ),
  storeUsedUp: (host, said) =>
    line(
      `${host}：套餐的请求次数已用完（${said}）`,
      '升级数据库的套餐，或等到下个月（按天计的套餐等到第二天）',
      UPSTASH,
    ),
  storeFull: (host, said) =>
    line(
      `${host} 已满，不再接受写入（${said}）`,
      '升级套餐，或删除其他程序存放的数据；自己的服务器请调大 maxmemory',
      UPSTASH,
    ),
  storeNotReady: (host, said) =>
    line(
      `${host} 可连接，但暂时拒绝请求（${said}）`,
      'LOADING、BUSY 会自行恢复；READONLY、MASTERDOWN：REDIS_URL 指向副本，请改用主节点；MISCONF：服务器无法写入磁盘；CROSSSLOT、MOVED：这是集群，不支持，请改用单个 Redis；max …：连接数过多',
    ),
  storeRefused: (host, status, code) =>
    line(`${host} 拒绝执行脚本（${facts(status, code)}）`, '请用支持 EVAL 的 Redis：Upstash、Redis 7、Valkey', UPSTASH),
  storeFast: (ms) => line(`从这里往返一次 ${ms} 毫秒`),
  storeSlow: (ms) =>
    line(
      `从这里往返一次 ${ms} 毫秒；每条消息在确认前都要等一次`,
      '把数据库和函数放在同一区域（vercel.json 的 regions，例如 sin1）；如果是在很远的机器上运行，此项不说明问题',
      'Upstash → 该数据库 → Region',
    ),
};
