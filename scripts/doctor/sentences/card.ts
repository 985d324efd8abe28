import type { Language } from '../../language.ts';

/** What the person who gets the test cards reads. */
export const cardTexts: Record<
  Language,
  Record<'summary' | 'question' | 'app' | 'typing' | 'finished' | 'failed' | 'failedStateOff', string> & {
    /** For a template with buttons. */
    parts: { questions: readonly string[]; notice: string; name: string; action: string; field: string };
  }
> = {
  'zh-CN': {
    summary: '测试卡片',
    question: '测试的问题',
    app: '测试的应用',
    parts: {
      questions: ['测试的推荐问题一', '测试的推荐问题二'],
      notice: '这句提示只有你看得到。',
      name: '测试的人',
      action: '测试的操作',
      field: '测试的字段',
    },
    typing: '这是一张测试卡片，正在检查流式更新…',
    finished: '这是一张测试卡片，由部署本机器人的人发出。流式更新与完成状态正常，无需理会。',
    failed: '这是一张测试卡片，用来检查“失败”状态。显示为失败是正常的，无需理会。',
    failedStateOff: '这是一张测试卡片。模板没有启用“失败”状态，所以按完成结束。无需理会。',
  },
  en: {
    summary: 'Test card',
    question: 'Test question',
    app: 'Test app',
    parts: {
      questions: ['First test suggestion', 'Second test suggestion'],
      notice: 'Only you see this notice.',
      name: 'Test person',
      action: 'Test action',
      field: 'Test field',
    },
    typing: 'This is a test card; streaming is being checked…',
    finished:
      'This is a test card from the administrator who sets up this robot. Streaming and ending work; there is nothing to do.',
    failed: 'This is a test card for the failed state. It is meant to look failed; there is nothing to do.',
    failedStateOff:
      'This is a test card. The template has no failed state, so it ends as finished. There is nothing to do.',
  },
};
