import type { Clock } from '../../lib/runtime/clock.ts';
import type { Fetch } from '../../lib/net/http.ts';
import type { DingTalkSimulator } from '../dingtalk/types.ts';
import { parseJson, recordOf } from '../http/shape.ts';
import type { Journal, OpenCall } from './journal.ts';
import { targetOf } from './curl.ts';
import { disturbDify, startsRun } from './dify-trouble.ts';
import type { OpenExchange, Recorder } from './recorder.ts';
import { isTroubled, watchedLife, watchedQuestion } from './watch.ts';

export interface WatchedFetchOptions {
  clock: Clock;
  dingtalk: DingTalkSimulator;
  journal: Journal;
  recorder: Recorder;
  /** Called before a request to DingTalk leaves, so that what it brings about can be told whose it is. */
  onDingTalkRequest: (request: { path: string; body: string; question: string | null }) => void;
}

/** Longest part of a stream that is kept to look at. */
const KEPT_STREAM_CHARS = 8_000;
/** A function that is to be killed lives so long once Dify answers: some words are on the card by then. */
const DIES_AFTER_MS = 1_000;
/** Enough to hold the event that ends a stream: it repeats the inputs and the outputs. */
const TAIL_CHARS = 65_536;

/** The function's way out: every call is on record, as the function itself sees it. */
export function watchFetch({ clock, dingtalk, journal, recorder, onDingTalkRequest }: WatchedFetchOptions): Fetch {
  return async (address, init) => {
    const url = new URL(address);
    const isDingTalk = url.origin === dingtalk.origin;
    const body = typeof init.body === 'string' ? init.body : '';
    const isToken = isDingTalk && url.pathname.endsWith('/accessToken');
    const question = watchedQuestion();
    const open = journal.openCall({
      service: isDingTalk ? 'dingtalk' : 'dify',
      name: nameOf(url, isDingTalk),
      method: init.method ?? 'GET',
      target: targetOf(url, isDingTalk),
      question,
      // The one body that is nothing but secrets.
      request: isToken || body === '' ? null : withoutSecret(body),
      requestBytes: requestBytes(init),
    });
    if (isDingTalk) onDingTalkRequest({ path: url.pathname, body, question });
    const exchange = isDingTalk
      ? null
      : recorder.openExchange(question, {
          method: init.method ?? 'GET',
          path: url.pathname,
          request: body === '' ? null : body,
        });
    try {
      const disturbed = isDingTalk ? null : await disturbDify(init, url, clock);
      const response = disturbed ?? (await globalThis.fetch(address, init));
      const life = watchedLife();
      if (life && startsRun(init, url)) clock.schedule(DIES_AFTER_MS, () => life.end());
      exchange?.answered(response.status, response.headers.get('content-type'));
      if (response.body && (response.headers.get('content-type') ?? '').startsWith('text/event-stream')) {
        return follow(response, response.body, open, exchange);
      }
      const bytes = await response.bytes();
      const isText = /json|text\//.test(response.headers.get('content-type') ?? '');
      const text = isText ? new TextDecoder().decode(bytes) : '';
      if (isText) exchange?.append(text);
      open.finish({
        status: response.status,
        code: codeOf(text, response.status),
        responseBytes: bytes.length,
        counted: isDingTalk && isCounted(dingtalk, url.pathname, body),
        response: isToken ? null : withoutSecret(text),
      });
      const { status, headers } = response;
      return new Response(bytes.length === 0 ? null : bytes, { status, headers });
    } catch (error) {
      open.finish({ code: error instanceof Error ? error.name : 'failed' });
      throw error;
    }
  };
}

const PIECE_OF_TEXT = /"event": ?"(?:agent_)?(?:message|text_chunk)"/g;

