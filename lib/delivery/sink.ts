/** A full snapshot of what the reader shall see. Every frame replaces the one before. */
export interface Frame {
  text: string;
  state: 'typing' | 'finished' | 'failed';
  /** Names this frame: a repeat after a lost answer has the same id, so that it is applied once. */
  id: string;
}

/** One card, wherever it is shown. */
export interface CardSink {
  /** Makes the card appear. @throws BridgeError when it cannot. */
  open(): Promise<void>;
  /** Shows a frame. Never called while another call is under way. @throws BridgeError when it was not shown. */
  write(frame: Frame): Promise<void>;
}

/** A place for whole messages. */
export interface MessageSink {
  /** Sends one message. @throws BridgeError when it was not sent. */
  send(message: { title: string; text: string; mentionAsker: boolean }): Promise<void>;
}

/** What a sink's failures mean, so that who uses it need not know the vendor. */
export interface FailureRules {
  /** May be gone a moment later: worth repeating. */
  isPassing(error: unknown): boolean;
  /** Too many calls in too short a time. */
  isRateLimit(error: unknown): boolean;
  /** There was no answer, so the call may have been carried out. */
  isUnanswered(error: unknown): boolean;
  /** The text itself is not allowed: it must not be sent by any other way. */
  isUnsafe(error: unknown): boolean;
  /** Answered with a refusal of the call itself. */
  isRefused(error: unknown): boolean;
  /** The state of the frame was refused, not the frame: a card may lack a failed state. */
  isStateRefused(error: unknown): boolean;
}

/** Tries one place after another until a message is sent; a refused text is not sent by another way. */
export function firstThatWorks(
  sinks: readonly MessageSink[],
  failures: FailureRules,
  onFallback: (error: unknown) => void,
): MessageSink {
  return {
    async send(message) {
      const errors: unknown[] = [];
      for (const sink of sinks) {
        try {
          await sink.send(message);
          return;
        } catch (error) {
          // Without an answer it may have been sent: twice is worse than a gap that the asker can see.
          if (failures.isUnsafe(error) || failures.isUnanswered(error)) throw error;
          errors.push(error);
          if (errors.length < sinks.length) onFallback(error);
        }
      }
      // What passes is worth another try, whatever the other places said.
      throw errors.find((error) => failures.isPassing(error)) ?? errors.at(-1);
    },
  };
}
