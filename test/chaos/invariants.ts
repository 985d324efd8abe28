// What must hold after a chaos run, judged by what the simulators and the store recorded.
import { casesOf, conversationOf, runsOf, storyOf, type Case } from './cases.ts';
import { OUTSIDE, questionText, ROBOTS, UPSTREAM_MARK } from './plan.ts';
import { createSentences, type Sentences } from './sentences.ts';
import type { Records } from './world.ts';

export interface Verdict {
  /** One entry for each violation. */
  broken: string[];
  /** How often a rule did not apply, by the reason. */
  excused: Record<string, number>;
  /** How the questions ended: `whole`, `part`, `sentence`, … */
  outcomes: Record<string, number>;
}

export function judge(records: Records): Verdict {
  const verdict: Verdict = { broken: [], excused: {}, outcomes: {} };
  const breaks = (rule: string, detail: string) => verdict.broken.push(`${rule}: ${detail}`);
  const excuses = (rule: string) => (verdict.excused[rule] = (verdict.excused[rule] ?? 0) + 1);
  const sentences = createSentences([...new Set(records.codes.map(({ texts }) => texts))]);
  const cases = casesOf(records, sentences);

  if (!records.isSettled)
    breaks('unsettled', 'a turn was overdue, or something still happened, when the time for the end was over');
  for (const crash of records.crashes) breaks('crash', crash);
  judgeLogs(records, breaks);
  for (const each of cases) {
    judgeOutcome(each, records, sentences, verdict, breaks, excuses);
    judgeTexts(each, records, sentences, breaks);
    judgeRuns(each, records, breaks, excuses);
  }
  judgeTakeOvers(cases, records, breaks, excuses);
  judgeRefusals(cases, records, sentences, breaks);
  judgeOrphans(cases, records, sentences, breaks);
  judgeViolations(cases, records, breaks, excuses);
  for (const [robot, gateway] of Object.entries(records.gateways))
    for (const violation of gateway.violations) breaks('gateway', `${robot}: ${violation}`);
  judgeOverlaps(cases, records, breaks, excuses);
  return verdict;
}

/**
 * What no fault in the plan explains: a fault of the bridge, a request of the run's own that was refused, a reply of the
 * store in another shape. Two versions that do not understand each other show it in this way.
 */
function judgeLogs({ logs }: Records, breaks: Breaks): void {
  for (const { instance, line } of logs) {
    const { event, code, reason } = line;
    // Facts of the app whose connection breaks in the middle have no other code.
    const isFault = code === 'internal' && event !== 'dify_facts_unavailable';
    if (isFault || event === 'request_refused' || reason === 'the store sent an unexpected reply')
      breaks('unexplained', `instance ${instance}: ${JSON.stringify(line)}`);
  }
}

/**
 * A lease lapses while its instance lives only when the store failed or the machine stood still, which is rare. Instances that
 * do not agree on the time take one another's turns over again and again.
 */
function judgeTakeOvers(cases: readonly Case[], { logs }: Records, breaks: Breaks, excuses: Excuses): void {
  const lost = new Set(logs.flatMap(({ line }) => (line['event'] === 'turn_lost' ? line['turn'] : [])));
  const alive = cases.filter((each) => each.wasTakenOver && !each.hadStoreFault && lost.has(each.turnId.slice(0, 8)));
  for (const _ of alive) excuses('taken over although its instance lived');
  if (alive.length > Math.max(3, cases.length * 0.05))
    breaks('taken over alive', `${alive.length} of ${cases.length}: ${alive.map(({ name }) => name).join(', ')}`);
}

type Breaks = (rule: string, detail: string) => void;
type Excuses = (rule: string) => void;

