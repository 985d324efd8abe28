import type { Call } from './protocol.ts';
import { createRedaction, findSecrets, mapStrings, parseJson, type Json } from './redaction.ts';

/** Where a call went, with the variables of a shell for what must not be copied. Null where that says too much. */
export function targetOf(url: URL, isDingTalk: boolean): string | null {
  const { pathname, search } = url;
  if (!isDingTalk) {
    // Links to files carry their own signature.
    const path = pathname.replace(/^.*\/v1(?=\/)/, '');
    return path.startsWith('/files/') && /sign=/.test(search) ? null : `$DIFY_API_URL${path}${withoutSigns(search)}`;
  }
  if (pathname === '/robot/sendBySession') return '$SESSION_WEBHOOK';
  if (pathname.startsWith('/v1.0/')) return `$DINGTALK_API_URL${pathname}${withoutSigns(search)}`;
  return pathname.startsWith('/media/') ? `$DINGTALK_OAPI_URL${pathname}${withoutSigns(search)}` : null;
}

const withoutSigns = (search: string) =>
  search
    .replace(/([?&]access_token=)[^&]*/, '$1$$DINGTALK_ACCESS_TOKEN')
    .replaceAll(/([?&](?:session|sign|signature|nonce|token|key)=)[^&]*/gi, '$1removed');

/** In it nothing that opens a door: no token, no code that fetches a file, no reply address. */
export function withoutSecrets(body: Json): Json {
  return mapStrings(body, createRedaction({ placeholders: new Map(), secrets: findSecrets(body) }));
}

const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** DingTalk's signature is made anew by the shell: an old one is refused, and holds for the secret only. */
const SIGNING = [
  'TIMESTAMP=$(date +%s)000',
  String.raw`SIGN=$(printf '%s\n%s' "$TIMESTAMP" "$DINGTALK_CLIENT_SECRET" | openssl dgst -sha256 -hmac "$DINGTALK_CLIENT_SECRET" -binary | base64)`,
];

const TOKEN_BODY = String.raw`"{\"appKey\":\"$DINGTALK_CLIENT_ID\",\"appSecret\":\"$DINGTALK_CLIENT_SECRET\"}"`;

/**
 * The call as a command for a shell. Keys, tokens and addresses are variables of the shell, so that it can be passed on.
 * Null where there is no request over HTTP, or its body is not all there.
 */
export function curlOf({ service, target, method, request, requestBytes, name }: Call): string | null {
  const isToken = name === 'accessToken';
  const isGone = request === null && requestBytes > 0 && !isToken;
  if (target === null || method === null || isGone || isCut(request)) return null;
  const isDify = service === 'dify';
  const headers = [
    ...(service === 'callback' ? ['"timestamp: $TIMESTAMP"', '"sign: $SIGN"'] : []),
    ...(isDify ? ['"Authorization: Bearer $DIFY_API_KEY"'] : []),
    ...(target.startsWith('$DINGTALK_API_URL') && !isToken
      ? ['"x-acs-dingtalk-access-token: $DINGTALK_ACCESS_TOKEN"']
      : []),
  ];
  const json = request === null ? null : parseJson(request);
  const body = isToken ? TOKEN_BODY : json === null ? null : quoted(JSON.stringify(withoutSecrets(json)));
  if (request !== null && json === null) return null;
  const parts = [
    `curl -sS${isDify ? 'N' : ''} -X ${method} "${target}"`,
    ...headers.map((header) => `-H ${header}`),
    ...(body === null ? [] : [`-H 'Content-Type: application/json'`, `--data-raw ${body}`]),
  ];
  return [...(service === 'callback' ? SIGNING : []), parts.join(' \\\n  ')].join('\n');
}

/** Where the callbacks of DingTalk go. */
export const CALLBACK_TARGET = '$PUBLIC_URL/api/dingtalk';

/** As the journal cuts long bodies. */
const isCut = (text: string | null) => text !== null && /… \(\+\d+\)$/.test(text);
