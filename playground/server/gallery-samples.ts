import type { Named } from './protocol.ts';

interface GallerySample {
  id: string;
  name: Named;
  source: string;
  /** Documents of the knowledge base that the answer rests on. */
  documents?: string[];
}

/** What models write, and what others might make them write. */
export const GALLERY_SAMPLES: GallerySample[] = [
  {
    id: 'headings',
    name: { zh: '标题', en: 'Headings' },
    source: '# 一级标题\n\n## 二级标题\n\n### 三级标题\n\n#### 四级标题\n\n##### 五级标题\n\n###### 六级标题\n\n正文',
  },
  {
    id: 'emphasis',
    name: { zh: '粗体、斜体、删除线', en: 'Bold, italic, strikethrough' },
    source: '**粗体**、*斜体*、***粗斜体***、~~删除线~~，还有**“引号里的粗体”**紧跟文字，以及 __下划线粗体__。',
  },
  {
    id: 'lines',
    name: { zh: '换行与段落', en: 'Lines and paragraphs' },
    source: '第一行\n第二行（同一段）\n\n第二段\\\n反斜杠换行  \n两个空格换行',
  },
  {
    id: 'links',
    name: { zh: '链接', en: 'Links' },
    source:
      '[钉钉开放平台](https://open.dingtalk.com/) · <https://docs.dify.ai> · https://example.com/a_b?q=1&r=2 · [引用式链接][dify]\n\n[dify]: https://dify.ai "Dify"',
  },
  {
    id: 'images',
    name: { zh: '图片', en: 'Images' },
    source: '![云杉科技](https://img.example.com/spruce.png)\n\n没有地址的图片：![组织架构图](./local/chart.png)',
  },
  {
    id: 'lists',
    name: { zh: '有序与嵌套列表', en: 'Ordered and nested lists' },
    source: '1. 提交申请\n   1. 填写日期\n   2. 选择类型\n2. 直属主管审批\n   - 三天以内\n     - 当天处理\n   - 三天以上\n3. 人事备案\n\n- 圆点\n  - 第二层\n    - 第三层',
  },
  {
    id: 'tasks',
    name: { zh: '任务列表', en: 'Task list' },
    source: '- [x] 领取工牌\n- [x] 实名认证\n- [ ] 安装 VPN\n- [ ] 入职培训',
  },
  {
    id: 'quote',
    name: { zh: '引用', en: 'Quote' },
    source: '> 会议期间主办方已含住宿的，不再另报。\n>\n> > 以财务部 2026 年通知为准。\n\n引用之后的正文。',
  },
  {
    id: 'table',
    name: { zh: '宽表格，单元格里有竖线', en: 'A wide table, with pipes in cells' },
    source:
      '| 城市等级 | 住宿（元/晚） | 餐补 | 市内交通 | 审批人 | 命令 | 备注 |\n| --- | ---: | :-: | ---: | --- | --- | --- |\n| 一线（北上广深） | 550 | 120 | 80 | 部门负责人 | `ls \\| wc` | 含**税** |\n| 新一线 | 450 | 100 | 60 | 直属主管 | a \\| b | 旺季可上浮 20%，需要提前说明原因 |\n| 其他 | 350 | 80 | 50 | 直属主管 | – | |',
  },
  {
    id: 'code',
    name: { zh: '代码块', en: 'Code block' },
    source: '```python\ndef greet(name: str) -> str:\n    """说一声你好。"""\n    return f"你好，{name} <b>不是标签</b>"\n```\n\n没有写完的代码块：\n\n```js\nconst open = true;',
  },
  {
    id: 'inline-code',
    name: { zh: '行内代码', en: 'Inline code' },
    source: '运行 `npm start`，或者 ``a `反引号` b``；`**不是粗体**`。',
  },
  { id: 'rule', name: { zh: '分隔线', en: 'Rule' }, source: '上文\n\n---\n\n下文' },
  {
    id: 'html',
    name: { zh: 'HTML', en: 'HTML' },
    source:
      '<h3>标题</h3><p>一段<b>粗</b>和<i>斜</i>，<font color="red">红字</font>，H<sub>2</sub>O</p>\n\n<details><summary>展开看看</summary>藏起来的内容</details>\n\n<button data-message="请假流程">请假流程</button>\n\n<table><tr><th>年份</th><th>天数</th></tr><tr><td>2026</td><td>10</td></tr></table>\n\n<script>alert(1)</script><img src=x onerror=alert(1)>',
  },
  {
    id: 'math',
    name: { zh: '公式', en: 'Mathematics' },
    source: '行内公式 $E = mc^2$，价格是 $5 到 $8。\n\n$$\n\\int_0^1 x^2 \\, dx = \\frac{1}{3}\n$$',
  },
  {
    id: 'mermaid',
    name: { zh: 'Mermaid 流程图', en: 'Mermaid' },
    source: '```mermaid\ngraph LR\n  A[提交] --> B{审批}\n  B -->|同意| C[备案]\n  B -->|拒绝| D[退回]\n```',
  },
  {
    id: 'echarts',
    name: { zh: 'ECharts 图表', en: 'ECharts' },
    source:
      '```echarts\n{"title":{"text":"上半年工单"},"xAxis":{"data":["一月","二月","三月"]},"yAxis":{},"series":[{"name":"工单","type":"bar","data":[120,98,143]},{"name":"已解决","type":"bar","data":[118,97,130]}]}\n```',
  },
  {
    id: 'think',
    name: { zh: '思考过程', en: 'Reasoning' },
    source: '<think>\n用户想知道年假能不能跨年。\n制度第 4.2 条：可以顺延到次年 3 月 31 日。\n</think>\n\n可以，顺延到次年 **3 月 31 日**。',
  },
  {
    id: 'citations',
    name: { zh: '引用来源', en: 'Sources' },
    source: '年假按工龄计算，满一年 5 天[1]，满十年 10 天[2]。',
    documents: ['员工手册 2026.pdf', '休假制度.docx', '休假制度.docx'],
  },
  {
    id: 'long-words',
    name: { zh: '很长的词', en: 'Long words' },
    source:
      '编号 `3f2b8c1e-9a7d-4e5f-8b6a-0c1d2e3f4a5b-3f2b8c1e-9a7d-4e5f-8b6a-0c1d2e3f4a5b` 与 Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft，以及 https://example.com/a/very/long/path/that/never/ends/and/goes/on/and/on/and/on/until/it/does',
  },
  {
    id: 'emoji',
    name: { zh: '表情', en: 'Emoji' },
    source: '完成啦 🎉👩🏽‍💻🇨🇳 [微笑] :smile: ✅',
  },
  {
    id: 'rtl',
    name: { zh: '从右到左', en: 'Right to left' },
    source: 'مرحبا بالعالم 和 שלום。看不见的反向标记：invoice\u202Efdp.exe\u202C 零宽：a\u200Bb\u200Bc',
  },
  {
    id: 'hostile',
    name: { zh: '恶意链接', en: 'Hostile links' },
    source:
      '[点我领红包](javascript:alert(1)) · [替你说话](dtmd://dingtalkclient/sendMessage?content=%E6%88%91%E8%BE%9E%E8%81%8C) · [数据](data:text/html,<script>alert(1)</script>) · [打开应用](dingtalk://dingtalkclient/page/link?url=https%3A%2F%2Fevil.test)\n\n<a href="javascript:alert(1)">HTML 链接</a> · <a atId=all>@所有人</a> · ![x](javascript:alert(1))',
  },
]; // prettier-ignore