function judgeOutcome(
  each: Case,
  records: Records,
  sentences: Sentences,
  verdict: Verdict,
  breaks: Breaks,
  excuses: Excuses,
): void {
  const { question, card, messages, name, answer } = each;
  if (question.takenAtMs === null) {
    excuses('no instance took the message');
    return;
  }
  const count = (what: string) => (verdict.outcomes[what] = (verdict.outcomes[what] ?? 0) + 1);
  const isEnded = card !== null && card.endedAt !== null;
  // A card that could not be ended in time says that its answer is in messages: together they are one outcome.
  const ended = isEnded && !(sentences.isPointer(card.content) && messages.length > 0);
  if (card && !isEnded && endRefusals(each, records) < 5) {
    if (wasLostWithItsInstance(each, records))
      excuses('card unfinished: the store was down, and the instance was killed');
    else breaks('card unfinished', `${name}: ${JSON.stringify(card.content)}${storyOf(each, records)}`);
  }
  if (messages.length + (ended ? 1 : 0) > 1) {
    const [first = 0, last = 0] = [messages[0], messages.at(-1)].map((entry) => entry?.message.at);
    const endedAtMs = card?.endedAt ?? first;
    // A reply has no id of its own (`protocol/dingtalk.md` 2 and 7). When an instance is killed between sending one and
    // recording that, the next instance cannot know of it and sends the answer again, so that it is not lost. A card
    // does tell that it has ended.
    const isUnknowable = first <= endedAtMs && each.wasTakenOver;
    if (isUnknowable && hasKill(records, first - SLOWEST_MS, Math.max(last, endedAtMs)))
      excuses('sent again after a kill');
    else
      breaks(
        'two outcomes',
        `${name}: ${ended ? 'a card that ended, and ' : ''}${messages.length} message(s)${storyOf(each, records)}`,
      );
  }
  if (!ended && messages.length === 0) {
    const excuse = withoutOutcome(each, records, sentences);
    if (excuse === null) breaks('no outcome', `${name}${storyOf(each, records)}`);
    else excuses(`no outcome: ${excuse}`);
    return;
  }
  const shown = ended
    ? sentences.read(card.content, answer, questionText(question.planned.number))
    : messages[0]?.shown;
  if (!shown) return;
  // Dify does not say that an answer of an easy app was stopped (`protocol/dify.md` 2.6).
  const wasStopped = runsOf(each, records).some(({ status }) => status === 'stopped');
  if (!shown.isEnded && shown.answer !== answer && !wasStopped)
    breaks(
      'cut short without a note',
      `${name}: ${JSON.stringify(ended ? card.content : messages[0]?.message.text)}${storyOf(each, records)}`,
    );
  const how = shown.answer === answer ? 'whole' : shown.answer === '' ? 'sentence' : 'part';
  count(`${how} ${ended ? 'on its card' : 'as a message'}`);
}

/** The slowest call that is planned. */
const SLOWEST_MS = 5_500;
/** The clocks of the simulators count in steps of a few milliseconds. */
const AT_ONCE_MS = 20;
/** Longer than the answering instance waits for the card that another instance makes. */
const SLOW_MS = 2_500;
/** The answering instance waits for 3 s; the notice on a card may wait a second for its slot before the card goes on record. */
const OPENED_LATE_MS = 1_800;
/** Longer than a call that makes a card takes without a fault: a handover in the meantime does not know of the card. */
const SLOW_CALL_MS = 1_000;

const hasKill = ({ kills }: Records, fromMs: number, untilMs: number) =>
  kills.some(({ atMs }) => atMs >= fromMs - 200 && atMs <= untilMs);

/** Only the instance that accepted it knew of it, and that one was killed: this can happen while the store is down. */
function wasLostWithItsInstance({ wasUnrecorded, question: { takenAtMs } }: Case, records: Records): boolean {
  return wasUnrecorded && takenAtMs !== null && hasKill(records, takenAtMs - 1_000, takenAtMs + 30_000);
}

function endRefusals({ question, turnId }: Case, { dingtalk }: Records): number {
  return dingtalk[question.planned.robot].calls.filter(
    ({ api, request, status }) =>
      api === 'streaming' &&
      request['outTrackId'] === turnId &&
      (request['isFinalize'] === true || request['isError'] === true) &&
      status !== 200,
  ).length;
}

