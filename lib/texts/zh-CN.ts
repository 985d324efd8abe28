import { form, kindsOf } from './form-zh-CN.ts';
import type { Texts } from './texts.ts';

/** What a message holds and could not be fetched. */
const LEFT_OUT_WORDS: Readonly<Record<string, (count: number) => string>> = {
  picture: (count) => `${count} 张图片`,
  audio: (count) => `${count} 段语音`,
  video: (count) => `${count} 段视频`,
  file: (count) => `${count} 个文件`,
  record: (count) => `${count} 段合并的聊天记录`,
  message: (count) => `${count} 条消息`,
};

/** A time from now, rounded up, so that it is not too early. */
function within(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1_000));
  if (seconds < 60) return `${seconds} 秒`;
  if (seconds < 7_200) return `${Math.ceil(seconds / 60)} 分钟`;
  if (seconds < 172_800) return `${Math.ceil(seconds / 3_600)} 小时`;
  return `${Math.ceil(seconds / 86_400)} 天`;
}

export const zhCN: Texts = {
  help: [
    '**可以直接提问，也可以发送这些指令：**',
    '',
    '- `/new` 或 **新会话**：开始新的会话，不再使用上文',
    '- `/stop` 或 **停止**：停止正在生成的回答，并放弃排队中的问题',
    '- `/help` 或 **帮助**：显示这段说明',
    '- `/id`：显示你的员工 ID 和会话 ID，供管理员配置权限',
    '',
    '单聊里可以先发图片或文件，再用下一句话提问。在群里请先 @我 再提问。要问群里的文件，请引用那个文件并 @我，或在发送文件的同一条消息里 @我。',
  ].join('\n'),
  newConversation: '已开始新会话，不再使用之前的上文。请直接提问。',
  heldDropped: (count) => `之前发来、还没有提问的 ${count} 个文件也不再保留。`,
  ids: ({ staffId, chatId, isGroup }) =>
    [
      `- 员工 ID：${staffId ? `\`${staffId}\`` : '无（外部成员，或应用尚未发布）'}`,
      `- ${isGroup ? '群' : '单聊'}会话 ID：\`${chatId}\``,
    ].join('\n'),
  emptyQuestion: '没有看到问题内容。请写下你的问题（群里请先 @我），或发送“帮助”查看用法。',
  askAbout: {
    picture: '请看这张图片。',
    audio: '请听这段语音。',
    video: '请看这段视频。',
    file: '请阅读这个文件。',
    record: '请看这段聊天记录。',
  },
  askAboutAll: '请看这些文件。',
  held: ({ pictures, videos, files }, link) => {
    const counted = [
      ...(pictures > 0 ? [`${pictures} 张图片`] : []),
      ...(videos > 0 ? [`${videos} 段视频`] : []),
      ...(files > 0 ? [`${files} 个文件`] : []),
    ];
    return `收到 ${counted.join('、')}。想了解什么？请直接提问，或点「${link}」`;
  },
  look: '看看这个',
  mostHeld: (most, link) => `最多先保留 ${most} 个文件，超出的没有保留。请先就这些文件提问，或点「${link}」`,
  nothingHeld: '没有等待提问的文件：可能已经问过，或超过了 15 分钟。请重新发送文件。',
  unsupported: '我还不能处理这种消息。请用文字提问。',
  sharedDocument: '我无法打开钉钉文档。请下载后把文件发给我，或复制其中的文字再提问。',
  quoteProblems: {
    unread: '（没能读取引用的消息。请复制其中的内容再问。）',
    file: '（没能取到引用的文件：钉钉没有提供它。请在单聊里把文件发给我，或在群里发送文件的同一条消息里 @我。）',
    document: '（我无法打开引用的钉钉文档。请下载后把文件发给我，或复制其中的文字再问。）',
    record: '（没能读取转发的聊天记录。请复制其中的内容再问。）',
  },
  leftOutOfMessage: (leftOut) =>
    `（没能取到：${Object.entries(leftOut)
      .map(([kind, count]) => LEFT_OUT_WORDS[kind]?.(count) ?? '')
      .join('、')}。需要的话请单独发给我。）`,
  refused: '你没有使用这个机器人的权限。请联系管理员。发送 /id（群里请 @我）可以查看要提供给管理员的 ID。',
  emptyAnswer: '（这次没有生成任何内容，请换个说法再问一次。）',
  emptyRun: '（已执行完成，没有文字结果。）',
  conversationGone: '（之前的对话已不存在，从这次回答起是新的对话。）',
  stopped: '（已停止）',
  paused: '（流程正在等待人工处理，处理完成后才会继续。）',
  incomplete: (reference) =>
    `⚠️ 连接中断，以上内容可能不完整。可以再问一次；若反复出现，请把编号 ${reference} 告诉管理员。`,
  continuesBelow: '（内容较长，其余部分见下方消息）',
  answeredBelow: '（回答见下方消息）',
  leftOut: (characters) => `（还有 ${characters} 个字符未显示。可以请我分段回答，或缩小问题范围。）`,
  unsafe: '（这次的回答没有通过钉钉的内容检查，无法显示。请换个说法再问。）',
  sources: (documents) =>
    `**引用**：${documents.map(({ name, passages }) => `《${name}》${passages > 1 ? `（${passages} 处）` : ''}`).join('、')}`,
  progress: {
    node: (name) => `⏳ 正在执行：${name}`,
    tool: (name, labels) => `🔧 正在使用工具：${labels?.zh ?? name}`,
    queued: '⏳ AI 服务正忙，问题已在那里排队，轮到后会在这里回答。',
    writing: '✍️ 正在写回答。',
    unseen: '⏳ AI 应用正在处理，目前看不到它的步骤，完成后会在这里回答。',
    thinking: '💭 正在思考…',
  },
  form,
  thinking: '思考过程',
  continuing: '⏳ 还在生成，完成后会更新到这里……',
  queued: (place) => `⏳ 已收到。前面还有 ${place} 个问题，轮到后会在这里回答。`,
  working: (question) => `⏳ 正在处理“${question}”，完成后会在这里回答。`,
  stillWorking: (question) => `⏳ “${question}”还在处理中。`,
  answered: (question) => `✅ 你的问题“${question}”已回答，请看上面的卡片。`,
  notAnswered: (question) => `⚠️ 你的问题“${question}”没能完整回答，原因和处理办法请看上面的卡片。`,
  aiLabel: '内容由 AI 生成',
  monthReached: (percent) =>
    `本月钉钉接口调用已用到 ${percent}%。${percent >= 100 ? '从现在起回答以普通消息发出，下月自动恢复。' : percent >= 95 ? '从现在起卡片只更新一次。' : '从现在起卡片更新会减少。'}`,
  rateLimited: (questions, againInMs) => `你已达到 ${questions} 个问题的上限，${within(againInMs)}后可以再问。`,
  queueFull:
    '等待的问题太多了（最多 5 个），请等前面的回答完成后再问。发送“停止”（群里请 @我）可以放弃正在生成的回答和等待中的问题。',
  stop: '⏹ 停止',
  stopWord: '停止',
  stopByWord: '如需停止，请 @我 并发送“停止”。',
  stopping: '正在停止。',
  nothingToStop: '现在没有正在生成的回答。',
  notices: {
    received: '已收到。',
    stopRequested: '已收到停止请求。',
    already: '已经处理过了。',
    notYours: '只有提问的人可以操作这个按钮。',
    notYet: '回答还没有完成。',
    cardUnknown: '这张卡片太旧了，请重新提问。',
    unknownButton: '这个按钮没有可执行的操作，请联系管理员检查卡片模板。',
    retryExpired: '这个问题已不在记录中，请重新提问。',
    noFeedback: '这个 AI 应用不支持评价。',
    notRated: '评价没有提交成功，请稍后再试。',
    rated: (rating) => (rating === null ? '已取消评价。' : '感谢你的评价。'),
  },
  reference: (reference) => `编号 ${reference}`,
  failures: {
    dify_unreachable: '暂时连不上 AI 服务，请稍后再试。若持续出现，请联系管理员检查 Dify 地址与网络。',
    dify_timeout: 'AI 服务长时间没有响应，请稍后再试。',
    dify_unauthorized: 'AI 应用的密钥无效，请联系管理员更新 Dify API 密钥。',
    dify_forbidden: 'AI 应用已停用或未开放 API，请联系管理员在 Dify 中启用。',
    dify_busy: '现在提问的人太多，请一分钟后再试。',
    dify_quota: 'AI 服务的额度已用完，请联系管理员。',
    dify_model_not_ready: 'AI 应用的模型尚未配置好，请联系管理员在 Dify 中检查模型设置。',
    dify_model_failed: '模型调用失败，请稍后再试；若持续出现，请联系管理员检查模型供应商。',
    dify_model_busy: '模型服务现在很忙，请一分钟后再试。',
    dify_model_account: '模型服务的密钥无效或余额不足，请联系管理员。',
    dify_model_cut: '模型在回答中途断开了，以上内容不完整。可以再问一次；若持续出现，请联系管理员检查模型供应商。',
    dify_context_too_long: '内容超出了模型能处理的长度。请发送“新会话”（群里请 @我）后重新提问，或缩短问题再问。',
    dify_content_refused: '模型服务拒绝了这次的内容，请换个说法再问。',
    dify_rejected: 'AI 应用没有接受这个问题，请换个说法再试；若持续出现，请联系管理员。',
    dify_input_missing: 'AI 应用缺少必填的输入，请联系管理员补全 DIFY_INPUTS。',
    dify_input_invalid: 'AI 应用不接受某个输入的内容，请联系管理员检查 DIFY_INPUTS。',
    dify_app_unavailable: 'AI 应用还不能使用，请联系管理员检查它在 Dify 中的配置和发布状态。',
    dify_server_error: 'AI 服务内部出错，请稍后再试；若持续出现，请联系管理员检查应用的模型设置和 Dify 的日志。',
    dify_run_failed: '流程运行失败，请稍后再试；若持续出现，请联系管理员查看 Dify 的运行日志。',
    dify_not_a_stream: 'AI 服务返回了无法识别的内容，请联系管理员检查 Dify 地址。',
    dify_not_started:
      'AI 服务一直没有开始处理这个问题，请稍后再试；若持续出现，请联系管理员检查 Dify 的后台任务（worker）。',
    dify_stalled: 'AI 服务中途停止了响应，请稍后再试。',
    dify_cut: 'AI 服务的连接中断，没有收到回答，请再问一次。',
    out_of_time: '这个问题的处理时间超出了限制，请缩小问题范围后再试。',
    interrupted: '服务正在重启，回答没有写完。请一分钟后再问一次。',
    answer_lost: '生成回答时服务中断了，没有拿到结果。请再问一次。',
    file_not_accepted: '这个 AI 应用不接受这种文件，请改用文字提问。',
    file_too_large: '文件太大了，请压缩或拆分后再发。',
    file_wrong_type: '文件的内容与它的类型不符，请用正确的格式保存后再发。',
    file_unavailable: '没能从钉钉取到这个文件，请再发一次。',
    file_expired: '之前发来的文件已失效，这次没有用到。如需使用，请重新发送文件后再问。',
    file_address_refused: '没能取到这个文件，请再发一次；若持续出现，请联系管理员。',
    file_upload_failed: 'AI 服务没有收下这个文件，请稍后再试，或换一种格式。',
    speech_unclear: '这条语音没有识别出文字。请再说一遍，或改用文字提问。',
    form_closed: '这张表单已经处理过了，不需要再提交。',
    form_expired: '这张表单已过期，请重新提问。',
    form_invalid: '表单没有填写完整或格式不对，请按提示再填一次。',
    store_unavailable: '暂时无法更新会话记录，请稍后再试。',
    internal: '处理时出现了意外问题，请再试一次。',
  },
  toldAdmins: {
    dify_quota: 'AI 服务的额度已用完，暂时不能回答。已通知管理员。',
    dify_model_not_ready: 'AI 应用的模型尚未配置好，暂时不能回答。已通知管理员。',
    dify_model_account: '模型服务的密钥无效或余额不足，暂时不能回答。已通知管理员。',
  },
  adminNotice: {
    dify_quota: 'Dify 或模型供应商的额度已用完，请提高额度或更换模型。',
    dify_model_not_ready: '应用的模型不能使用，请在 Dify 中检查应用选择的模型和供应商的凭据。',
    dify_model_account: '模型供应商拒绝了调用，请检查它的密钥和余额。',
  },
  adminNoticeOf: ({ robot, notice, reference }) =>
    `⚠️ 机器人${robot === null ? '' : ` ${robot} `}暂时不能回答问题：${notice}编号 ${reference}。同样的情况一小时内只通知一次。`,
  suggestions: '接着问',
  suggestionsToType: '接着问（@我 并输入）',
  examples: '可以这样问',
  examplesToType: '可以这样问（@我 并输入）',
  unnamedFile: '未命名的文件',
  filesNotSent: (names) => `⚠️ 这些文件没能发出来：${names.join('、')}。可以再问一次；若反复出现，请联系管理员。`,
  filesLeftOut: (count) => `（还有 ${count} 个文件没有发出。）`,
  retry: '🔄 再试一次',
  startAnew: '🆕 开始新会话',
  newWord: '新会话',
  acceptedFiles: (kinds) => `这个 AI 应用不接受这种文件。可以发送：${kindsOf(kinds)}。`,
  missingInputs: (names) => `AI 应用缺少必填的输入：${names}。请联系管理员补全 DIFY_INPUTS。`,
  inputTooLong: (input, maxChars, chars) => `“${input}”最多 ${maxChars} 个字符，这次有 ${chars} 个，请缩短后再问。`,
  inputNotOffered: (input, options) => `“${input}”只能是：${options}。请联系管理员检查 DIFY_INPUTS。`,
  inputOfWrongType: (input) => `“${input}”的内容类型不对，请联系管理员检查 DIFY_INPUTS。`,
  fileTooLarge: (megabytes) => `文件超过 ${megabytes} MB，请压缩或拆分后再发。`,
  missingFiles: (names) => `这个 AI 应用需要文件：${names}。请发送文件，或引用一个文件再提问。`,
  mostFiles: (most) => `这个 AI 应用一次最多接受 ${most} 个文件，请减少数量或分开发送。`,
  markdown: { image: '图片', chart: '图表', media: '媒体' },
  messageTitle: '回答',
  questionOf: (name, question) => `${name}：${question}`,
  answering: (question) => `正在回答：${question}`,
};
