import { parseArgs } from 'node:util';
import type { DoctorRequest } from './check.ts';
import type { Language } from '../language.ts';

export type Command =
  | { kind: 'check'; request: DoctorRequest; isJson: boolean; isPlain: boolean; showsAll: boolean }
  | { kind: 'help' }
  /** What is wrong with the arguments, in a short word of English that `usageOf` explains. */
  | { kind: 'wrong'; reason: string };

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  all: { type: 'boolean' },
  fix: { type: 'boolean' },
  json: { type: 'boolean' },
  card: { type: 'string' },
  robot: { type: 'string' },
  color: { type: 'boolean' },
} as const;

const ROBOT_PATH = /^(?:\/|\/api\/dingtalk(?:\/([a-z0-9-]{1,32}))?\/?)$/;

export function readArguments(args: readonly string[]): Command {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, allowNegative: true });
  } catch (error) {
    // The first of Node's own sentences; it quotes the option.
    return { kind: 'wrong', reason: error instanceof Error ? (error.message.split('. ')[0] ?? '') : '' };
  }
  const { values, positionals } = parsed;
  if (values.help) return { kind: 'help' };
  if (positionals.length > 1) return { kind: 'wrong', reason: 'only one address' };
  const target = readTarget(positionals[0]);
  if (!target) return { kind: 'wrong', reason: 'the address must be https://host[/api/dingtalk[/NAME]]' };
  if (target.robotName !== null && values.robot !== undefined && values.robot !== target.robotName) {
    return { kind: 'wrong', reason: 'the address and --robot name different robots' };
  }
  if (values.card === '' || values.robot === '') return { kind: 'wrong', reason: '--card and --robot want a value' };
  const request = {
    origin: target.origin,
    robotName: values.robot ?? target.robotName,
    cardTo: values.card ?? null,
    isFixing: values.fix ?? false,
  };
  const { json = false, all = false, color } = values;
  return { kind: 'check', request, isJson: json, isPlain: color === false, showsAll: all };
}

/** Null when it is not the address of a function. Query and user are not taken: they may hold a secret. */
function readTarget(address: string | undefined): { origin: string | null; robotName: string | null } | null {
  if (address === undefined) return { origin: null, robotName: null };
  const url = URL.parse(address);
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username || url.password) return null;
  const path = ROBOT_PATH.exec(url.pathname);
  return path && { origin: url.origin, robotName: path[1] ?? null };
}

export const usageOf: Record<Language, string> = {
  en: `npm run doctor [-- [https://host[/api/dingtalk[/NAME]]] [options]]

Checks the configuration of .env and the environment piece by piece, and with an address also what is deployed there.
What stops answers comes first. Each line says what was checked, what came back, how to fix it, and where. It changes
nothing and nobody sees anything in DingTalk, unless --fix or --card is given. It takes up to four DingTalk calls of the
month for each robot, one more with --fix, and seven more with --card, nine where the template has buttons.

  --card STAFF_ID  send two test cards to this person and end them: the only proof of the template
  --fix            do what needs no decision: register the address for card buttons, create the schedule of the sweep
                   (with QSTASH_TOKEN)
  --robot NAME     only this robot of BOTS; without it all of them
  --all            show each line of what is fine
  --json           for programs: the same findings with codes that do not change
  --no-color       no colours; there are none anyway where the output is no terminal
  -h, --help       this text

Exit code: 0 nothing failed, 1 something failed, 2 wrong arguments. REPLY_LANGUAGE=zh-CN: in Chinese.`,
  'zh-CN': `npm run doctor [-- [https://主机[/api/dingtalk[/NAME]]] [选项]]

逐项检查 .env 与环境变量中的配置；给出地址时，也检查那里的部署。导致无法回答的问题排在最前。每一行说明检查了什么、
结果如何、怎样处理、在哪里处理。除非使用 --fix 或 --card，否则不会改动任何东西，也不会在钉钉里显示任何内容。每个机器人
最多消耗当月 4 次钉钉调用，使用 --fix 时再加 1 次，使用 --card 时再加 7 次（模板有按钮时 9 次）。

  --card 员工ID    给此人发两张测试卡片并结束它们：只有这样才能验证模板
  --fix            完成无需决定的事：注册卡片按钮的回调地址，创建补偿任务的定时任务（需要 QSTASH_TOKEN）
  --robot NAME     只检查 BOTS 中的这个机器人；不写则检查全部
  --all            逐项列出正常的检查
  --json           供程序使用：同样的结果，代码固定不变
  --no-color       不用颜色；输出不是终端时本来就没有颜色
  -h, --help       显示本说明

退出码：0 没有失败，1 有失败，2 参数错误。REPLY_LANGUAGE=en 时为英文。`,
};