/** Passes a stream on while counting it; the panel gets its beginning, an export all of it. */
function follow(
  response: Response,
  body: NonNullable<Response['body']>,
  open: OpenCall,
  exchange: OpenExchange | null,
): Response {
  const decoder = new TextDecoder();
  /** How many pieces of text may pass before the stream is cut. */
  let left = isTroubled('cutStream') ? 5 : Infinity;
  let isCut = false;
  const reader = body.getReader();
  let kept = '';
  let last = '';
  let bytes = 0;
  open.streaming(response.status);
  /** A client that leaves after the end event, or closes the connection then, has heard everything. */
  const leftAs = (code: string) =>
    /"event": ?"(?:message_end|workflow_finished|workflow_paused)"/.test(last) ? 'ok' : code;
  const end = (code: string) => {
    open.finish({ status: response.status, code, responseBytes: bytes, response: kept });
  };
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        if (isCut) {
          end('cut');
          // What the runtime's own fetch reports of a connection that broke.
          controller.error(new TypeError('terminated'));
          await reader.cancel();
          return;
        }
        const { done, value } = await reader.read();
        if (done && left === Infinity) {
          end('ok');
          controller.close();
          return;
        }
        const text = value ? decoder.decode(value, { stream: true }) : '';
        bytes += value?.byteLength ?? 0;
        last = (last + text).slice(-TAIL_CHARS);
        exchange?.append(text);
        if (kept.length < KEPT_STREAM_CHARS) kept += text;
        const pieces = [
          ...Buffer.from(value ?? [])
            .toString('latin1')
            .matchAll(PIECE_OF_TEXT),
        ];
        // Many may come at once: the first ones pass.
        const tooMany = pieces[left];
        left -= pieces.length;
        isCut = done || tooMany !== undefined;
        controller.enqueue(value?.subarray(0, tooMany?.index) ?? new Uint8Array());
      } catch (error) {
        end(leftAs(error instanceof Error ? error.name : 'failed'));
        controller.error(error);
      }
    },
    cancel(reason) {
      end(leftAs('left'));
      return reader.cancel(reason);
    },
  });
  return new Response(stream, { status: response.status, headers: response.headers });
}

function requestBytes({ body, headers }: RequestInit): number {
  if (typeof body === 'string') return Buffer.byteLength(body);
  if (body instanceof Uint8Array) return body.byteLength;
  return Number(new Headers(headers).get('content-length') ?? 0);
}

/** The secret with which DingTalk is to sign taps; it is registered, and repeated in the answer. */
const withoutSecret = (text: string) => text.replaceAll(/("apiSecret":\s*")[^"]*/g, '$1removed');

/** The last part of these paths says too little. */
const LONG_NAMES =
  /(?:messageFiles\/download|media\/upload|oToMessages\/batchSend|groupMessages\/send|callbacks\/register|card\/instances)$/;

function nameOf({ pathname }: URL, isDingTalk: boolean): string {
  if (isDingTalk) return LONG_NAMES.exec(pathname)?.[0] ?? pathname.split('/').at(-1) ?? pathname;
  // Ids say nothing, and hide what follows them.
  return pathname.replace(/^.*\/v1(?=\/)/, '').replaceAll(/\/[\w-]{20,}(?=[/.]|$)/g, '/…');
}

/** Both vendors put the reason of a refusal into the body. */
function codeOf(text: string, status: number): string {
  const { code, errcode } = recordOf(parseJson(text));
  if (typeof code === 'string' && status >= 400) return code;
  if ((typeof errcode === 'number' || typeof errcode === 'string') && Number(errcode) !== 0) return `${errcode}`;
  return status < 400 ? 'ok' : String(status);
}

/** What the simulated DingTalk itself says of this call. */
function isCounted(dingtalk: DingTalkSimulator, path: string, body: string): boolean {
  // A body that is no text (an upload) is not compared.
  const call = dingtalk.calls.findLast(
    (known) => known.path === path && (body === '' || JSON.stringify(known.request) === body),
  );
  return call?.counted ?? false;
}
