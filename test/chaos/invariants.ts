// What must hold after a chaos run, told from the simulators' records alone.
import { ACCEPT, TAKE_OVER } from '../../lib/state/redis/scripts.ts';
import { turnIdOf } from '../../lib/turn/record.ts';
import type { SimulatedCard, SimulatedMessage } from '../../playground/dingtalk/types.ts';
import type { UpstashRequest } from '../support/upstash-front.ts';
import { ROBOTS, UPSTREAM_MARK, type PlannedQuestion } from './plan.ts';
import { isCommandReply, isPointer, isQueueFull, readShown, type Shown } from './sentences.ts';
import type { Delivered, Records } from './world.ts';

export interface Verdict {
  broken: string[];
  /** What was let pass, with the reason: by rule, how often. */
  excused: Record<string, number>;
  /** How the questions ended: `whole`, `part`, `sentence`, … */
  outcomes: Record<string, number>;
}

/** A question with all that was seen of it. */
interface Case {
  question: Delivered<PlannedQuestion>;
  name: string;
  turnId: string;
  answer: string;
  card: SimulatedCard | null;
  messages: { message: SimulatedMessage; shown: Shown }[];
  /** Somebody tried to take it over from an instance that was silent. */
  wasTakenOver: boolean;
  /** An instance that accepted it never heard from the store, so it could only answer from itself alone. */
  wasUnrecorded: boolean;
  conversation: string;
}

export function judge(records: Records): Verdict {
  const verdict: Verdict = { broken: [], excused: {}, outcomes: {} };
  const breaks = (rule: string, detail: string) => verdict.broken.push(`${rule}: ${detail}`);
  const excuses = (rule: string) => (verdict.excused[rule] = (verdict.excused[rule] ?? 0) + 1);
  const cases = casesOf(records);

  if (!records.isSettled) breaks('unsettled', 'something was still overdue, open or running when patience ended');
  for (const crash of records.crashes) breaks('crash', crash);
  for (const each of cases) {
    judgeOutcome(each, records, verdict, breaks, excuses);
    judgeTexts(each, breaks);
    judgeRuns(each, records, breaks, excuses);
  }
  judgeRefusals(cases, records, breaks);
  judgeOrphans(cases, records, breaks);
  judgeViolations(cases, records, breaks, excuses);
  judgeOverlaps(cases, records, breaks, excuses);
  return verdict;
}

type Breaks = (rule: string, detail: string) => void;
type Excuses = (rule: string) => void;

function casesOf({ questions, dingtalk, store, logs }: Records): Case[] {
  const accepts = store.filter(({ commands }) => commands[0]?.[1] === ACCEPT);
  const takeOvers = new Set(store.flatMap(({ commands: [command] }) => (command?.[1] === TAKE_OVER ? command : [])));
  const late = new Set(logs.flatMap(({ line }) => (line['kind'] === 'question-unrecorded' ? line['turn'] : [])));
  return questions.map((question) => {
    const { planned, msgId } = question;
    const { robot, number, words, from, group } = planned;
    const turnId = turnIdOf(msgId);
    const answer = words.join(' ');
    const simulator = dingtalk[robot];
    const messages = simulator.messages
      .map((message) => ({ message, shown: readShown(message.text, answer) }))
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
      wasTakenOver: takeOvers.has(turnId),
      // A reply that came too late was heard by nobody, whatever the store says.
      wasUnrecorded:
        late.has(turnId.slice(0, 8)) || unheard(accepts.filter(({ commands: [command] }) => command?.includes(turnId))),
      conversation: `${robot} ${group ?? from}${robot === 'easy' && group !== null ? '' : ` ${from}`}`,
    };
  });
}

/** Whether one of those who accepted it (each with an owner's name of its own) got no reply. */
function unheard(accepts: readonly UpstashRequest[]): boolean {
  const heard = new Map<string, boolean>();
  for (const { commands, status } of accepts) {
    // EVAL, script, number of keys, seven keys, prefix, turn, owner.
    const owner = commands[0]?.[12] ?? '';
    heard.set(owner, (heard.get(owner) ?? false) || status === 200);
  }
  return [...heard.values()].includes(false);
}

