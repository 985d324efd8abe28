import * as z from 'zod';
import type { DingTalkConfig } from '../config/robot.ts';
import { BridgeError, safeUpstreamCode, type DeliveryErrorCode } from '../errors.ts';
import type { Fetch } from '../net/http.ts';
import { multipart, sendForm } from '../net/multipart.ts';
import type { Clock } from '../runtime/clock.ts';
import { remedyFor } from './failures.ts';
import { noAnswer } from './http.ts';

export interface MediaFile {
  /** DingTalk takes jpg, gif, png and bmp as images, and office files, pdf, zip and rar as files; 20 MB each. */
  type: 'image' | 'file';
  name: string;
  mimeType: string;
  /** Bytes; null when not known beforehand. */
  size: number | null;
  bytes: AsyncIterable<Uint8Array>;
  signal?: AbortSignal | undefined;
}

/** Sends a file to DingTalk and gives its media id. */
export type MediaUpload = (file: MediaFile, accessToken: string) => Promise<string>;

const API = 'uploadMedia';

/** Long enough for 20 MB over a slow line. */
const TIMEOUT_MS = 60_000;

const code = z.union([z.number(), z.string().transform(Number)]);

/** HTTP is 200 also for a refusal: `errcode` says which. Where it is 88, `sub_code` says more. */
const uploadBody = z.object({ errcode: code, sub_code: code.nullish(), media_id: z.string().nullish() });

/** The id is written into markdown, so it must not hold a character that ends a link there. */
const MEDIA_ID = /^[^\s()<>[\]"\\]{1,512}$/;

/** Global error codes of the older interface; those of authentication come as `sub_code` of 88 as well. */
const ERRCODES: Readonly<Record<number, DeliveryErrorCode>> = {
  [-1]: 'dingtalk_server_error',
  40001: 'dingtalk_token_invalid',
  40014: 'dingtalk_token_invalid',
  42001: 'dingtalk_token_invalid',
  60011: 'dingtalk_permission_missing',
  60020: 'dingtalk_ip_refused',
  90018: 'dingtalk_qps',
  90020: 'dingtalk_month_used_up',
};

/**
 * The older interface takes the token only in the address. Errors of the call can contain that address, so they are not
 * kept as a cause. The upload throws a BridgeError with a `dingtalk_…` code, or what the file's bytes threw.
 */
export function createMediaUpload(config: DingTalkConfig, fetch: Fetch, clock: Clock): MediaUpload {
  return async ({ type, name, mimeType, size, bytes, signal }, accessToken) => {
    const query = new URLSearchParams({ access_token: accessToken, type });
    // The page of the call lists the type among the form's fields, its examples write it into the address.
    const form = multipart({ fields: { type }, file: { field: 'media', name, type: mimeType, size, bytes } });
    const answer = await sendForm(fetch, clock, {
      url: `${config.oapiUrl}/media/upload?${query.toString()}`,
      form,
      timeoutMs: TIMEOUT_MS,
      signal,
    }).catch((error: unknown) => {
      throw form.failure() ? error : noAnswer(API, error);
    });
    const body = uploadBody.safeParse(answer.json).data;
    if (answer.status === 200 && body?.errcode === 0 && MEDIA_ID.test(body.media_id ?? '')) return body.media_id ?? '';
    throw uploadRefusal(answer.status, body ?? null);
  };
}

function uploadRefusal(status: number, body: z.infer<typeof uploadBody> | null): BridgeError {
  const upstream = body === null ? null : body.errcode === 88 ? (body.sub_code ?? 88) : body.errcode;
  const known = upstream === null ? undefined : ERRCODES[upstream];
  const ours = known ?? (status >= 500 ? 'dingtalk_server_error' : 'dingtalk_refused');
  // The usual remedy names the permissions for cards and messages. Files need another one.
  const remedy = ours === 'dingtalk_permission_missing' ? 'grant the app qyapi_base' : remedyFor(ours);
  const upstreamCode = upstream === null ? null : safeUpstreamCode(String(upstream));
  return new BridgeError(ours, remedy ?? `DingTalk refused ${API}`, { api: API, status, upstreamCode });
}
