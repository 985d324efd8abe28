import { isPassing, isUnanswered, isUnsafe } from '../errors.ts';

/** A full snapshot of the card's text. Each frame replaces the one before. */
export interface Frame {
  text: string;
  state: 'typing' | 'finished' | 'failed';
  /** A repeat after a call without an answer has the same id, so that DingTalk applies it once. */
  id: string;
}

/** One card. */
export interface CardSink {
  /** Makes the card appear. @throws BridgeError when it cannot. */
  open(): Promise<void>;
  /** Shows a frame. Never called while another call is under way. @throws BridgeError when it was not shown. */
  write(frame: Frame): Promise<void>;
  /**
   * Ends the card with this text by another call than a frame. It also changes the text of a card that has ended.
   *
   * @throws BridgeError when it was not changed.
   */
  close(text: string): Promise<void>;
  /** Whether the refusal of a frame can mean that the card has ended already. */
  saysEnded(error: unknown): boolean;
  /** Whether the refusal says that there is no such card. */
  saysMissing(error: unknown): boolean;
  /** Whether the refusal can be about the frame's state: a template may have no failed state. */
  refusesState(error: unknown): boolean;
}

/** A way to send whole messages. */
export interface MessageSink {
  /** Sends one message. @throws BridgeError when it was not sent. */
  send(message: { title: string; text: string; mentionAsker: boolean }): Promise<void>;
}

/** Tries one way after another until a message is sent. A text that the content check refused goes no other way. */
export function firstThatWorks(sinks: readonly MessageSink[], onFallback: (error: unknown) => void): MessageSink {
  return {
    async send(message) {
      const errors: unknown[] = [];
      for (const sink of sinks) {
        try {
          await sink.send(message);
          return;
        } catch (error) {
          // A message without an answer may have been sent. The asker notices a missing message, but not why one came
          // twice.
          if (isUnsafe(error) || isUnanswered(error)) throw error;
          errors.push(error);
          if (errors.length < sinks.length) onFallback(error);
        }
      }
      // If one of the refusals may pass, the caller shall repeat the message, whatever the other ways answered.
      throw errors.find((error) => isPassing(error)) ?? errors.at(-1);
    },
  };
}