function judgeOutcome(each: Case, records: Records, verdict: Verdict, breaks: Breaks, excuses: Excuses): void {
  const { question, card, messages, name, answer } = each;
  if (question.takenAtMs === null) {
    excuses('never taken by anybody');
    return;
  }
  const count = (what: string) => (verdict.outcomes[what] = (verdict.outcomes[what] ?? 0) + 1);
  const isEnded = card !== null && card.endedAt !== null;
  // A card that could not be ended in time says where its answer is: that is one outcome.
  const ended = isEnded && !(isPointer(card.content) && messages.length > 0);
  if (card && !isEnded && endRefusals(each, records) < 5)
    breaks('card unfinished', `${name}: ${JSON.stringify(card.content)}${storyOf(each, records)}`);
  if (messages.length + (ended ? 1 : 0) > 1) {
    const [first = 0, last = 0] = [messages[0], messages.at(-1)].map((entry) => entry?.message.at);
    const endedAtMs = card?.endedAt ?? first;
    // Neither reply has an id of its own (`protocol/dingtalk.md` 2 and 7), so after a death between a message and its
    // record nobody can tell whether it was sent; said twice is better than not at all. A card tells that it has ended.
    const isUnknowable = first <= endedAtMs && each.wasTakenOver;
    if (isUnknowable && hasKill(records, first - SLOWEST_MS, Math.max(last, endedAtMs)))
      excuses('said again after a death');
    else
      breaks(
        'two outcomes',
        `${name}: ${ended ? 'a card that ended, and ' : ''}${messages.length} message(s)${storyOf(each, records)}`,
      );
  }
  if (!ended && messages.length === 0) {
    const excuse = withoutOutcome(each, records);
    if (excuse === null) breaks('no outcome', `${name}${storyOf(each, records)}`);
    else excuses(`no outcome: ${excuse}`);
    return;
  }
  const shown = ended ? readShown(card.content, answer) : messages[0]?.shown;
  if (!shown) return;
  // Nothing on the wire says that an answer of an easy app was stopped (`protocol/dify.md` 2.6).
  const wasStopped = runsOf(each, records).some(({ status }) => status === 'stopped');
  if (!shown.isEnded && shown.answer !== answer && !wasStopped)
    breaks(
      'cut short in silence',
      `${name}: ${JSON.stringify(ended ? card.content : messages[0]?.message.text)}${storyOf(each, records)}`,
    );
  const how = shown.answer === answer ? 'whole' : shown.answer === '' ? 'sentence' : 'part';
  count(`${how} ${ended ? 'on its card' : 'as a message'}`);
}

/** The slowest call that is planned. */
const SLOWEST_MS = 5_500;
/** Longer than whoever answers waits for another instance's card. */
const SLOW_MS = 2_500;

const hasKill = ({ kills }: Records, fromMs: number, untilMs: number) =>
  kills.some(({ atMs }) => atMs >= fromMs - 200 && atMs <= untilMs);

function endRefusals({ question, turnId }: Case, { dingtalk }: Records): number {
  return dingtalk[question.planned.robot].calls.filter(
    ({ api, request, status }) =>
      api === 'streaming' &&
      request['outTrackId'] === turnId &&
      (request['isFinalize'] === true || request['isError'] === true) &&
      status !== 200,
  ).length;
}

/** That too many wait is an outcome as well: as many questions must be without another one as were told so. */
function judgeRefusals(cases: readonly Case[], { dingtalk }: Records, breaks: Breaks): void {
  const place = ({ planned }: Case['question']) =>
    planned.group ?? dingtalk[planned.robot].singleConversation(planned.from);
  for (const robot of ROBOTS) {
    const told = dingtalk[robot].messages
      .filter(({ text }) => isQueueFull(text))
      .map(({ conversationId }) => conversationId);
    const without = cases
      .filter(({ question, card, messages }) => question.planned.robot === robot && !card && messages.length === 0)
      .map(({ question }) => place(question));
    for (const each of new Set(told)) {
      const count = (places: readonly string[]) => places.filter((other) => other === each).length;
      if (count(told) > count(without))
        breaks(
          'two outcomes',
          `${robot} ${each}: ${count(told)} were told that too many wait, ${count(without)} have no answer`,
        );
    }
  }
}