/** "Too many questions wait" is an outcome too: as many questions must have no other outcome as were refused by it. */
function judgeRefusals(
  cases: readonly Case[],
  { dingtalk }: Records,
  { isQueueFull }: Sentences,
  breaks: Breaks,
): void {
  const place = ({ planned }: Case['question']) =>
    planned.group ?? dingtalk[planned.robot].singleConversation(planned.from);
  for (const robot of ROBOTS) {
    const refused = dingtalk[robot].messages
      .filter(({ text }) => isQueueFull(text))
      .map(({ conversationId }) => conversationId);
    const without = cases
      .filter(({ question, card, messages }) => question.planned.robot === robot && !card && messages.length === 0)
      .map(({ question }) => place(question));
    for (const each of new Set(refused)) {
      const count = (places: readonly string[]) => places.filter((other) => other === each).length;
      if (count(refused) > count(without))
        breaks(
          'two outcomes',
          `${robot} ${each}: ${count(refused)} were refused because too many wait, only ${count(without)} have no answer`,
        );
    }
  }
}

/** Why a question may be without an outcome; null when it may not. */
function withoutOutcome(each: Case, records: Records, { isQueueFull }: Sentences): string | null {
  const { question, conversation } = each;
  const { robot, from, group } = question.planned;
  const simulator = records.dingtalk[robot];
  const place = group ?? simulator.singleConversation(from);
  const takenAtMs = question.takenAtMs ?? 0;
  const said = simulator.messages.filter(({ conversationId, at }) => conversationId === place && at >= takenAtMs);
  if (said.some(({ text }) => isQueueFull(text))) return 'refused because too many wait';
  if (wasLostWithItsInstance(each, records)) return 'the store was down, and the instance was killed';
  const stop = records.commands.find(
    ({ planned, takenAtMs: at }) =>
      planned.text === '/stop' && conversationOf(planned) === conversation && at !== null && at >= takenAtMs,
  );
  if (stop && runsOf(each, records).length === 0) return 'dropped by /stop before it had a card';
  // A reply has no id of its own. The instance does not send it again when the call got no answer, for DingTalk may
  // have shown it.
  const firstWord = each.answer.split(' ', 1)[0] ?? '';
  const isItsReply = (request: unknown) => JSON.stringify(request).includes(`${firstWord} `);
  const replies = simulator.calls.filter((call) => call.api === 'sendBySession' && isItsReply(call.request));
  if (replies.some(isUnheard)) return 'DingTalk did not answer the call with its message';
  // A robot cannot begin a chat with a person of another organisation.
  const hasNoOtherWay = from === OUTSIDE && group === null && replies.some(({ code }) => code !== 'ok');
  return hasNoOtherWay ? 'DingTalk refused the reply to a person of another organisation' : null;
}

/** What became of the call, its client does not know: a gateway's 502 or 504 says nothing about it. */
const isUnheard = ({ outcome, status }: { outcome: string; status: number | null }) =>
  outcome !== 'answered' || status === 502 || status === 504;

function judgeTexts(each: Case, records: Records, sentences: Sentences, breaks: Breaks): void {
  const { question, card, messages, answer, name, turnId } = each;
  // Another instance may know less text than was shown before; where one answers without the store, two write the card.
  const isOfSeveral = each.wasTakenOver || each.wasHandedOver || each.wasUnrecorded;
  let longest = 0;
  const check = (where: string, text: string) => {
    const shown = sentences.read(text, answer, questionText(question.planned.number));
    if (text.includes(UPSTREAM_MARK)) breaks('upstream text', `${name} ${where}: ${JSON.stringify(text)}`);
    else if (shown.foreign.length > 0)
      breaks('wrong text', `${name} ${where}: ${JSON.stringify(text)}${storyOf(each, records)}`);
    if (shown.references.some((reference) => reference !== turnId.slice(0, 8)))
      breaks('wrong reference', `${name} ${where}: ${JSON.stringify(text)}`);
    return shown;
  };
  for (const [index, frame] of (card?.frames ?? []).entries()) {
    const shown = check(`frame ${index}`, frame.content);
    if (shown.answer.length < longest && !isOfSeveral)
      breaks('text went back', `${name} frame ${index}: ${JSON.stringify(frame.content)}${storyOf(each, records)}`);
    longest = Math.max(longest, shown.answer.length);
  }
  for (const { message } of messages) check('message', message.text);
}

