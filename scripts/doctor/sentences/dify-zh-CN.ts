import { facts, line } from './line.ts';
import type { difyEn } from './dify-en.ts';

const KEY = 'Dify → 该应用 → 访问 API → API 密钥';

export const difyZh: typeof difyEn = {
  difyReached: (host) => line(`${host} 可用，密钥属于一个已发布的应用`),
  difyPrivate: (host) => line(`${host} 在内网：Vercel 上的函数访问不到，部署在同一网络的可以`),
  difyUnreachable: (host, reason) =>
    line(`连不上 ${host}（${reason}）`, '检查 DIFY_API_URL、DNS、TLS 和防火墙；从函数运行的地方必须能访问 Dify'),
  difyRedirects: (host, status) =>
    line(
      `DIFY_API_URL 重定向到 ${host}（${facts(status)}）；密钥不会随之发送`,
      '把 DIFY_API_URL 改为重定向后的地址，包括 https://',
      'Dify → 该应用 → 访问 API',
    ),
  difyWithoutV1: (status) =>
    line(
      `DIFY_API_URL 处没有 API（${facts(status)}），但它的 /v1 下有`,
      '在 DIFY_API_URL 末尾加上 /v1',
      'Dify → 该应用 → 访问 API',
    ),
  difyPage: (host, status) =>
    line(
      `${host} 返回的不是 Dify 的 API，例如网页（${facts(status)}）`,
      '把 DIFY_API_URL 设为“访问 API”页的地址，而不是 WebApp 或控制台的地址：https://api.dify.ai/v1 或 https://你的主机/v1',
      'Dify → 该应用 → 访问 API',
    ),
  difyKeyWrong: (status, code) =>
    line(`Dify 不接受该密钥（${facts(status, code)}）`, '在同一个 Dify 里创建密钥，填入 DIFY_API_KEY', KEY),
  difyForbidden: (status, code) =>
    line(
      `应用未开放 API（${facts(status, code)}）`,
      '打开应用的 API 服务；确认应用和工作空间没有归档',
      'Dify → 该应用 → 监测 → 后端服务 API',
    ),
  difyUnpublished: (status, code) =>
    line(`应用未发布，或配置有误（${facts(status, code)}）`, '在 Dify 里打开应用并点击“发布”', 'Dify → 该应用 → 发布'),
  difyBusy: (status, code) => line(`Dify 达到了限额（${facts(status, code)}）`, '稍后重试；提高套餐或服务器的限额'),
  difyServerError: (host, status, code) =>
    line(`${host} 出错（${facts(status, code)}）`, '查看 Dify 的日志和它前面的代理'),
  difyVersion: (version) => line(`Dify 版本为 ${version}`),
  difyVersionHidden: () => line('看不到 Dify 的版本：它前面的代理可能去掉了响应头 X-Version'),
  difyRunsDie: () =>
    line(
      'Dify 1.9.2 之前，连接一断，工作流和对话流就中止：超过函数时限的回答，或函数意外结束时正在写的回答，都无法恢复',
      '把 Dify 升级到 1.9.2 或更高版本',
    ),
  difyNoForms: () => line('Dify 1.14 之前，工作流和对话流的表单无法在聊天中处理'),
  difyTypeFine: (type) => line(`应用类型为 ${type}`),
  difyTypeUnknown: () =>
    line('该 Dify 不提供应用类型（1.4 之前）', '把 DIFY_APP_TYPE 设为 chat、agent、chatflow、workflow 或 completion'),
  difyTypeAssumed: (type) => line(`按 DIFY_APP_TYPE 视为 ${type}；该 Dify 不提供应用类型`),
  difyTypeDiffers: (set, told) =>
    line(`DIFY_APP_TYPE 为 ${set}，而应用是 ${told}`, `不要设置 DIFY_APP_TYPE，或设为 ${told}`),
  difyOneRequest: () =>
    line(
      '这类应用的并发上限（max_active_requests）若为 1，每个问题都会被拒绝：Dify 会把流式请求计两次。请留空，或设为 2 以上',
    ),
  difyQuestion: (name) => line(`问题填入变量 ${name}`),
  difyNoQuestion: (configured, texts) =>
    line(
      `没有变量接收问题：没有 ${configured}，文本变量有：${texts.join('、') || '无'}`,
      texts.length > 0 ? '把 DIFY_QUERY_INPUT 设为接收问题的变量' : `在开始节点添加名为 ${configured} 的文本变量并发布`,
      'Dify → 该应用 → 开始 → 输入字段',
    ),
  difyInputsEmpty: (names) =>
    line(
      `没有人填写必填变量 ${names.join('、')}：每个问题都会被拒绝`,
      '在 DIFY_INPUTS 里填写，例如 {"变量名":"值"}；或改为选填，或给出默认值',
      'Dify → 该应用 → 开始 → 输入字段（变量）',
    ),
  difyInputWrong: (label) =>
    line(
      `DIFY_INPUTS 中有变量 ${label} 不接受的值：每个问题都会被拒绝`,
      '请遵守该变量的最大长度、选项和类型',
      'Dify → 该应用 → 开始 → 输入字段',
    ),
  difyInputsUnknown: (names) => line(`DIFY_INPUTS 填写了应用没有的 ${names.join('、')}；Dify 会丢弃`),
  difyFilesRequired: (names) =>
    line(
      `变量 ${names.join('、')} 必须有文件：不带文件的问题会被拒绝`,
      '改为选填，除非每个问题都带文件',
      'Dify → 该应用 → 开始 → 输入字段',
    ),
  difyInputsFine: (count) => line(count === 0 ? '没有必填的变量' : `共 ${count} 个变量，没有遗漏`),
  filesTaken: (kinds, most) =>
    line(kinds.length > 0 ? `随问题发送文件：${kinds.join('、')}，最多 ${most} 个` : '文件填入应用的变量'),
  filesNotTaken: () => line('文件：应用不接受。如需打开：Dify → 该应用 → 功能 → 文件上传'),
  speechTaken: () => line('语音：由 Dify 转成文字'),
  speechNotTaken: () => line('语音：使用钉钉自己的识别结果。如需改变：Dify → 该应用 → 功能 → 语音转文字'),
  opening: () => line('开场白：在第一次回答前显示'),
  noOpening: () => line('开场白：无'),
  sourcesShown: () => line('引用和归属：回答会列出所依据的文档'),
  sourcesNotShown: () => line('引用和归属：关闭。如需打开：Dify → 该应用 → 功能 → 引用和归属'),
  suggestions: () => line('下一步问题建议：打开'),
  noSuggestions: () => line('下一步问题建议：关闭。如需打开：Dify → 该应用 → 功能 → 下一步问题建议'),
  filesFine: (host) => line(`${host} 的 /files 可用`),
  filesUnreachable: (host, reason) =>
    line(
      `连不上 ${host}（${reason}）：取不到回答里的文件和图片`,
      '把 DIFY_FILES_URL 设为提供 /files 的地址（Dify 的 FILES_URL）',
    ),
  filesRedirect: (host, target) =>
    line(`${host} 把 /files 重定向到 ${target}，不会跟随`, '把 DIFY_FILES_URL 改为重定向后的地址'),
  filesForeign: (host, status) =>
    line(
      `${host} 的 /files 有应答，但不是 Dify（${facts(status)}）`,
      '把 DIFY_FILES_URL 设为提供 /files 的地址；让代理把 /files 转给 Dify 的 API',
    ),
};
