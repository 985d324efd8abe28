import { part, type Part } from './part.ts';
import { always, fixed, margins, markdown, noCondition, noParams, text, variable } from './values.ts';

/** The numbers that DingTalk gives to the states of an AI card. */
export const STATES = { pending: 1, writing: 2, done: 3, doing: 4, failed: 5 } as const;

const flat = { margin: -2, innerOffset: 0, ...margins(0, 0) };

/** The root. Its flags must be those of `aiStatusList`, or the card is reported to stay empty. */
export const container = (states: readonly Part[]): Part =>
  part(
    'AICardContainer',
    '',
    {
      ...margins(0, 0),
      enablePending: true,
      enableWriting: true,
      enableFailed: true,
      enableDoing: false,
      enableTitle: false,
      enableFlowAbort: true,
      enableGradientBorder: true,
      enableEngineUpgrade: false,
      enableExposeStatPoint: false,
      enableDebugTool: false,
      operationPenalType: 'prompt',
      flowStatusVar: variable('flowStatus'),
      summaryContent: variable(''),
      cardSizeMode: 'adaptive',
      cardSizeWidthMode: 'adaptive',
      cardSizeHeightMode: 'adaptive',
      cardSizeHeight: fixed('Number', 226),
      hasBackground: false,
      backgroundType: 'Standard',
      standardBackgroundColor: 'gray',
      backgroundColor: '#F6F6F6',
      darkModeBackgroundColor: '#3C3C3C',
    },
    states,
  );

export const state = (name: keyof typeof STATES, title: string, children: readonly Part[]): Part =>
  part(
    'AICardStatusContainer',
    title,
    {
      ...flat,
      status: STATES[name],
      enableExtend: false,
      enableCollapse: false,
      autoFoldConfig: { needFold: true, heightLimit: 480, foldStatusLocalDataKey: '_cardFoldStatusLocalDataKey' },
    },
    children,
  );

export const pending = (tip: string): Part =>
  part('AIPending', '', { pendingTip: text(tip), style: 'embed', hideIcon: false });

export const content = (children: readonly Part[]): Part =>
  part(
    'AICardContent',
    '',
    {
      ...flat,
      visible: always,
      transformToEventChain: false,
      disabledWhileForward: false,
      enableStatPoint: false,
      statPoint: text(),
      statPointParams: noParams,
    },
    children,
  );

/** DingTalk's bar below an answer, with its copy button alone. Copying calls nothing. */
export const copyBar = (): Part =>
  part(
    'Feedback',
    '反馈',
    {
      enableCopy: true,
      copyType: 'variable',
      copyVariable: markdown('content'),
      enableLikeDislike: false,
      enableRefresh: false,
      refreshParams: noParams,
      refreshSuccessCondition: noCondition,
      refreshSuccessToast: text(),
      refreshFailureToast: text(),
      refreshVisible: always,
      enableDivider: false,
      marginConfigurable: false,
      actionType: 'none',
      params: noParams,
      visible: always,
    },
    [part('AIGenerationProcessing', '', {})],
  );
