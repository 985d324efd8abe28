import * as z from 'zod';
import type { PendingForm } from '../answer/event.ts';
import { BridgeError } from '../errors.ts';
import type { HttpAnswer } from '../net/http.ts';
import { readFormBody } from './form-shape.ts';
import { acceptedJson, pathPart, readAccepted, type DifyHttp } from './http.ts';

/** What a field of a form is given: a text, a file or several, as Dify's requests write them (`wireFile`). */
export type FormValue = string | object | readonly object[];

/** A form with its answer. */
export interface FilledForm {
  token: string;
  /** The person whom the run was started for. */
  user: string;
  /** The id of one of the form's actions. */
  action: string;
  /** A value for every field of the form, by its name. */
  inputs: Readonly<Record<string, FormValue>>;
}

const FORM_TIMEOUT_MS = 10_000;

const refusalBody = z.object({ code: z.string().nullish() });

/**
 * What a form asks.
 *
 * @throws BridgeError `form_closed` when it was answered, `form_expired` when it is not open any more; else a `dify_…`
 * code.
 */
export async function getForm(http: DifyHttp, token: string): Promise<PendingForm> {
  const answer = await http.get(formPath(token), { timeoutMs: FORM_TIMEOUT_MS });
  throwFormRefusal(answer);
  return readAccepted(answer, (json) => readFormBody(json, token));
}

/**
 * Answers a form; its run goes on at once. Dify takes the first answer that fits, and after a refused one the form is open
 * as before. When no response comes, the answer may have arrived: a second one would be refused with `form_closed` then.
 *
 * @throws BridgeError `form_closed` when it was answered before, `form_expired` when it is not open any more,
 * `form_invalid` when the values do not fit; else a `dify_…` code.
 */
export async function submitForm(http: DifyHttp, { token, action, inputs, user }: FilledForm): Promise<void> {
  const answer = await http.post(formPath(token), { action, inputs, user }, { timeoutMs: FORM_TIMEOUT_MS });
  throwFormRefusal(answer);
  acceptedJson(answer);
}

const formPath = (token: string) => `/form/human_input/${pathPart(token)}`;

/** @throws BridgeError for the refusals that say something of the form. */
function throwFormRefusal({ status, json }: HttpAnswer): void {
  switch (status) {
    case 412:
      throw refusalBody.safeParse(json).data?.code === 'human_input_form_submitted'
        ? new BridgeError('form_closed', 'the form was answered before', { status })
        : new BridgeError('form_expired', 'the form has expired', { status });
    case 404:
      throw new BridgeError('form_expired', 'the form is not there any more', { status });
    case 400:
      throw new BridgeError('form_invalid', 'the values do not fit the form', { status });
  }
}
