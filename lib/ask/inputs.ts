import type { Message } from '../dingtalk/callback.ts';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Names that may stand in the values of DIFY_INPUTS as `{{name}}`. */
export const PLACEHOLDERS = ['staffId', 'nick', 'chatId', 'chatTitle', 'corpId', 'isAdmin', 'query'] as const;

export const PLACEHOLDER = /\{\{\s*(\w+)\s*\}\}/g;

type Values = Readonly<Record<(typeof PLACEHOLDERS)[number], string>>;

function valuesOf({ sender, chat, corpId }: Message, query: string): Values {
  return {
    staffId: sender.staffId ?? '',
    nick: sender.nick,
    chatId: chat.id,
    chatTitle: chat.title ?? '',
    corpId: corpId ?? '',
    isAdmin: String(sender.isAdmin),
    query,
  };
}

/** The app's inputs for one message: the configured values with their placeholders filled in, at any depth. */
export function fillInputs(
  template: Readonly<Record<string, Json>>,
  message: Message,
  query: string,
): Record<string, Json> {
  const values: Readonly<Record<string, string>> = valuesOf(message, query);
  const fill = (value: Json): Json => {
    if (typeof value === 'string') {
      // One pass: a placeholder in the user's own words stays as it is.
      return value.replaceAll(PLACEHOLDER, (whole, name: string) =>
        Object.hasOwn(values, name) ? (values[name] ?? '') : whole,
      );
    }
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value === 'object' && value !== null) return fillAll(value);
    return value;
  };
  const fillAll = (object: Readonly<Record<string, Json>>) =>
    Object.fromEntries(Object.entries(object).map(([key, value]) => [key, fill(value)]));
  return fillAll(template);
}
