import { parseArgs } from 'node:util';
import type { Environment } from '../../lib/config/config.ts';
import type { Language } from '../language.ts';
import { isVariable, type Variable } from './variables.ts';

export interface Options {
  /** Null: ask. */
  language: Language | null;
  /** No questions: everything from flags, environment and file. */
  isUnattended: boolean;
  /** Answers come line by line from something that is no terminal. */
  isPlain: boolean;
  /** Whether DingTalk, Dify and the store are asked. */
  isChecked: boolean;
  isDryRun: boolean;
  envFile: string;
  /** By `--set` and `--from-env`. */
  given: ReadonlyMap<Variable, string>;
  /** Where the configuration of dify-on-dingtalk is; null where none is taken over. */
  from: string | null;
  /** A file with values, in the form of `.env`; null where there is none. */
  answers: string | null;
}

export type Command =
  | { kind: 'run'; options: Options }
  | { kind: 'help' }
  /** The reason names options and variables, never a value: that may be a secret in the wrong place. */
  | { kind: 'wrong'; reason: string };

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  yes: { type: 'boolean', short: 'y' },
  plain: { type: 'boolean' },
  from: { type: 'string' },
  answers: { type: 'string' },
  set: { type: 'string', multiple: true },
  'from-env': { type: 'string', multiple: true },
  'no-check': { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  // Not `--env-file`: Node takes that for itself wherever it stands, and ends when there is no such file.
  file: { type: 'string' },
  lang: { type: 'string' },
} as const;

export function readArguments(args: readonly string[], env: Environment): Command {
  let values;
  try {
    ({ values } = parseArgs({ args: [...args], options: OPTIONS }));
  } catch {
    // Node's own sentence would quote what it did not understand.
    return { kind: 'wrong', reason: 'there is an option that is not known, or a value without its option' };
  }
  if (values.help) return { kind: 'help' };
  const language = values.lang === undefined ? null : languageNamed(values.lang);
  if (language === undefined) return { kind: 'wrong', reason: '--lang wants zh-CN or en' };
  const envFile = values.file ?? '.env';
  if (envFile === '') return { kind: 'wrong', reason: '--file wants a path' };
  if (values.from === '') return { kind: 'wrong', reason: '--from wants a path' };
  if (values.answers === '') return { kind: 'wrong', reason: '--answers wants a path' };
  const given = new Map<Variable, string>();
  for (const pair of values.set ?? []) {
    const [, name = '', value = ''] = /^([A-Z][A-Z0-9_]*)=(.*)$/s.exec(pair) ?? [];
    if (name === '') return { kind: 'wrong', reason: '--set wants NAME=VALUE' };
    if (!isVariable(name)) return { kind: 'wrong', reason: `--set: there is no variable ${name}` };
    given.set(name, value.trim());
  }
  for (const name of values['from-env'] ?? []) {
    if (!isVariable(name)) return { kind: 'wrong', reason: '--from-env wants the name of a known variable' };
    const value = env[name]?.trim() ?? '';
    if (value === '') return { kind: 'wrong', reason: `--from-env: ${name} is not in the environment` };
    given.set(name, value);
  }
  return {
    kind: 'run',
    options: {
      language,
      isUnattended: (values.yes ?? false) || values.answers !== undefined,
      isPlain: values.plain ?? false,
      isChecked: !values['no-check'],
      isDryRun: values['dry-run'] ?? false,
      envFile,
      given,
      from: values.from ?? null,
      answers: values.answers ?? null,
    },
  };
}

function languageNamed(name: string): Language | undefined {
  if (/^zh/i.test(name)) return 'zh-CN';
  return /^en/i.test(name) ? 'en' : undefined;
}

export const usageOf: Record<Language, string> = {
  en: `npm run setup [-- options]

Leads from a scan with DingTalk to the first card: creates the app, asks for what is needed, checks it as it goes, writes
.env, and does the rest in Vercel and DingTalk's console by command where you agree. Ctrl+C keeps what you answered;
the next run goes on from there. What .env and the environment hold is offered as the default.

  --yes, -y          no questions: everything from options, environment and .env
  --answers FILE     no questions: the values stand in FILE, in the form of .env (chmod 600)
  --from PATH        takes over the configuration of dify-on-dingtalk: its .env, and .bots.yaml beside it
  --set NAME=VALUE   sets a variable; may be repeated. Not for secrets: other users of the machine see the command line
  --from-env NAME    the same with the value from the environment; may be repeated
  --no-check         asks neither DingTalk nor Dify nor the store, and registers nothing
  --dry-run          writes and registers nothing
  --file PATH        another file than .env
  --lang zh-CN|en    the language
  --plain            answers from standard input that is no terminal, one line each
  -h, --help         this text

Exit code: 0 done, 1 nothing written (something is missing or wrong, refused, or interrupted), 2 wrong arguments or no
terminal to ask at.`,
  'zh-CN': `npm run setup [-- 选项]

从钉钉扫码到第一张卡片：创建应用，逐步询问所需内容并边问边检查，写入 .env，经您同意后用命令完成 Vercel 和钉钉控制台中的
设置。Ctrl+C 会保留已回答的内容，下次运行从那里继续。.env 与环境变量中已有的值作为默认值。

  --yes, -y          不提问：全部取自选项、环境变量和 .env
  --answers FILE     不提问：值写在 FILE 中，格式与 .env 相同（chmod 600）
  --from PATH        接管 dify-on-dingtalk 的配置：它的 .env 以及旁边的 .bots.yaml
  --set NAME=VALUE   设置一个变量；可重复。不要用于密钥：同一台机器上的其他用户能看到命令行
  --from-env NAME    同上，值取自环境变量；可重复
  --no-check         不访问钉钉、Dify 和存储，也不注册
  --dry-run          不写入也不注册
  --file PATH        使用 .env 以外的文件
  --lang zh-CN|en    语言
  --plain            标准输入不是终端时逐行读取回答
  -h, --help         显示本说明

退出码：0 完成；1 没有写入（有缺少或错误、被拒绝或被中断）；2 参数错误，或没有可以提问的终端。`,
};
