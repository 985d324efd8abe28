import { isPassing, isUnanswered, isUnsafe } from '../errors.ts';

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
  /** Whether the refusal of a frame may mean that the card has ended already. */
  saysEnded(error: unknown): boolean;
  /** Whether the state of the frame was refused, not the frame: a card may lack a failed state. */
  refusesState(error: unknown): boolean;
}

/** A place for whole messages. */
export interface MessageSink {
  /** Sends one message. @throws BridgeError when it was not sent. */
  send(message: { title: string; text: string; mentionAsker: boolean }): Promise<void>;
}

/** Tries one place after another until a message is sent; a refused text is not sent by another way. */
export function firstThatWorks(sinks: readonly MessageSink[], onFallback: (error: unknown) => void): MessageSink {
  return {
    async send(message) {
      const errors: unknown[] = [];
      for (const sink of sinks) {
        try {
          await sink.send(message);
          return;
        } catch (error) {
          // Without an answer it may have been sent: twice is worse than a gap that the asker can see.
          if (isUnsafe(error) || isUnanswered(error)) throw error;
          errors.push(error);
          if (errors.length < sinks.length) onFallback(error);
        }
      }
      // What passes is worth another try, whatever the other places said.
      throw errors.find((error) => isPassing(error)) ?? errors.at(-1);
    },
  };
}
