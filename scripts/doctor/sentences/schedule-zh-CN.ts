import { facts, line } from './line.ts';
import type { scheduleEn } from './schedule-en.ts';

const VARIABLES = '.env；或 Vercel → Settings → Environment Variables，改后重新部署';
const QSTASH = 'console.upstash.com → QStash → Quickstart';
const SCHEDULES = 'console.upstash.com → QStash → Schedules';
const ROBOT = '开发者后台 open-dev.dingtalk.com → 应用开发 → 该应用 → 机器人 → 消息接收模式';
const FIX = '运行 npm run doctor -- --fix 即可改正';

export const scheduleZh: typeof scheduleEn = {
  scheduleUnknown: () => line('未设置 QSTASH_TOKEN，没有查找 QStash 的定时任务。npm run serve 会自行补完，不需要它'),
  cronSecretMissing: () =>
    line(
      '未设置 CRON_SECRET：?sweep 会拒绝所有请求（HTTP 401），任何定时任务都无法补完中断的回答',
      '把 CRON_SECRET 设为一长串随机字符，这里和部署中都要设置，然后重新部署',
      VARIABLES,
    ),
  scheduleNowhere: (host) =>
    line(`PUBLIC_URL 指向 ${host}，QStash 无法访问`, '把 PUBLIC_URL 设为部署的公网 https 地址', VARIABLES),
  scheduleMissing: (host) =>
    line(
      `QStash 上没有调用 ${host} 补偿任务的定时任务`,
      '运行 npm run doctor -- --fix 即可创建：每两分钟一次，每天用掉 1000 条免费消息中的 720 条',
      SCHEDULES,
    ),
  scheduleElsewhere: (found, host) =>
    line(`定时任务调用的是另一个地址（${found}），而不是 ${host} 的补偿任务`, FIX, SCHEDULES),
  scheduleMethod: (method) => line(`定时任务使用 ${method}，而补偿任务只接受 GET`, FIX, SCHEDULES),
  scheduleRare: (cron) => line(`定时任务间隔过长（${cron}）：中断的回答要等这么久`, FIX, SCHEDULES),
  scheduleSecret: (isMissing) =>
    line(
      isMissing
        ? '定时任务没有带上 CRON_SECRET，补偿任务会拒绝它（HTTP 401）'
        : '定时任务带的是另一个 CRON_SECRET，补偿任务会拒绝它（HTTP 401）',
      FIX,
      SCHEDULES,
    ),
  schedulePaused: () => line('定时任务已暂停', '请恢复运行', SCHEDULES),
  scheduleTwice: (count) =>
    line(
      `有 ${count} 个定时任务调用同一个补偿任务，加起来会用完每天 1000 条免费消息`,
      '只保留一个，其余删除',
      SCHEDULES,
    ),
  scheduleStopped: (last) =>
    line(
      last === null ? '定时任务从未运行' : `定时任务已不再运行：最后一次是 ${last}`,
      '查看当天的消息是否已用完；次数每天重新计算',
      'console.upstash.com → QStash → Usage',
    ),
  scheduleFails: (last) =>
    line(
      `定时任务在运行${last === null ? '' : `（最近一次 ${last}）`}，但补偿任务拒绝了请求或出错`,
      '这里与部署中设置相同的 CRON_SECRET，再运行 npm run doctor -- --fix；QStash 的日志里有状态码',
      'console.upstash.com → QStash → Logs',
    ),
  scheduleNew: () => line('定时任务已创建，尚未运行'),
  scheduleRuns: (last) => line(`定时任务在调用补偿任务，最近一次是 ${last}`),
  scheduleMade: (host, isUpdate) =>
    line(`${isUpdate ? '已改正' : '已创建'}：定时任务每两分钟调用一次 ${host} 的补偿任务`),
  qstashToken: (host, status) =>
    line(
      `${host} 不接受 QSTASH_TOKEN（${facts(status)}）`,
      '重新复制 QSTASH_TOKEN，并同时复制 QSTASH_URL：每个区域有各自的 token',
      QSTASH,
    ),
  qstashReadOnly: (host, status) =>
    line(`${host}：QSTASH_TOKEN 只读（${facts(status)}）`, '请用可写的 token，不要用 Read-only token', QSTASH),
  qstashUnreachable: (host, reason) =>
    line(`连不上 ${host}（${reason}）`, '检查网络、代理或防火墙，以及 QSTASH_URL', QSTASH),
  qstashRefused: (host, status) =>
    line(
      `${host} 没有执行请求（${facts(status)}）`,
      '检查 QSTASH_URL，以及套餐允许的定时任务数量（免费版 10 个），然后重新检查',
      SCHEDULES,
    ),
  sweepComes: (time) => line(`补偿任务最近一次运行是 ${time}`),
  sweepRare: (time) =>
    line(
      `补偿任务${time === null ? '从未运行' : `最近一次运行是 ${time}`}：函数被终止后，未完成的回答要等到下一个问题或每天一次的定时任务；过期的表单也一样`,
      '设置 QSTASH_TOKEN 并运行 npm run doctor -- --fix；Vercel 付费套餐也可以把 vercel.json 里的 cron 改为每分钟一次',
      QSTASH,
    ),
  callbacksElsewhere: (door, connection) =>
    line(
      `最近一次回调来自 ${door}，而这里的 DINGTALK_CONNECTION 是 ${connection}`,
      '这里的 DINGTALK_CONNECTION 要与机器人运行处一致，并在后台选择对应的消息接收模式',
      VARIABLES,
    ),
  functionClockOff: (minutes, isAhead) =>
    line(
      `最近一次回调时，函数所在机器的时钟比钉钉${isAhead ? '快' : '慢'} ${minutes} 分钟`,
      '校准那台机器的时钟，最好用 NTP；相差超过一小时，所有消息都会被拒绝',
      '在函数所在的服务器，例如 timedatectl set-ntp true',
    ),
  consoleUnknown: () =>
    line('未读取机器人的消息接收模式和地址：只有钉钉的 dws 能读取，且需该应用的开发者登录（dws auth login）'),
  consoleFine: (mode) => line(`机器人已启用，模式为 ${mode}，地址正确`),
  robotOffline: (status) => line(`机器人未启用（${status}）`, '请启用并发布版本', ROBOT),
  modeDiffers: (mode, connection) =>
    line(
      `机器人的模式是 ${mode || '未设置'}，而 DINGTALK_CONNECTION 是 ${connection}：消息不会到这里`,
      `消息接收模式选择 ${connection === 'stream' ? 'Stream 模式' : 'HTTP 模式'}并发布版本，或修改 DINGTALK_CONNECTION`,
      ROBOT,
    ),
  consoleAddress: (found, expected) =>
    line(
      found === '' ? `钉钉没有消息接收地址，应为 ${expected}` : `钉钉把消息发到 ${found}，而不是 ${expected}`,
      `把消息接收地址改为 ${expected} 并发布版本`,
      ROBOT,
    ),
  streamNever: () =>
    line(
      '从未通过 Stream 连接收到消息',
      '启动 npm run serve，为机器人选择 Stream 模式并发布版本，提问者须在可用范围内；群里只有 @ 机器人的消息会送达',
      ROBOT,
    ),
  callbackUntried: () =>
    line('函数会在第一张卡片之前自动注册按钮回调地址；npm run doctor -- --fix 会立即注册，并显示钉钉是否接受'),
};