/** Why a question may be without an outcome; null when it may not. */
function withoutOutcome(each: Case, records: Records): string | null {
  const { question, conversation } = each;
  const { robot, from, group } = question.planned;
  const simulator = records.dingtalk[robot];
  const place = group ?? simulator.singleConversation(from);
  const takenAtMs = question.takenAtMs ?? 0;
  const said = simulator.messages.filter(({ conversationId, at }) => conversationId === place && at >= takenAtMs);
  if (said.some(({ text }) => isQueueFull(text))) return 'told that too many wait';
  // Accepted by one instance alone, which then died: the price of accepting without a store.
  if (each.wasUnrecorded && hasKill(records, takenAtMs - 1_000, takenAtMs + 30_000))
    return 'the store was away, and the one instance died';
  const stop = records.commands.find(
    ({ planned, takenAtMs: at }) =>
      planned.text === '/stop' && conversationOf(planned) === conversation && at !== null && at >= takenAtMs,
  );
  if (stop && runsOf(each, records).length === 0) return 'dropped by /stop before it had a card';
  // A reply has no id of its own, so one without an answer is not sent again: it may have been shown.
  const firstWord = each.answer.split(' ', 1)[0] ?? '';
  const isItsReply = (request: unknown) => JSON.stringify(request).includes(`${firstWord} `);
  const unanswered = simulator.calls.some(
    ({ api, outcome, request }) => api === 'sendBySession' && outcome !== 'answered' && isItsReply(request),
  );
  return unanswered ? 'its message was sent without an answer' : null;
}

const conversationOf = ({ robot, from, group }: { robot: string; from: string; group: string | null }) =>
  `${robot} ${group ?? from}${robot === 'easy' && group !== null ? '' : ` ${from}`}`;

function judgeTexts({ card, messages, answer, name, turnId, wasTakenOver }: Case, breaks: Breaks): void {
  let longest = 0;
  const check = (where: string, text: string) => {
    const shown = readShown(text, answer);
    if (text.includes(UPSTREAM_MARK)) breaks('upstream text', `${name} ${where}: ${JSON.stringify(text)}`);
    else if (shown.foreign.length > 0) breaks('wrong text', `${name} ${where}: ${JSON.stringify(text)}`);
    if (shown.references.some((reference) => reference !== turnId.slice(0, 8)))
      breaks('wrong reference', `${name} ${where}: ${JSON.stringify(text)}`);
    return shown;
  };
  for (const [index, frame] of (card?.frames ?? []).entries()) {
    const shown = check(`frame ${index}`, frame.content);
    // Who takes over may know less than was shown.
    if (shown.answer.length < longest && !wasTakenOver)
      breaks('text went back', `${name} frame ${index}: ${JSON.stringify(frame.content)}`);
    longest = Math.max(longest, shown.answer.length);
  }
  for (const { message } of messages) check('message', message.text);
}

const runsOf = ({ question }: Case, { dify }: Records) => {
  const mark = `q${question.planned.number}q`;
  return dify.runs.filter(({ query }) => query.includes(mark));
};

function judgeRuns(each: Case, records: Records, breaks: Breaks, excuses: Excuses): void {
  const runs = runsOf(each, records);
  if (runs.length <= 1) return;
  // The claim was carried out, twice unheard: then the record waits for its turn, and whoever ends the one before asks.
  if (each.wasUnrecorded) excuses('asked twice: the store was away, or late');
  else breaks('asked twice', `${each.name}: ${runs.length} runs${storyOf(each, records)}`);
}

/** Messages that belong to no question and no command, and cards of nobody. */
function judgeOrphans(cases: readonly Case[], { dingtalk, commands }: Records, breaks: Breaks): void {
  for (const robot of ROBOTS) {
    const ofRobot = cases.filter(({ question }) => question.planned.robot === robot);
    const known = new Set(ofRobot.flatMap(({ messages }) => messages.map(({ message }) => message.id)));
    const cardIds = new Set(ofRobot.map(({ turnId }) => turnId));
    for (const id of dingtalk[robot].cards.keys()) if (!cardIds.has(id)) breaks('card of nobody', `${robot} ${id}`);
    const replies = new Map<string, string[]>();
    for (const { id, at, channel, text, conversationId } of dingtalk[robot].messages) {
      if (text.includes(UPSTREAM_MARK)) breaks('upstream text', `${robot}: ${JSON.stringify(text)}`);
      if (known.has(id) || isQueueFull(text)) continue;
      const shown = readShown(text, '');
      if (isCommandReply(text))
        replies.set(conversationId, [...(replies.get(conversationId) ?? []), `${at} ${channel} ${text}`]);
      else if (shown.foreign.length > 0 || !shown.isPassing)
        breaks('message of nobody', `${robot}: ${JSON.stringify(text)}`);
    }
    for (const [place, told] of replies) {
      const asked = commands.filter(
        ({ planned }) =>
          planned.robot === robot && (planned.group ?? dingtalk[robot].singleConversation(planned.from)) === place,
      );
      if (told.length > asked.length) {
        const typed = asked.map(({ planned, takenAtMs }) => `${takenAtMs} ${planned.text}`);
        breaks('command answered twice', `${robot} ${place}: ${JSON.stringify({ told, typed })}`);
      }
    }
  }
}

