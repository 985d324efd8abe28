import { sleep } from '../../lib/runtime/clock.ts';
import { isText, recordOf, type Json } from '../http/shape.ts';
import { parametersOf } from './app-facts.ts';
import type { Memory } from './memory.ts';
import { answerJson, invalidText, isUuid, recorded, refuse, unknownPath, type Refusal } from './refusal.ts';
import type { DifyRun, Question, SampleApp } from './types.ts';

/** What a script and a list of suggestions may depend on. */
export function questionOf(run: DifyRun, body: Json): Question {
  const { query: text, user, inputs, turn, mode, files } = run;
  return { text, user, inputs, turn, mode, body, files };
}

/** What comes after an answer: feedback and suggested questions (protocol 1.1). */
export function createOpinions(memory: Memory) {
  const { clock } = memory;
  const unknownMessage = refuse(404, 'not_found', 'Message Not Exists.');

  const findRun = (key: string, messageId: string, user: string): DifyRun | undefined =>
    memory.runs.find((run) => run.key === key && run.messageId === messageId && run.user === user);

  const missingUser = (): Refusal => {
    memory.blame('missing-user', 'user must be a text that is not empty');
    return recorded('missing-user');
  };

  /** POST /messages/:id/feedbacks; null, also by leaving it out, takes a rating back. */
  const rate = (app: SampleApp, key: string, messageId: string, body: Json): Refusal => {
    const { rating, user, content } = body;
    if (!isText(user)) return missingUser();
    if (rating !== 'like' && rating !== 'dislike' && rating !== null && rating !== undefined) {
      memory.blame('invalid-body', `a rating cannot be ${JSON.stringify(rating)}`);
      const message = "Input should be 'like' or 'dislike'";
      return invalidText('MessageFeedbackPayload', 'rating', message, rating, 'literal_error');
    }
    if (content !== undefined && !isText(content)) memory.blame('invalid-body', 'content must be a text');
    const run = app.mode === 'workflow' ? undefined : findRun(key, messageId, user);
    if (!run) return isUuid(messageId) ? unknownMessage : unknownPath;
    // Recorded on 1.14.2.
    if (!isText(rating) && run.rating === null)
      return refuse(400, 'invalid_param', 'rating cannot be None when feedback not exists');
    run.rating = rating ?? null;
    // Each rating replaces the one before, with its content.
    run.ratingContent = run.rating !== null && isText(content) ? content : null;
    memory.emit({ type: 'run', run });
    return answerJson({ result: 'success' });
  };

  /** GET /messages/:id/suggested. */
  const suggest = async (app: SampleApp, key: string, messageId: string, query: URLSearchParams): Promise<Refusal> => {
    if (app.mode === 'workflow' || app.mode === 'completion') return recorded('not-chat-app');
    const user = query.get('user');
    if (!isText(user)) return missingUser();
    const run = findRun(key, messageId, user);
    if (!run) return isUuid(messageId) ? unknownMessage : unknownPath;
    if (recordOf(parametersOf(app)['suggested_questions_after_answer'])['enabled'] !== true)
      return refuse(400, 'bad_request', 'Suggested Questions Is Disabled.');
    if (app.suggestDelayMs) await sleep(clock, app.suggestDelayMs);
    const suggestions = typeof app.suggest === 'function' ? app.suggest(questionOf(run, {})) : (app.suggest ?? []);
    return answerJson({ result: 'success', data: suggestions });
  };

  return { rate, suggest };
}
