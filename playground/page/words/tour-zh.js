/** What the tour of one message says. `steps` are in the order in which they are shown. */
export const tourZh = {
  open: '导览',
  openLabel: '导览：一条消息会经历什么',
  offer: '看看一条消息会经历什么',
  question: '差旅标准是多少？请用表格',
  progress: (/** @type {number} */ step, /** @type {number} */ steps) => `导览 · ${step} / ${steps}`,
  back: '上一步',
  next: '下一步',
  done: '完成',
  close: '关闭导览',
  keys: '← → 翻页 · Esc 关闭',
  noCard: '这次没有用卡片（请看“开关”里开着的开关），所以有些数字是空的。',
  trouble: (/** @type {string} */ label) => `故障开关：${label}`,
  steps: {
    ack: {
      title: '签名的回调，马上确认',
      text: '钉钉把问题 POST 给函数，请求头里有签名。函数核对签名，用一次存储往返把问题登记下来，然后就返回 200；其余的都在后台进行。',
      numbers: { ack: '确认用时', accept: '其中存储 accept' },
    },
    open: {
      title: '问 Dify 的同时打开卡片',
      text: '投放卡片和问 Dify 同时开始，谁也不等谁，所以等第一个字的时候卡片通常已经在聊天里了。',
      numbers: { card: 'createAndDeliver', dify: '问 Dify', firstByte: 'Dify 首字节' },
    },
    frames: {
      title: '帧和它们的预算',
      text: '每一帧都计一次调用，内容是到目前为止的全文。更新节奏决定最多用几次；标准版每月一共 5,000 次。',
      numbers: { frames: '帧', calls: '用掉的调用', answers: '按此每月回答数' },
      ofMonth: (/** @type {string} */ calls) => `${calls} / 5,000`,
    },
    typing: {
      title: '进度和打字机',
      text: '有字就先上第一帧，后面的帧隔得越来越远。两帧之间由钉钉自己逐字打出来，看上去仍是连续的；没写完的 Markdown 会先收起。',
      numbers: { first: '首字上屏', gap: '帧之间最长间隔', characters: '答案长度' },
    },
    final: {
      title: '最后一帧',
      text: '最后一帧带 isFinalize 和完整的答案，卡片转为完成。中间的帧丢了没关系，这一帧会重试到显示出来为止。',
      numbers: { number: '第几帧', at: '显示于', size: '帧的长度' },
    },
    store: {
      title: '存了什么，又擦掉什么',
      text: '运行时登记着问题、进度和租约。finish 这一次往返把问题和答案的文字擦掉，只留下 Dify 的会话编号和一张没有内容的回执，供按钮使用。',
      numbers: { requests: '存储请求', names: '操作', erased: '文字擦除于' },
    },
    reference: {
      title: '日志里的编号',
      text: '这次回答的每一行日志都有同一个编号。出错时用户看到的就是它：搜到这一行，看 code，再点它旁边的 row 查看处理办法。日志里没有人写的文字，也没有人的编号。',
      numbers: { reference: '编号', lines: '日志行', tokens: '用掉的 token' },
    },
    death: {
      title: '函数中途被终止怎么办',
      text: '租约到期后，下一个问题或补偿任务会接手，按记录的 ID 向 Dify 取回已有的答案；聊天助手和文本生成没有可取回的记录，会再问一次。打开“终止函数”就能看到：卡片停住约半分钟，然后接着写完。',
      numbers: { lease: '租约', took: '这次一共用时', run: 'Dify 任务' },
    },
  },
};