/**
 * What a client could not know: whoever takes a turn over from an instance that died does not know what that one was
 * told last, so it may make the card again, write to one that has ended, or meet a call of the other one.
 */
const UNKNOWABLE: readonly string[] = ['param.stream.finished', 'param.cardAlreadyExist', 'unknownError'];

function judgeViolations(cases: readonly Case[], records: Records, breaks: Breaks, excuses: Excuses): void {
  const { dingtalk, dify } = records;
  const byTurn = new Map(cases.map((each) => [each.turnId, each]));
  for (const robot of ROBOTS) {
    for (const { code, api, message, outTrackId, at } of dingtalk[robot].violations) {
      const of = byTurn.get(outTrackId ?? '');
      // A card that was made while its question waited may have been made by an instance that died since.
      const mayHaveDied = of !== undefined && hasKill(records, of.question.takenAtMs ?? 0, at);
      const before = dingtalk[robot].calls.filter((call) => call.request['outTrackId'] === outTrackId && call.at < at);
      // One that is slow to say that it made it is not waited for by whoever answers, nor is a slow frame by the last.
      const tookMs = (call: (typeof before)[number]) =>
        call.at - (of?.question.takenAtMs ?? call.at) + (call.durationMs ?? 0);
      const isSlow =
        (code === 'param.cardAlreadyExist' && before.some((call) => tookMs(call) > SLOW_MS)) ||
        (code === 'unknownError' && before.some(({ durationMs }) => (durationMs ?? 0) > SLOW_MS));
      // A card may be there when no call to make it had an answer, and then it must be ended.
      const made = before.filter((call) => call.api === 'createAndDeliver');
      const mayBeThere = made.length > 0 && made.every(({ outcome }) => outcome !== 'answered');
      if (code === 'param.stream.outTrackId' && mayBeThere) {
        excuses('the end of a card that may have been there');
        continue;
      }
      const isHandedOn = of !== undefined && (of.wasTakenOver || of.wasUnrecorded || mayHaveDied || isSlow);
      if (isHandedOn && UNKNOWABLE.includes(code)) excuses(`${code} after a change of hands`);
      else
        breaks(
          'refused by DingTalk',
          `${of?.name ?? robot} ${api} ${code}: ${message}${of ? storyOf(of, records) : ''}`,
        );
    }
  }
  for (const { code, message } of dify.violations) {
    if (code === 'concurrent-with-orphan') excuses('a run beside one whose client was gone');
    else breaks('refused by Dify', `${code}: ${message}`);
  }
}

/** Two runs at a time in a conversation as people see it, whatever Dify's own conversations are. */
function judgeOverlaps(cases: readonly Case[], records: Records, breaks: Breaks, excuses: Excuses): void {
  const runs = cases
    .flatMap((each) => runsOf(each, records).map((run) => ({ each, run })))
    .toSorted((a, b) => a.run.startedAt - b.run.startedAt);
  for (const [index, { each, run }] of runs.entries()) {
    for (const earlier of runs.slice(0, index)) {
      const endMs = Math.min(earlier.run.finishedAt ?? Infinity, earlier.run.disconnectedAt ?? Infinity);
      if (earlier.each.conversation !== each.conversation || endMs <= run.startedAt) continue;
      if (earlier.run.status === 'paused') continue;
      if (each.wasUnrecorded || earlier.each.wasUnrecorded)
        excuses('runs side by side: one was accepted without the store');
      else breaks('runs side by side', `${earlier.each.name} and ${each.name}`);
    }
  }
}

const LOG_FIELDS: ReadonlySet<string> = new Set(['event', 'code', 'kind', 'hop', 'asked', 'found', 'outcome']);

/** What happened to a question, for whoever has to find out. */
function storyOf(each: Case, records: Records): string {
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
    taken over: ${each.wasTakenOver}, unrecorded: ${each.wasUnrecorded}; runs: ${runs.join(', ')}
    calls: ${calls.join(' · ')}
    dify: ${asked.join(' · ')}
    messages: ${each.messages.map(({ message }) => `${message.at - (takenAtMs ?? 0)} ${message.channel} ${JSON.stringify(message.text)}`).join(' · ')}
    logs: ${logs.join(' ')}`;
}
