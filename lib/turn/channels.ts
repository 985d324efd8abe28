import type { RobotConfig } from '../config/robot.ts';
import { openCard, reopenCard, type OpenCard } from '../delivery/card.ts';
import { closeCard } from '../delivery/card-end.ts';
import { createFollowUps, type FollowUps } from '../delivery/follow-ups.ts';
import type { Limiter } from '../delivery/limiter.ts';
import { paceOf, type Pace, type Streaming } from '../delivery/pace.ts';
import type { CardSink, MessageSink } from '../delivery/sink.ts';
import type { Dify } from '../dify/dify.ts';
import type { Chat } from '../dingtalk/chat.ts';
import { createAttachments, type Attachments } from '../files/attachments.ts';
import { createResultFiles } from '../files/outbound.ts';
import { oneLine, plainLine, shortened } from '../markdown/plain-line.ts';
import type { Download } from '../net/download.ts';
import type { BridgeError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { SpendingLevel } from '../state/budget.ts';
import type { State } from '../state/state.ts';
import type { Texts } from '../texts/texts.ts';
import type { QuestionPorts } from '../ask/question.ts';
import { createAdmins } from './admins.ts';
import type { Deadline } from './deadline.ts';
import type { Lease } from './lease.ts';
import { questionLine } from './question-line.ts';
import { readProgress, referenceOf } from './record.ts';
import type { Turn } from './turn.ts';

export interface ChannelOptions {
  config: RobotConfig;
  texts: Texts;
  chat: Chat;
  dify: Pick<Dify, 'facts' | 'knownName' | 'suggestions' | 'files'>;
  state: Pick<State, 'peek' | 'claim' | 'noteDropped'>;
  download: Download;
  limiter: Limiter;
  clock: Clock;
  newId: () => string;
  log: Log;
  shutdown: AbortSignal;
}

/** What turns show themselves by. */
export interface Channels {
  /** Every call that counts is noted with the lease. */
  forTurn(turn: Turn, lease: Lease, deadline: Deadline): TurnChannels;
  /** The card of a question that waits; null where there is none. `onCall` is told of each call that counts. */
  cardOf(
    turn: Pick<Turn, 'id' | 'message' | 'question' | 'level'>,
    onCall: () => void,
    onNamed: (cardKey: string) => void,
  ): CardSink | null;
  /** Ends the card of a question that gets no answer. Never rejects. */
  endCard(turnId: string, text: string): Promise<void>;
  /** Ends the card of a question that was given up while it waited, where it has one, and reports that. Never rejects. */
  endDropped(turnId: string, hasCard: boolean): Promise<void>;
}

export interface TurnChannels {
  /** Opens the card of the turn, or goes on with it; null without a template, or while cards are left alone. */
  openCard(): OpenCard | null;
  reply: MessageSink;
  /** For what is said beside the answer: it costs no call of the month. */
  sessionReply: MessageSink;
  /** For the files of the answer; null where the month allows none. */
  attachments: Attachments | null;
  /** For the files of the question. */
  sentFiles: QuestionPorts['sentFiles'];
  followUps: FollowUps;
  /** Tells administrators of a failure that only they can mend. False where none could be told. Never rejects. */
  tellAdmins(failure: BridgeError): Promise<boolean>;
}

/** How often a card is updated at most, as far as the month allows. */
const SPENDING_PACE: Readonly<Record<SpendingLevel, Streaming>> = {
  full: 'smooth',
  few: 'thrifty',
  last: 'off',
  none: 'off',
};

/** About what a chat list shows of a line. */
const SUMMARY_CHARS = 40;

/** Longest name of an app on a card. */
const APP_CHARS = 40;

const BY_COST: readonly Streaming[] = ['off', 'thrifty', 'balanced', 'smooth'];

/** Most files of one answer: each costs two calls of the month. */
const MAX_FILES: Readonly<Record<SpendingLevel, number>> = { full: 9, few: 3, last: 0, none: 0 };

const thriftier = (a: Streaming, b: Streaming): Streaming => (BY_COST.indexOf(a) <= BY_COST.indexOf(b) ? a : b);

export function createChannels(options: ChannelOptions): Channels {
  const { config, texts, chat, dify, state, download, limiter, clock, newId, log, shutdown } = options;
  const admins = createAdmins(options);
  const cardPorts = { settleMs: config.dingtalk.cardSettleMs, limiter, clock, newId, log };

  const appName = () => shortened(plainLine(dify.knownName()), APP_CHARS);

  /** The first card of an instance is made before Dify has told the name. */
  const lateName = () => (config.dingtalk.cardButtons && appName() !== '' ? { app: appName() } : {});

  function cardOf(
    { id, message, question, level }: Parameters<Channels['cardOf']>[0],
    via: Chat,
    onNamed: (cardKey: string) => void,
  ): CardSink | null {
    if (level === 'none') return null;
    return via.newCard({
      id,
      message,
      summary: texts.answering(shortened(oneLine(question), SUMMARY_CHARS)),
      question: questionLine({ message, question }, texts),
      app: appName,
      reference: referenceOf(id),
      onNamed,
    });
  }

  async function endCard(turnId: string, text: string): Promise<void> {
    const sink = chat.openedCard(turnId);
    if (!sink) return;
    const reference = referenceOf(turnId);
    await closeCard(reopenCard(sink, reference, cardPorts), { text, state: 'finished' }, { log, reference });
  }

  function openTurnCard(turn: Turn, lease: Lease, via: Chat): OpenCard | null {
    const { hasCard } = lease.progress;
    const onNamed = (cardKey: string) => lease.note({ cardKey });
    const sink = hasCard === false ? null : cardOf(turn, via, onNamed);
    if (!sink) return null;
    const lookForCard = async () => {
      const noted = readProgress((await state.peek(turn.id)).progress);
      if (noted?.cardKey !== undefined) onNamed(noted.cardKey);
      return noted?.hasCard ?? null;
    };
    return openCard(
      {
        sink,
        pace: paceFor(turn),
        reference: turn.reference,
        acceptedAtMs: turn.acceptedAtMs,
        isOpen: hasCard === true,
        lookForCard: turn.hasWaited ? lookForCard : null,
        onOpened: (opened) => lease.note({ hasCard: opened }),
        onTextShown: () => void lease.write(),
      },
      cardPorts,
    );
  }

  /** Each known call beside the frames leaves one frame less, so that the answer costs no more calls. */
  function paceFor({ level }: Turn): Pace {
    const registering = chat.mayRegister() ? 1 : 0;
    let suggesting = 0;
    if (level === 'full') {
      dify.facts().then(
        ({ suggestsQuestions }) => (suggesting = suggestsQuestions ? 1 : 0),
        () => undefined,
      );
    }
    return paceOf(thriftier(config.streaming, SPENDING_PACE[level]), () => registering + suggesting);
  }

  function attachmentsFor(
    { message, level, reference }: Turn,
    { filesUp: signal }: Deadline,
    via: Chat,
  ): Attachments | null {
    const limit = MAX_FILES[level];
    if (limit === 0) return null;
    const results = createResultFiles({ download, dingtalk: via, filesUrl: config.dify.filesUrl, clock });
    return createAttachments({ results, messages: via.fileMessagesTo(message), limit, signal, clock, log, reference });
  }

  return {
    cardOf: (turn, onCall, onNamed) => cardOf(turn, chat.counting(onCall), onNamed),
    forTurn(turn, lease, deadline) {
      const counted = chat.counting(() => lease.note({ calls: lease.progress.calls + 1 }));
      const reply = counted.replyTo(turn.message, turn.reference);
      return {
        openCard: () => openTurnCard(turn, lease, counted),
        reply,
        sessionReply: counted.sessionReplyTo(turn.message),
        attachments: attachmentsFor(turn, deadline, counted),
        sentFiles: { addressOf: (code) => counted.addressOf(code), download, dify: dify.files },
        // At the end of the month DingTalk takes no message.
        tellAdmins: async (failure) => turn.level !== 'none' && admins.tell(failure, turn.reference, counted),
        followUps: createFollowUps({
          robot: config,
          texts,
          facts: () => dify.facts(),
          suggest: (messageId, user) => dify.suggestions(messageId, user, shutdown),
          // What follow-ups cost was noted when they were planned: they come after the turn's end.
          amend: (cardId, variables, own) =>
            chat.amend(cardId, { ...lateName(), ...variables }, own && { person: turn.message.sender, variables: own }),
          reply,
          log,
        }),
      };
    },
    endCard,
    async endDropped(turnId, hasCard) {
      if (hasCard) await endCard(turnId, texts.stopped);
      // Before that word this instance may be killed, and another one ends the card when the lease has lapsed.
      await state.noteDropped(turnId).catch(() => undefined);
    },
  };
}
