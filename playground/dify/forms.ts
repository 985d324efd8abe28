import { isText, type Json } from '../http/shape.ts';
import { createAttachments } from './attachments.ts';
import { formBody, readSubmission, submissionMistake, type FormFacts } from './form-facts.ts';
import type { Memory } from './memory.ts';
import type { Player } from './player.ts';
import { answerJson, invalidField, recorded, refuse, type Refusal } from './refusal.ts';
import type { ChunkScript, DifyForm, FormSubmission, Pause } from './types.ts';

interface OpenForm {
  form: DifyForm;
  facts: FormFacts;
  pause: Pause;
  player: Player;
  cancelTimer: () => void;
}

/** One day: Node's timers fire at once when they are to wait for more than 24.8 days. */
const LONGEST_WAIT_MS = 86_400_000;

const notFound = (token: string): Refusal => {
  const route = '/form/human_input/<string:form_token>';
  return refuse(
    404,
    'not_found',
    `Form not found. You have requested this URI [/v1/form/human_input/${token}] but did you mean /v1${route} or /api${route} or /console/api${route} ?`,
  );
};

const goodEnd: ChunkScript = { chunks: [] };
const timedOut: ChunkScript = { chunks: [], ending: { kind: 'failed', message: 'Human input form timed out' } };

export interface Forms {
  /** A run has paused; its form waits from now on. */
  open(player: Player, pause: Pause, facts: FormFacts): void;
  show(key: string, token: string): Refusal;
  submit(key: string, token: string, body: Json): Refusal;
  /** Ends the timers of the forms that wait. */
  close(): void;
}

/** What people are asked in the middle of a run (protocol 1.4). */
export function createForms(memory: Memory): Forms {
  const { behaviour, clock } = memory;
  const forms: OpenForm[] = [];
  const { readField } = createAttachments(memory);

  const expire = (open: OpenForm) => {
    const { form, facts, pause, player } = open;
    form.status = 'expired';
    player.resume({ facts, submission: null }, pause.onTimeout ?? timedOut);
  };

  /** A timer that looks again, because the clock may be one that does not move by itself. */
  const watch = (open: OpenForm) => {
    const waitMs = Math.max(1, Math.min(LONGEST_WAIT_MS, open.form.expiresAt - clock.now()));
    open.cancelTimer = clock.schedule(waitMs, () => {
      if (open.form.status !== 'waiting') return;
      if (clock.now() >= open.form.expiresAt) expire(open);
      else watch(open);
    });
  };

  /** The form, or why there is none to be seen. */
  const find = (key: string, token: string): OpenForm | Refusal => {
    const open = forms.find(({ form, player }) => form.token === token && player.run.key === key);
    // protocol 1.4: the endpoints came with those for run events.
    if (!open || !behaviour.runEvents || open.facts.byMailOnly) return notFound(token);
    const { form } = open;
    if (form.status === 'waiting' && clock.now() >= form.expiresAt) {
      open.cancelTimer();
      expire(open);
    }
    if (form.status === 'expired')
      return refuse(412, 'human_input_form_expired', `This form has expired, form_id=${form.id}`);
    if (form.status === 'submitted')
      return refuse(
        412,
        'human_input_form_submitted',
        `This form has already been submitted by another user, form_id=${form.id}`,
      );
    return open;
  };

  const accept = (open: OpenForm, user: string, submission: FormSubmission) => {
    const { form, facts, pause, player } = open;
    open.cancelTimer();
    const script = pause.onSubmit?.(submission) ?? goodEnd;
    form.status = 'submitted';
    form.user = user;
    form.submitted = submission;
    player.resume({ facts, submission }, script);
  };

  return {
    open(player, pause, facts) {
      const { id, token, expiresAt } = facts;
      const form: DifyForm = { id, token, status: 'waiting', expiresAt, user: null, submitted: null };
      const open = { form, facts, pause, player, cancelTimer: () => {} };
      // The newest first, in case a script gives the same token to all its runs.
      forms.unshift(open);
      player.run.forms = [...player.run.forms, form];
      watch(open);
    },
    show(key, token) {
      const found = find(key, token);
      return 'form' in found ? answerJson(formBody(found.facts, behaviour)) : found;
    },
    submit(key, token, body) {
      const { user } = body;
      if (!isText(user)) {
        memory.blame('missing-user', 'user must be a text that is not empty');
        return recorded('missing-user');
      }
      const found = find(key, token);
      if (!('form' in found)) return found;
      const submission = readSubmission(body);
      if (!submission) {
        memory.blame('invalid-body', 'a form is submitted with inputs and an action');
        const model = 'HumanInputFormSubmitPayload';
        return isText(body['action'])
          ? invalidField(model, 'inputs', body['inputs'], 'dictionary')
          : invalidField(model, 'action', body['action'], 'string');
      }
      // protocol 1.4: any user may submit it, and a refused submission leaves the form as it was.
      const mistake = submissionMistake(found.facts, submission, { key, user }, readField, behaviour);
      if (mistake !== undefined) return refuse(400, 'invalid_form_data', mistake);
      accept(found, user, submission);
      return answerJson({});
    },
    close() {
      for (const { cancelTimer } of forms) cancelTimer();
    },
  };
}
