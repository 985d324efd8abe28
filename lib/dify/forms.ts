import * as z from 'zod';
import type { PendingFormDetails } from '../answer/event.ts';
import type { DifyConfig } from '../config/robot.ts';
import { BridgeError } from '../errors.ts';
import type { Fetch, HttpAnswer } from '../net/http.ts';
import type { Clock } from '../runtime/clock.ts';
import { readRefusal } from './failures.ts';
import { readFormBody } from './form-shape.ts';
import { callDify } from './http.ts';

export interface FormSubmission {
  token: string;
  /** The id of one of the form's actions. */
  action: string;
  /** A value for every field of the form, by its name. */
  inputs: Readonly<Record<string, unknown>>;
  user: string;
}

const FORM_TIMEOUT_MS = 10_000;

const refusalBody = z.object({ code: z.string().nullish() });

/**
 * What a form asks.
 *
 * @throws BridgeError `form_closed` when it was answered, `form_expired` when it is not open any more; else a `dify_…`
 * code.
 */
export async function getForm(
  config: DifyConfig,
  fetch: Fetch,
  clock: Clock,
  token: string,
): Promise<PendingFormDetails> {
  const answer = await callDify(config, fetch, clock, {
    method: 'GET',
    path: formPath(token),
    timeoutMs: FORM_TIMEOUT_MS,
  });
  if (answer.status !== 200) throw refusal(answer);
  const form = readFormBody(answer.json);
  if (!form) throw new BridgeError('dify_server_error', 'the answer cannot be read', { status: answer.status });
  return form;
}

/**
 * Answers a form; its run goes on at once. The first answer counts, whoever gives it, and a refused one leaves the form
 * as it was. Not repeated by itself: whether a lost one arrived, a second one tells by `form_closed`.
 *
 * @throws BridgeError `form_closed` when it was answered before, `form_expired` when it is not open any more,
 * `form_invalid` when the values do not fit; else a `dify_…` code.
 */
export async function submitForm(
  config: DifyConfig,
  fetch: Fetch,
  clock: Clock,
  { token, action, inputs, user }: FormSubmission,
): Promise<void> {
  const answer = await callDify(config, fetch, clock, {
    method: 'POST',
    path: formPath(token),
    body: { action, inputs, user },
    timeoutMs: FORM_TIMEOUT_MS,
  });
  if (answer.status !== 200) throw refusal(answer);
  // A proxy's page is no yes.
  if (answer.json === undefined) throw new BridgeError('dify_server_error', 'the answer is not JSON', { status: 200 });
}

const formPath = (token: string) => `/form/human_input/${encodeURIComponent(token)}`;

function refusal({ status, json }: HttpAnswer): BridgeError {
  const code = refusalBody.safeParse(json).data?.code;
  switch (status) {
    case 412:
      return code === 'human_input_form_submitted'
        ? new BridgeError('form_closed', 'the form was answered before', { status })
        : new BridgeError('form_expired', 'the form has expired', { status });
    case 404:
      return new BridgeError('form_expired', 'the form is not there any more', { status });
    case 400:
      return new BridgeError('form_invalid', 'the values do not fit the form', { status });
    default:
      return readRefusal(status, json).error;
  }
}
