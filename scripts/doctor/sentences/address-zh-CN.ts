import { facts, line } from './line.ts';
import type { addressEn } from './address-en.ts';

const HTTP_MODE = '开发者后台 open-dev.dingtalk.com → 应用开发 → 该应用 → 机器人 → 消息接收模式';
const PROTECTION = 'Vercel → 该项目 → Settings → Deployment Protection';
const VARIABLES = 'Vercel → 该项目 → Settings → Environment Variables，改后重新部署';
const DOMAINS = 'Vercel → 该项目 → Settings → Domains';
const NEVER_CALLED = (address: string) =>
  `（1）消息接收模式仍是默认的 Stream：改选 HTTP 模式。（2）消息接收地址应为 ${address}，并使用自己的域名。（3）在机器人页面点击“发布”，并在“版本管理与发布”里发布版本，提问的人要在“可用范围”内；群里只有 @ 机器人的消息才会送达`;

export const addressZh: typeof addressEn = {
  addressNone: () => line('没有可检查的公网地址：npm run doctor -- https://你的域名，或设置 PUBLIC_URL'),
  addressPrivate: (host) => line(`${host} 是本机或内网：钉钉访问不到`, '请给出部署的公网 https 地址'),
  addressHttp: (host) => line(`http://${host} 未加密；钉钉只接受 https，而签名不保护正文`, '改用 https://', HTTP_MODE),
  addressVercel: (host) =>
    line(
      `${host} 在中国大陆不可靠，而钉钉的服务器就在那里：*.vercel.app 被屏蔽，预览地址还有访问保护`,
      '给项目添加自己的域名，用于钉钉和 PUBLIC_URL',
      DOMAINS,
    ),
  addressUnknown: (host, reason) => line(`域名 ${host} 无法解析（${reason}）`, '检查拼写和域名的 DNS 记录', DOMAINS),
  addressUnreachable: (host, reason) =>
    line(`连不上 ${host}（${reason}）`, '检查函数是否在运行，以及端口、防火墙和代理'),
  addressCertificate: (host, reason) =>
    line(
      `${host} 没有有效的证书（${reason}）`,
      '更新证书，包含完整的证书链和该域名；在 Vercel 上请等域名验证完成',
      DOMAINS,
    ),
  addressProtected: (status) =>
    line(
      `部署受到访问保护：前面有人要求登录（${facts(status)}），而钉钉无法登录`,
      '给钉钉填生产域名，不要用预览地址；或关闭 Vercel Authentication 与 Password Protection',
      PROTECTION,
    ),
  addressFirewall: (status) =>
    line(
      `被 Vercel 的防火墙拦住（${facts(status)}）`,
      '为路径 /api/dingtalk 添加 bypass 规则；关闭 Attack Challenge Mode',
      'Vercel → 该项目 → Firewall',
    ),
  addressGuarded: (status, by) =>
    line(
      `部署前面的 ${by || '代理或防火墙'} 拒绝了请求（${facts(status)}），例如要求登录或验证浏览器；钉钉都无法通过`,
      '放行 /api/dingtalk：不要登录、质询、机器人检测或地址名单',
      by === '' ? '前面的代理或防火墙' : `${by} → 该域名 → Security`,
    ),
  addressRedirects: (host, status) =>
    line(
      `重定向到 ${host}（${facts(status)}）；钉钉不会跟随`,
      `在钉钉和 PUBLIC_URL 里改用 ${host}`,
      `${DOMAINS}；${HTTP_MODE} → 消息接收地址`,
    ),
  deploymentMissing: (host) =>
    line(`Vercel 在 ${host} 没有部署（HTTP 404, DEPLOYMENT_NOT_FOUND）`, '先部署，并确认域名属于该项目', DOMAINS),
  addressMisconfigured: (variables) =>
    line(
      `部署的配置不完整（HTTP 503）；那里缺失或格式不对的有：${variables.join('、')}`,
      '在 Production 环境设置这些变量并重新部署：修改只对新的部署生效',
      VARIABLES,
    ),
  robotUnknown: (path) =>
    line(
      `部署在 ${path} 没有机器人（HTTP 404）`,
      '把路径与部署的 BOTS 里的名称核对；/api/dingtalk 需要 DINGTALK_CLIENT_ID、DINGTALK_CLIENT_SECRET 和 DIFY_API_KEY',
      VARIABLES,
    ),
  robotNotHere: (name, known) =>
    line(
      `这里的配置没有名为 ${name} 的机器人；现有：${known.join('、') || '没有带名称的'}`,
      '与 BOTS 里的名称核对；除地址外均未检查',
    ),
  functionFailed: (status, code) =>
    line(`部署出错（${facts(status, code)}）`, '查看它的日志', 'Vercel → 该项目 → Logs'),
  proxyFailed: (status, by) =>
    line(
      `前面的 ${by || '代理'} 有应答，但它连不上函数（${facts(status)}）`,
      '确认函数在运行（看日志和健康检查），代理里的地址、端口和协议都正确',
      by === '' ? '代理自己的日志' : `${by} → 该域名 → DNS 与 SSL/TLS`,
    ),
  addressForeign: (host, status, code) =>
    line(
      `在 ${host} 应答的不是本函数（${facts(status, code)}）`,
      '检查域名和路径：函数在 /api/dingtalk 或 /api/dingtalk/NAME',
      DOMAINS,
    ),
  addressFine: (address) => line(`${address} 由本函数应答`),
  addressSlow: (ms) =>
    line(
      `接受后台的探测，但用了 ${ms} 毫秒；钉钉约 2 秒后放弃`,
      '把函数放在离中国近的区域（vercel.json 的 regions：sin1 或 hnd1），数据库放在旁边',
    ),
  probeFine: (ms) => line(`接受后台的探测，用时 ${ms} 毫秒`),
  probeRefused: (status) =>
    line(
      `空的 POST（后台保存地址时发送）被拒绝（${facts(status)}）`,
      '让 POST 连同请求头到达函数；前面有防火墙或代理',
      'Vercel → 该项目 → Firewall',
    ),
  headersDropped: () =>
    line('请求头 timestamp 和 sign 到不了函数：每条消息都会被拒绝（HTTP 401）', '让前面的代理原样传递所有请求头'),
  signatureChecked: () => line('签名错误的请求会被拒绝'),
  signatureUnchecked: (status) =>
    line(
      `签名错误的请求没有以 401 拒绝（${facts(status)}）`,
      '确认地址就是本函数，且代理传递 timestamp 和 sign 请求头',
    ),
  sameSecret: () => line('部署接受用这里的密钥签名的消息（它不属于任何机器人，所以没有人收到回答）'),
  otherSecret: () =>
    line(
      '部署拒绝用这里的密钥签名的消息（HTTP 401）：那里的 DINGTALK_CLIENT_SECRET 不同',
      '在那里设置相同的密钥并重新部署；或者这个地址属于另一个机器人',
      VARIABLES,
    ),
  oldSecretThere: () =>
    line('部署只有这里两个密钥中的旧密钥', '在那里也设为 new,old 并重新部署，要赶在钉钉改用新密钥签名之前', VARIABLES),
  deployedClock: () =>
    line(
      '部署与这里的时钟相差超过一小时（HTTP 401）',
      '校准不准的那一个：本机，或自己的服务器',
      '例如 timedatectl set-ntp true',
    ),
  messageRefused: (status) =>
    line(`签名的消息被拒绝（${facts(status)}）`, '部署与这里相同的版本', 'Vercel → 该项目 → Deployments'),
  callbacksArrive: (time) => line(`钉钉上次调用是在 ${time}`),
  callbacksNever: (address) => line('钉钉从未调用过这个机器人', NEVER_CALLED(address), HTTP_MODE),
  callbacksUnknown: (address) =>
    line(`没有 CRON_SECRET，无法得知钉钉是否调用过。如果收不到消息：${NEVER_CALLED(address)}`),
  statusClosed: () =>
    line('部署不接受这里的 CRON_SECRET 访问 ?status（HTTP 401）', '在那里设置相同的 CRON_SECRET 并重新部署', VARIABLES),
  statusUnclear: (status) =>
    line(`从 ?status 看不出钉钉上次调用的时间（${facts(status)}）`, '部署与这里相同的版本；如果相同，请检查它的存储'),
};