function judgeRuns(each: Case, records: Records, breaks: Breaks, excuses: Excuses): void {
  const runs = runsOf(each, records);
  if (runs.length <= 1) return;
  const again = records.logs.filter(
    ({ line }) => line['event'] === 'question_asked_again' && line['turn'] === each.turnId.slice(0, 8),
  );
  // The answer of a chat is lost with its connection, so it is asked for once more.
  if (each.question.planned.robot === 'easy' && again.length === 1 && runs.length === 2) {
    excuses('asked once more: the answer was lost');
    return;
  }
  // The store carried the acceptance out, but its reply was lost: the accepting instance asks Dify, and so does the
  // instance that ends the turn before in the queue.
  if (each.wasUnrecorded) excuses('asked twice: the store was down, or late');
  else breaks('asked twice', `${each.name}: ${runs.length} runs${storyOf(each, records)}`);
}

/** Messages and cards that belong to no question and no command. */
function judgeOrphans(
  cases: readonly Case[],
  { dingtalk, commands }: Records,
  sentences: Sentences,
  breaks: Breaks,
): void {
  for (const robot of ROBOTS) {
    const ofRobot = cases.filter(({ question }) => question.planned.robot === robot);
    const known = new Set(ofRobot.flatMap(({ messages }) => messages.map(({ message }) => message.id)));
    const cardIds = new Set(ofRobot.map(({ turnId }) => turnId));
    for (const id of dingtalk[robot].cards.keys())
      if (!cardIds.has(id)) breaks('card without a question', `${robot} ${id}`);
    const replies = new Map<string, string[]>();
    for (const { id, at, channel, text, conversationId } of dingtalk[robot].messages) {
      if (text.includes(UPSTREAM_MARK)) breaks('upstream text', `${robot}: ${JSON.stringify(text)}`);
      if (known.has(id) || sentences.isQueueFull(text) || sentences.isBeside(text)) continue;
      const shown = sentences.read(text, '');
      if (sentences.isCommandReply(text))
        replies.set(conversationId, [...(replies.get(conversationId) ?? []), `${at} ${channel} ${text}`]);
      else if (shown.foreign.length > 0 || !shown.isPassing)
        breaks('message without a question', `${robot}: ${JSON.stringify(text)}`);
    }
    for (const [place, replied] of replies) {
      const asked = commands.filter(
        ({ planned }) =>
          planned.robot === robot && (planned.group ?? dingtalk[robot].singleConversation(planned.from)) === place,
      );
      if (replied.length > asked.length) {
        const typed = asked.map(({ planned, takenAtMs }) => `${takenAtMs} ${planned.text}`);
        breaks('command answered twice', `${robot} ${place}: ${JSON.stringify({ replied, typed })}`);
      }
    }
  }
}

/**
 * Refusals that an instance cannot avoid. One that takes a turn over does not know the last replies that the killed
 * instance got, so it may make the card again, write to a card that has ended, or write at the same time as a call of
 * the other instance. The same holds when the store did not take what the other instance knew.
 */
const UNAVOIDABLE: readonly string[] = ['param.stream.finished', 'param.cardAlreadyExist', 'unknownError'];

