/** What a variable should be, as `lib/config` says it in English, in Chinese. */
const PHRASES: readonly (readonly [RegExp, string])[] = [
  [/^a value; it is required$/, '必填'],
  [/^a value; a store is required on Vercel$/, '必填：在 Vercel 上必须有存储'],
  [/^a value, because (\S+) is set$/, '必填，因为设置了 $1'],
  [/^a whole number from (\d+) to (\d+)$/, '$1 到 $2 之间的整数'],
  [/^one of (.+)$/, '以下之一：$1'],
  [/^true or false$/, 'true 或 false'],
  [/^a text$/, '文本'],
  [/^an address that begins with https:\/\/ or http:\/\/$/, '以 https:// 或 http:// 开头的地址（不带参数）'],
  [/^an address that begins with redis:\/\/ or rediss:\/\/$/, '以 redis:// 或 rediss:// 开头的地址'],
  [/^ids separated by commas$/, '用逗号分隔的 ID'],
  [/^a rate such as (\S+) .*$/, '形如 $1 的频率（单位 s、m、h、d）'],
  [/^a JSON object$/, 'JSON 对象'],
  [/^the client secret, or new,old.*$/, 'Client Secret；轮换期间写 new,old'],
  [/^valid JSON: an array of robots$/, '合法的 JSON：机器人的数组'],
  [/^a JSON array with at least one robot$/, '至少有一个机器人的 JSON 数组'],
  [/^an object with the settings of a robot$/, '一个含有机器人设置项的对象'],
  [/^a name of .*$/, '由 a-z、0-9 和 - 组成的名称，最多 32 个字符'],
  [/^a name used only once$/, '不重复的名称'],
  [/^http, or another client ID: .*$/, 'http，或另一个 Client ID：同一个 Client ID 只能有一个 stream 机器人'],
  [/^a known setting; this one is not$/, '已知的设置项；这一项不存在，请删除或改正拼写'],
];

export function expectedInChinese(expected: string): string {
  const phrase = PHRASES.find(([pattern]) => pattern.test(expected));
  return phrase ? expected.replace(phrase[0], phrase[1]) : expected;
}
