// `npm run help`: the commands in groups, one line each. Plain JavaScript, so that it needs nothing installed.
import { pathToFileURL } from 'node:url';

/** @typedef {{ zh: string, en: string }} Named */

/** @type {readonly { title: Named, commands: readonly (readonly [command: string, says: Named])[] }[]} */
const groups = [
  {
    title: { zh: '先看看', en: 'Look at it first' },
    commands: [
      ['npm start', { zh: '演练场：不需要任何账号', en: 'the playground: needs no account' }],
      ['npm run help', { zh: '这份列表', en: 'this list' }],
    ],
  },
  {
    title: { zh: '配置与检查', en: 'Configure and check' },
    commands: [
      [
        'npm run setup',
        { zh: '一步步完成配置，写入 .env', en: 'guides through a first configuration and writes .env' },
      ],
      [
        'npm run doctor',
        { zh: '逐项检查真实配置，指出原因和处理办法', en: 'checks a real configuration and says what to do' },
      ],
      [
        'npm run card-template',
        { zh: '生成可导入的卡片模板 card-template.json', en: 'writes card-template.json for the card builder' },
      ],
    ],
  },
  {
    title: { zh: '运行', en: 'Run' },
    commands: [
      ['npm run serve', { zh: '在自己的服务器上运行函数', en: 'the function on a server of your own' }],
      [
        'npm run dev:stream',
        { zh: '用 Stream 模式的开发机器人连接本机函数', en: 'feeds the local function from a robot in Stream mode' },
      ],
      ['npm run build', { zh: '构建部署用的单个文件', en: 'builds the file that is deployed' }],
      ['npm run vercel-build', { zh: '同上，由 Vercel 调用', en: 'the same, called by Vercel' }],
    ],
  },
  {
    title: { zh: '开发', en: 'Develop' },
    commands: [
      ['npm test', { zh: '全部测试，不到 4 分钟', en: 'every test, under 4 minutes' }],
      ['npm run test:fast', { zh: '只测 lib/，约半分钟', en: 'the units of lib/ alone, half a minute' }],
      ['npm run check', { zh: '格式、规范、类型、无用代码', en: 'format, lint, types, unused code' }],
      ['npm run format', { zh: '整理格式', en: 'formats all files' }],
      ['npm run bench', { zh: '测量数据表', en: 'the measured figures' }],
      ['npm run chaos', { zh: '在故障中长时间运行', en: 'a long run under faults' }],
      ['npm run fuzz', { zh: '随机和损坏的输入，默认 10 分钟', en: 'random and damaged input, ten minutes' }],
      ['npm run soak', { zh: '2 万个回答，前后比较内存', en: '20,000 answers, and the heap before and after' }],
      ['npm run official', { zh: '官方 SDK 对模拟器', en: 'the official clients against the simulators' }],
      ['npm run mutate', { zh: '变异测试抽样', en: 'mutation testing of a sample' }],
    ],
  },
];

/** @param {NodeJS.ProcessEnv} env @returns {'zh' | 'en'} */
function languageOf(env) {
  const set = env['REPLY_LANGUAGE'] || env['LC_ALL'] || env['LC_MESSAGES'] || env['LANG'] || '';
  return /^zh/i.test(set) ? 'zh' : 'en';
}

/** @param {'zh' | 'en'} language */
function helpIn(language) {
  const width = Math.max(...groups.flatMap(({ commands }) => commands.map(([command]) => command.length)));
  return groups
    .map(({ title, commands }) =>
      [title[language], ...commands.map(([command, says]) => `  ${command.padEnd(width)}  ${says[language]}`)].join(
        '\n',
      ),
    )
    .join('\n\n');
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(helpIn(languageOf(process.env)));
}
