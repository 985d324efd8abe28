import type { Language } from '../../language.ts';

/** What the person who gets the test cards reads. */
export const cardTexts: Record<
  Language,
  Record<'summary' | 'typing' | 'finished' | 'failed' | 'failedStateOff', string>
> = {
  'zh-CN': {
    summary: '测试卡片',
    typing: '这是一张测试卡片，正在检查流式更新…',
    finished: '这是一张测试卡片，由部署本机器人的人发出。流式更新与完成状态正常，无需理会。',
    failed: '这是一张测试卡片，用来检查“失败”状态。显示为失败是正常的，无需理会。',
    failedStateOff: '这是一张测试卡片。模板没有启用“失败”状态，所以按完成结束。无需理会。',
  },
  en: {
    summary: 'Test card',
    typing: 'This is a test card; streaming is being checked…',
    finished:
      'This is a test card from the administrator who sets up this robot. Streaming and ending work; there is nothing to do.',
    failed: 'This is a test card for the failed state. It is meant to look failed; there is nothing to do.',
    failedStateOff:
      'This is a test card. The template has no failed state, so it ends as finished. There is nothing to do.',
  },
};
