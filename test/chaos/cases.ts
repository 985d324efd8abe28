// The questions of a chaos run, each with everything that the simulators, the store and the logs have of it.
import { turnIdOf } from '../../lib/turn/record.ts';
import type { SimulatedCard, SimulatedMessage } from '../../playground/dingtalk/types.ts';
import type { UpstashRequest } from '../support/upstash-front.ts';
import { argumentOf, runsScript, type Code } from './code.ts';
import type { PlannedQuestion } from './plan.ts';
import type { Sentences, Shown } from './sentences.ts';
import type { Delivered, Records } from './world.ts';

/** A question with everything that was recorded of it. */
export interface Case {
  question: Delivered<PlannedQuestion>;
  name: string;
  turnId: string;
  answer: string;
  card: SimulatedCard | null;
  messages: { message: SimulatedMessage; shown: Shown }[];
  /** An instance asked the store to take it over because its lease had lapsed: the one before was killed, or late. */
  wasTakenOver: boolean;
  /** An instance asked for it because the one before, whose time was up, had handed it over. */
  wasHandedOver: boolean;
  /** An instance that accepted it got no reply from the store, so it answered without a record. */
  wasUnrecorded: boolean;
  /** A request to the store about it failed, so its record may lack what an instance knew. */
  hadStoreFault: boolean;
  conversation: string;
}

export function casesOf({ questions, dingtalk, store, logs, codes }: Records, sentences: Sentences): Case[] {
  const ran = (script: 'accept' | 'takeOver') =>
    store.filter(({ commands: [command] }) => codes.some((code) => runsScript(command, code[script])));
  const accepts = ran('accept');
  // The fence is empty when the lease had lapsed.
  const takeOvers = ran('takeOver').map(({ commands: [command = []] }) => ({
    turnId: command[3]?.split(':turn:')[1],
    claim: argumentOf(command, codes, 'takeOver', /^(?:claim|fence)$/u),
  }));
  const lapsed = new Set(takeOvers.flatMap(({ turnId, claim }) => (claim === '' ? turnId : [])));
  const handedOver = new Set(takeOvers.flatMap(({ turnId, claim }) => (claim === '' ? [] : turnId)));
  const failed = store
    .filter(({ status }) => status !== 200)
    .flatMap(({ commands: [command = []] }) => command.filter((_, index) => index > 1));
  const late = new Set(logs.flatMap(({ line }) => (line['kind'] === 'question-unrecorded' ? line['turn'] : [])));
  return questions.map((question) => {
    const { planned, msgId } = question;
    const { robot, number, words, from, group } = planned;
    const turnId = turnIdOf(msgId);
    const answer = words.join(' ');
    const simulator = dingtalk[robot];
    const messages = simulator.messages
      .filter(({ text }) => !sentences.isBeside(text))
      .map((message) => ({ message, shown: sentences.read(message.text, answer) }))
      .filter(
        ({ message, shown }) =>
          new RegExp(`\\ba${number}w\\d`, 'u').test(message.text) || shown.references.includes(turnId.slice(0, 8)),
      );
    return {
      question,
      name: `q${number} (${robot}, ${from}${group === null ? '' : ` in ${group}`})`,
      turnId,
      answer,
      card: simulator.cards.get(turnId) ?? null,
      messages,
      wasTakenOver: lapsed.has(turnId),
      wasHandedOver: handedOver.has(turnId),
      // The instance gave up waiting before the reply came, although the store answered 200.
      wasUnrecorded:
        late.has(turnId.slice(0, 8)) ||
        hasUnanswered(
          accepts.filter(({ commands: [command] }) => command?.[3]?.endsWith(`:turn:${turnId}`)),
          codes,
        ),
      hadStoreFault: failed.some((argument) => argument.includes(turnId)),
      conversation: conversationOf(planned),
    };
  });
}

/** Whether one of the instances that accepted it, each under its own owner's name, got no reply. */
function hasUnanswered(accepts: readonly UpstashRequest[], codes: readonly Code[]): boolean {
  const isAnswered = new Map<string, boolean>();
  for (const {
    commands: [command = []],
    status,
  } of accepts) {
    const owner = argumentOf(command, codes, 'accept', /^owner$/u) ?? '';
    isAnswered.set(owner, (isAnswered.get(owner) ?? false) || status === 200);
  }
  return [...isAnswered.values()].includes(false);
}

export const conversationOf = ({ robot, from, group }: { robot: string; from: string; group: string | null }) =>
  `${robot} ${group ?? from}${robot === 'easy' && group !== null ? '' : ` ${from}`}`;

export const runsOf = ({ question }: Case, { dify }: Records) => {
  const mark = `q${question.planned.number}q`;
  return dify.runs.filter(({ query }) => query.includes(mark));
};

const LOG_FIELDS: ReadonlySet<string> = new Set(['event', 'code', 'kind', 'hop', 'asked', 'found', 'outcome']);

/** What happened to a question, for the person who looks for the cause. */
export function storyOf(each: Case, records: Records): string {
  const { question, turnId } = each;
  const { planned, takenAtMs } = question;
  const calls = records.dingtalk[planned.robot].calls
    .filter(({ request }) => request['outTrackId'] === turnId)
    .map(
      ({ api, code, fault, outcome, request, at, durationMs }) =>
        `${at - (takenAtMs ?? at)}+${durationMs} ${api}${request['isFinalize'] === true ? '!' : ''}${request['isError'] === true ? '?' : ''} ${code ?? outcome}${fault === null ? '' : ` (${fault})`}`,
    );
  const runs = runsOf(each, records).map(
    ({ status, disconnectedAt, startedAt }) =>
      `${startedAt - (takenAtMs ?? 0)} ${status}${disconnectedAt === null ? '' : ' cut off'}`,
  );
  const asked = records.dify.requests
    .filter(({ body }) => JSON.stringify(body).includes(`q${planned.number}q`))
    .map(({ at, status, fault, conversationId, responseBytes }) =>
      [at - (takenAtMs ?? 0), status, fault ?? '', conversationId ?? '', responseBytes].join(' '),
    );
  const logs = records.logs
    .filter(({ line }) => line['turn'] === turnId.slice(0, 8))
    .map(
      ({ instance, line }) =>
        `${instance}:${Object.entries(line)
          .filter(([key]) => LOG_FIELDS.has(key))
          .map(([, value]) => String(value))
          .join('=')}`,
    );
  return `
    planned: ${JSON.stringify({ ...planned, words: planned.words.length })}
    taken over: ${each.wasTakenOver}, handed over: ${each.wasHandedOver}, unrecorded: ${each.wasUnrecorded}; runs: ${runs.join(', ')}
    calls: ${calls.join(' · ')}
    dify: ${asked.join(' · ')}
    messages: ${each.messages.map(({ message }) => `${message.at - (takenAtMs ?? 0)} ${message.channel} ${JSON.stringify(message.text)}`).join(' · ')}
    logs: ${logs.join(' ')}`;
}
