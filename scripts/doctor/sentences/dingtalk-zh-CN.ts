import type { Scope } from '../scope.ts';
import { facts, line } from './line.ts';
import type { dingtalkEn } from './dingtalk-en.ts';

const CONSOLE = '开发者后台 open-dev.dingtalk.com → 应用开发 → 该应用';
const CREDENTIALS = `${CONSOLE} → 凭证与基础信息`;
const TEMPLATE = '卡片平台 open-dev.dingtalk.com/fe/card → 该模板';
const USES: Readonly<Record<Scope, string>> = {
  'Card.Instance.Write': '创建和更新卡片及其按钮',
  'Card.Streaming.Write': '卡片流式更新',
  qyapi_robot_sendmsg: '下载用户发来的文件，以及会话过期后发消息',
  qyapi_base: '上传回答里的图片和文件；应用默认已有',
};

export const dingtalkZh: typeof dingtalkEn = {
  tokenFine: (clientId) => line(`钉钉给 ${clientId} 发放了访问凭证`),
  secretsRotating: (valid) => line(`设置了两个密钥，钉钉接受其中 ${valid} 个；轮换完成后请删除旧的`),
  credentials: (status, code) =>
    line(
      `钉钉不认识这一对 Client ID 与 Client Secret（${facts(status, code)}）`,
      '从同一个应用重新复制 DINGTALK_CLIENT_ID 和 DINGTALK_CLIENT_SECRET；重置密钥后旧的即失效',
      CREDENTIALS,
    ),
  ipRefused: (status, code) =>
    line(
      `钉钉拒绝了本机的出口 IP（${facts(status, code)}）`,
      '清空“服务器出口IP”：Serverless 函数没有固定 IP',
      `${CONSOLE} → 安全设置 → 服务器出口IP`,
    ),
  monthUsedUp: (status, code) =>
    line(
      `本组织当月的钉钉 API 调用量已用完（${facts(status, code)}）`,
      '等到下月，或购买增量；设置 DINGTALK_MONTHLY_CALLS（标准版 5000）以便平稳降级，并设 STREAMING=thrifty',
    ),
  dingtalkBusy: (status, code) =>
    line(`钉钉限制了每秒调用次数（${facts(status, code)}）`, '一分钟后重试；如果回答时也出现，请调低 DINGTALK_QPS'),
  dingtalkUnreachable: (host, reason) =>
    line(`连不上 ${host}（${reason}）`, '检查网络、代理或防火墙，以及 DINGTALK_API_URL'),
  dingtalkRefused: (status, code) =>
    line(
      `钉钉拒绝了调用（${facts(status, code)}）`,
      '在钉钉的错误码列表中查询该代码；检查 DINGTALK_API_URL',
      'open.dingtalk.com → 服务端API → 全局错误码',
    ),
  streamFine: (host) => line(`钉钉可以建立 Stream 连接，地址是 ${host}`),
  streamRefused: (status, code) =>
    line(
      `钉钉没有给出 Stream 连接（${facts(status, code)}）`,
      '把机器人的消息接收模式设为 Stream 模式，并发布应用',
      `${CONSOLE} → 机器人 → 消息接收模式`,
    ),
  streamUnreachable: (host, reason) =>
    line(
      `钉钉给出的 Stream 地址 ${host} 连不上（${reason}）`,
      `允许本机以 WebSocket 访问 ${host} 的 443 端口；这个域名可能会变，建议放行 *.dingtalk.com`,
    ),
  streamOnVercel: () =>
    line(
      'DINGTALK_CONNECTION=stream 不能用在 Vercel 上：函数处理完请求就结束，无法保持连接',
      '设为 DINGTALK_CONNECTION=http，或者在自己的机器上运行 npm run serve',
    ),
  permissionGranted: (scope) => line(`${scope}：已开通`),
  permissionMissing: (scope) =>
    line(`${scope} 未开通；它用于：${USES[scope]}`, `搜索 ${scope}，点击“立即开通”`, `${CONSOLE} → 权限管理`),
  permissionUnclear: (scope, status, code) =>
    line(`${scope}：从钉钉的应答看不出来（${facts(status, code)}）`, '一分钟后重试'),
  noTemplate: () => line('未设置 DINGTALK_CARD_TEMPLATE_ID：回答以 Markdown 消息发送，没有流式效果'),
  templateUnproved: (robot) =>
    line(
      `未验证：只有真正发一张卡片才能知道模板是否存在、已发布、变量正确。约消耗当月 7 次调用：npm run doctor -- --card 员工ID${robot === null ? '' : ` --robot ${robot}`}（对机器人发 /id 可看到自己的员工 ID）`,
    ),
  templateMissing: (id, code) =>
    line(
      `钉钉没有属于该应用的模板 ${id}（${code}）`,
      '把模板 ID（….schema）填入 DINGTALK_CARD_TEMPLATE_ID，并确认模板的“关联应用”是本应用',
      '卡片平台 open-dev.dingtalk.com/fe/card → 模板列表',
    ),
  templateUnpublished: (id, code) => line(`模板 ${id} 未发布（${code}）`, '打开模板并点击“发布”', `${TEMPLATE} → 发布`),
  cardPerson: () =>
    line(
      '卡片没有送达此人',
      '检查员工 ID（不是姓名或手机号）、此人是否在已发布版本的“可用范围”内，以及 DINGTALK_ROBOT_CODE',
      `${CONSOLE} → 版本管理与发布`,
    ),
  cardRobotCode: (status, code) =>
    line(
      `钉钉不接受该 robotCode（${facts(status, code)}）`,
      '不要设置 DINGTALK_ROBOT_CODE，或从机器人页面复制',
      `${CONSOLE} → 机器人`,
    ),
  cardVariable: (key, status, code) =>
    line(
      `模板里没有名为 ${key} 的流式变量（${facts(status, code)}）；这就是常见的“500 unknownError”。对方会看到一张空白卡片`,
      `在“输入中”选中 Markdown 组件，打开“流式组件”并绑定变量 ${key}；或把 DINGTALK_CARD_CONTENT_KEY 设为该变量的名称。然后保存、发布`,
      `${TEMPLATE} → 输入中`,
    ),
  cardShown: (key) => line(`模板、变量 ${key}、流式更新与最后一帧均正常：对方看到一张已完成的测试卡片`),
  cardParts: () =>
    line(
      '已设置模板的各个变量；模板显示了什么，只有收卡片的人看得到。第一张卡片依次是：“输入中”有“测试的问题”（question）和“停止”；“完成”为整行宽度（config），有“测试的应用”（app）、“有用”“没用”“新会话”和“复制”；4 秒后有两个推荐问题（suggestions）、已选“没用”（like_status）、四个原因和一个输入框（ask_reason）、一句提示（notice）；再过 4 秒，这些换成“测试的人”（waiting_for）、“测试的字段”（form_fields）和“测试的操作”（form_actions）。第二张卡片有“重试”。测试卡片上的按钮不起作用。搭建模板时没有做的部分不会出现',
    ),
  failedStateFine: () => line('失败状态正常：对方看到第二张测试卡片，显示为失败'),
  failedStateOff: (status, code) =>
    line(
      `模板没有启用失败状态（${facts(status, code)}）：失败的回答会显示为完成。对方看到第二张已完成的测试卡片`,
      '选中 AI 卡片组件，启用“失败”状态，放入 Markdown 组件，保存，发布',
      `${TEMPLATE} → AI卡片 → 状态`,
    ),
  callbackUnneeded: () => line('没有模板，就没有按钮'),
  callbackNotTried: () => line('未尝试：PUBLIC_URL 不是所检查的公网地址。函数会在发第一张卡片前自行注册'),
  callbackRegistered: (host) => line(`钉钉把按钮的点击发送到 ${host}`),
  callbackRefused: (status, code) =>
    line(
      `钉钉没有注册按钮的回调地址（${facts(status, code)}）；卡片将不带回调发出`,
      '确认已开通 Card.Instance.Write，且 PUBLIC_URL 在中国大陆可访问',
      `${CONSOLE} → 权限管理`,
    ),
};
