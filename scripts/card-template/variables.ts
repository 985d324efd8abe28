/** A variable of the template, as the builder's list has it, and what the preview shows for it. */
export interface Variable {
  entry: Readonly<Record<string, unknown>>;
  name: string;
  mock: unknown;
}

interface Given {
  type: 'string' | 'markdown' | 'object' | 'loopArray' | 'form';
  /** What it is for, in the builder's list. */
  meaning: string;
  mock: unknown;
  /** Has a value for each person, which only that person sees. */
  isPrivate?: boolean;
  schema?: readonly object[];
  /** DingTalk's own: the builder's list does not show it. */
  isBuiltIn?: boolean;
}

/** A field of a variable that is an object or a list. */
const field = (id: string, type: string, more: object = {}) => ({
  id,
  type,
  name: /[^.]+$/.exec(id)?.[0] ?? id,
  private: false,
  editorVarType: 'variables',
  disabled: false,
  description: '',
  ...more,
});

const declared = (name: string, { type, meaning, mock, schema, isPrivate = false, isBuiltIn }: Given): Variable => ({
  name,
  mock,
  entry: {
    id: name,
    name,
    type,
    description: meaning,
    private: isPrivate,
    editorVarType: 'variables',
    disabled: isBuiltIn ?? false,
    ...(isBuiltIn ? { visible: false } : {}),
    ...(schema ? { schema } : {}),
  },
});

/** The fields of the form component; the builder writes them for each variable of the type. */
function formSchema(name: string): object[] {
  const own = { disabled: true };
  const texts = ['name', 'label', 'type', 'requiredMsg', 'placeholder', 'defaultValue'];
  const flags = ['hidden', 'required', 'readOnly'];
  const options = ['value', 'text'].map((key) => field(`${name}.fields[0].options[0].${key}`, 'string', own));
  const fields = [
    ...texts.map((key) => field(`${name}.fields[0].${key}`, 'string', own)),
    ...flags.map((key) => field(`${name}.fields[0].${key}`, 'boolean', own)),
    field(`${name}.fields[0].options`, 'loopArray', { ...own, schema: options }),
  ];
  return [field(`${name}.fields`, 'loopArray', { ...own, schema: fields })];
}

const list = (name: string, ...keys: string[]) => keys.map((key) => field(`${name}[0].${key}`, 'string'));

const flowStatus = declared('flowStatus', {
  type: 'string',
  meaning: '1 处理中，2 输入中，3 完成，4 执行中，5 失败',
  // The preview begins with the finished card.
  mock: '3',
  isBuiltIn: true,
});

const answerText = declared('content', {
  type: 'markdown',
  meaning: '回答的内容，流式更新',
  mock: '年假按工龄计算：满 1 年 **5 天**，满 10 年 **10 天**。',
});

export const minimalVariables: readonly Variable[] = [answerText, flowStatus];

/** The names are those of `docs/card-template.md`. */
export const allVariables: readonly Variable[] = [
  ...minimalVariables,
  declared('_IC_AIGC_DETAIL_URL', {
    type: 'object',
    meaning: '',
    mock: { mob: '', pc: '' },
    isBuiltIn: true,
    schema: ['mob', 'pc'].map((key) => field(`_IC_AIGC_DETAIL_URL.${key}`, 'string')),
  }),
  declared('config', {
    type: 'object',
    meaning: '卡片的宽度',
    mock: { autoLayout: true },
    schema: [field('config.autoLayout', 'boolean')],
  }),
  declared('question', { type: 'string', meaning: '提的问题', mock: '王小明：年假怎么算？' }),
  declared('app', { type: 'string', meaning: '回答的应用', mock: '人事助手' }),
  declared('waiting_for', { type: 'string', meaning: '表单等谁处理', mock: '李雷' }),
  declared('suggestions', {
    type: 'loopArray',
    meaning: '接着可以问的问题',
    mock: [{ question: '年假可以累积吗？' }, { question: '病假怎么请？' }],
    schema: list('suggestions', 'question'),
  }),
  declared('form_actions', {
    type: 'loopArray',
    meaning: '表单的操作',
    mock: [
      { id: 'approve', title: '同意' },
      { id: 'reject', title: '拒绝' },
    ],
    schema: list('form_actions', 'id', 'title'),
  }),
  declared('form_fields', {
    type: 'form',
    meaning: '表单要填的内容',
    mock: { fields: [{ name: 'reason', label: '理由', type: 'TEXT', required: false, defaultValue: '' }] },
    schema: formSchema('form_fields'),
  }),
  declared('like_status', {
    type: 'string',
    meaning: '这个人的评价：like、dislike 或空',
    mock: 'like',
    isPrivate: true,
  }),
  declared('ask_reason', { type: 'string', meaning: '不为空时请这个人选没用的原因', mock: 'true', isPrivate: true }),
  declared('notice', { type: 'string', meaning: '只给点按的人看的一句话', mock: '已收到。', isPrivate: true }),
];