function judgeViolations(cases: readonly Case[], records: Records, breaks: Breaks, excuses: Excuses): void {
  const { dingtalk, dify } = records;
  const byTurn = new Map(cases.map((each) => [each.turnId, each]));
  for (const robot of ROBOTS) {
    for (const { code, api, message, outTrackId, at } of dingtalk[robot].violations) {
      const of = byTurn.get(outTrackId ?? '');
      // A card that was made while its question waited may have been made by an instance that was killed since.
      const mayBeOfKilled = of !== undefined && hasKill(records, of.question.takenAtMs ?? 0, at);
      const before = dingtalk[robot].calls.filter((call) => call.request['outTrackId'] === outTrackId && call.at < at);
      // Calls that made the card, or may have.
      const made = before.filter((call) => call.api === 'createAndDeliver' && (call.status === 200 || isUnheard(call)));
      // The answering instance does not wait for a slow call that makes the card, or for a slow frame that says that the
      // question waits, after which the card goes on record; nor does the last frame wait for a slow one.
      const tookMs = (call: (typeof before)[number]) =>
        call.at - (of?.question.takenAtMs ?? call.at) + (call.durationMs ?? 0);
      const isSlow =
        (code === 'param.cardAlreadyExist' &&
          (made.some((call) => tookMs(call) > OPENED_LATE_MS) ||
            before.some(({ durationMs }) => (durationMs ?? 0) > SLOW_CALL_MS))) ||
        (code === 'unknownError' &&
          (before.some(({ durationMs }) => (durationMs ?? 0) > SLOW_MS) || hasWaitedForToken(before)));
      // When a call to make the card got no answer, the card may exist all the same, and the instance must end it. One that
      // takes a turn over does not know how the calls of the other instance ended.
      const mayBeThere = made.every(isUnheard) && (made.length > 0 || of?.wasTakenOver === true);
      if (code === 'param.stream.outTrackId' && mayBeThere) {
        excuses('the end of a card that may have existed');
        continue;
      }
      const isUnknown =
        of !== undefined && (of.wasTakenOver || of.wasUnrecorded || of.hadStoreFault || mayBeOfKilled || isSlow);
      if (isUnknown && UNAVOIDABLE.includes(code)) excuses(`${code} after a change of instances`);
      else
        breaks(
          'refused by DingTalk',
          `${of?.name ?? robot} ${api} ${code}: ${message}${of ? storyOf(of, records) : ''}`,
        );
    }
  }
  for (const { code, message } of dify.violations) {
    if (code === 'concurrent-with-orphan') excuses('a run beside one whose connection had broken');
    else breaks('refused by Dify', `${code}: ${message}`);
  }
}

/** The token of one of the last calls, of which the newest is blamed, was refused, and the new one was long in coming. */
function hasWaitedForToken(calls: readonly { at: number; code: string | null }[]): boolean {
  const last = calls.slice(-3);
  return last.some(
    ({ code, at }, index) => code === 'InvalidAuthentication' && (last[index + 1]?.at ?? at) - at > SLOW_MS,
  );
}

/** Two runs at a time in one conversation of DingTalk, also where Dify has two conversations for it. */
function judgeOverlaps(cases: readonly Case[], records: Records, breaks: Breaks, excuses: Excuses): void {
  const runs = cases
    .flatMap((each) => runsOf(each, records).map((run) => ({ each, run })))
    .toSorted((a, b) => a.run.startedAt - b.run.startedAt);
  for (const [index, { each, run }] of runs.entries()) {
    for (const earlier of runs.slice(0, index)) {
      const endMs = Math.min(earlier.run.finishedAt ?? Infinity, earlier.run.disconnectedAt ?? Infinity);
      if (earlier.each.conversation !== each.conversation || endMs <= run.startedAt) continue;
      if (earlier.run.status === 'paused') continue;
      // The instance had given up waiting, and the user had been told so, before Dify began the run.
      if (run.disconnectedAt !== null && run.disconnectedAt - run.startedAt < AT_ONCE_MS) {
        excuses('runs side by side: one began after its connection had broken');
        continue;
      }
      if (each.wasUnrecorded || earlier.each.wasUnrecorded)
        excuses('runs side by side: one was accepted without the store');
      else
        breaks(
          'runs side by side',
          `${earlier.each.name} and ${each.name}${storyOf(earlier.each, records)}${storyOf(each, records)}`,
        );
    }
  }
}
