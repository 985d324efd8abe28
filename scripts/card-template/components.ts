import { noAction } from './action.ts';
import { part, type Part } from './part.ts';
import {
  always,
  fixed,
  margins,
  markdown,
  noCondition,
  params,
  text,
  variable,
  type Param,
  type Props,
} from './values.ts';

/** The text of the answer. In 输入中 it streams. */
export const answer = (isStreaming: boolean): Part =>
  part('MarkdownBlock', 'AI 流式富文本', {
    content: markdown('content'),
    isStreaming,
    mdVer: 0,
    icon: { type: 'icon', icon: '', iconType: 'emoji' },
    enableLinkStatPoint: false,
    linkStatPoint: text('Page_InteractiveCard__Click_markdownOpenlink'),
    linkStatPointParams: [],
    visible: always,
    ...margins(6, 12),
    margin: 12,
    innerOffset: 0,
  });

/** A small line, shown where `visible` says so. */
export const line = (title: string, words: string, visible: Props): Part =>
  part('BaseText', title, {
    text: text(words),
    hoverText: text(),
    iconType: 'iconCode',
    iconFont: { type: 'icon', icon: '', iconType: 'ddIcon' },
    icon: fixed('Link', ''),
    darkIcon: fixed('Link', ''),
    enableIcon: false,
    widthMode: 'match_parent',
    autoMaxWidth: false,
    maxWidth: fixed('Number', 0),
    fixedWidth: fixed('Number', 0),
    fontColorType: 'Standard',
    enableHighlight: false,
    maxLine: fixed('Number', 2),
    color: fixed('Color', 'common_level3_base_color'),
    customLightColor: fixed('Color', '#35404b'),
    customDarkColor: fixed('Color', '#f6f6f6'),
    gravity: 'left',
    fontSizeType: 'Standard',
    styleType: 'standard',
    styleToken: 'common_footnote_text_style',
    size: 'middle',
    customFontSize: 15,
    customFontLineHeight: 22,
    bold: false,
    italic: false,
    strikeThrough: false,
    lineHeight: 'normal',
    visible,
    ...margins(6, 12),
    margin: -2,
    innerOffset: 0,
  });

interface ButtonOptions {
  label: string;
  color?: 'blue' | 'gray' | 'red';
  visible?: Props;
  /** What a press says beside its action. */
  more?: readonly Param[];
}

/** A button that sends a press with the parameter `action`. */
export const button = (action: string, { label, color = 'gray', visible = always, more = [] }: ButtonOptions): Part =>
  part('SingleButton', '单个按钮', {
    ...noAction,
    text: text(label),
    status: fixed('Select', 'normal'),
    color: fixed('Select', color),
    icon: fixed('Link', ''),
    darkModeIcon: fixed('Link', ''),
    enableIcon: false,
    iconPosition: 'left',
    iconType: 'iconCode',
    iconFont: {
      type: 'dynamicIcon',
      valueType: 'fixed',
      value: { type: 'icon', icon: '', iconType: 'ddIcon' },
      variable: '',
      variableType: 'global',
    },
    enableCornerMark: false,
    cornerMarkPosition: 'right',
    cornerMarkText: text(),
    cornerMarkTextColor: 'white',
    cornerBackgroundColorType: 'standard',
    standardCornerBackgroundColor: 'RedGradient',
    customCornerBackgroundColor: '#FF6A00',
    customCornerDarkModeBackgroundColor: '#FF6A00',
    cornerMarkVisible: always,
    enablePadButtonText: false,
    enableClickEvent: true,
    enableStatPoint: false,
    transformToEventChain: false,
    actionType: 'request',
    actionId: text(action),
    params: params([{ name: 'action', from: { text: action } }, ...more]),
    widthMode: 'match_parent',
    width: 200,
    visible,
    ...margins(6, 12),
    margin: -1,
    innerOffset: 0,
  });

/** Draws its children once for each entry of a list. */
export const loop = (list: string, children: readonly Part[]): Part =>
  part(
    'Loop',
    '循环渲染容器',
    {
      ...margins(0, 0),
      listData: variable(list),
      direction: 'vertical',
      visible: always,
      isFixedWidth: false,
      isAutoWidth: false,
      width: 50,
      isFixedHeight: false,
      height: 100,
      equalSpace: false,
      flowLayout: false,
      flowDirection: 'x',
      childGap: false,
      childGapSize: 4,
      childWidth: 'match_content',
      childDivider: false,
      childDividerMarginLeft: 0,
      childDividerMarginRight: 0,
      childDividerMarginTop: 0,
      childDividerMarginBottom: 0,
      childDividerWidth: 0.5,
      childDividerColorLight: 'rgba(17, 31, 44, 0.12)',
      childDividerColorDark: 'rgba(255, 255, 255, 0.12)',
      scrollable: false,
      paging: false,
      hasMore: fixed('Boolean', false),
      onLoadMore: noAction,
      margin: 0,
      innerOffset: 0,
    },
    children,
  );

/** DingTalk's form component, with a button of its own. */
export const form = (fields: string, visible: Props, submit: string): Part =>
  part('Form', '表单', {
    id: 'form',
    formSchema: variable(fields),
    inlineMode: true,
    submitText: text(submit),
    customSubmitEvent: false,
    status: fixed('Select', 'normal'),
    actionType: 'request',
    params: [],
    visible,
    paddingLeft: 12,
    paddingRight: 12,
    paddingTop: 6,
    paddingBottom: 6,
    ...margins(6, 12),
    successCondition: noCondition,
    successToast: text(),
    failureToast: text(),
    margin: -2,
    innerOffset: 0,
  });

/** A field whose text comes as the parameter `input`. Its id is the action of the press. */
export const input = (
  action: string,
  { label, hint, visible }: { label: string; hint: string; visible: Props },
): Part =>
  part('Input', '文本输入', {
    id: text(action),
    title: text(label),
    placeholder: text(hint),
    currentValue: text(),
    message: text(),
    status: fixed('Select', 'normal'),
    actionType: 'request',
    params: [
      {
        type: 'builtIn',
        id: '__built_in_inputResult__',
        name: 'input',
        value: '',
        variable: '',
        variableType: 'global',
      },
    ],
    localVarAction: variable(''),
    keyOfDynamicObject: text(),
    inlineMode: false,
    textArea: true,
    minRows: fixed('Number', 2),
    maxRows: fixed('Number', 6),
    visible,
    ...margins(6, 12),
    margin: 12,
    innerOffset: 0,
  });
