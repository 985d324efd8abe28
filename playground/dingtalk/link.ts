import type { CallbackInput } from './types.ts';
import type { World } from './world.ts';

/** protocol 4.9: such a link makes the person who follows it send a text. */
const sendMessage = 'dtmd://dingtalkclient/sendMessage?';

/** A `+` stays one: that it would mean a space is nowhere said. Empty where the encoding is broken. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

/** What a person sends by following a link in a chat. */
export function createLinks(world: World) {
  return (conversationId: string, person: string, url: string): CallbackInput | null => {
    const known = world.findPerson(person);
    if (!known) throw new Error(`the simulated DingTalk knows nobody called ${person}`);
    if (!url.startsWith(sendMessage)) return null;
    const content = url
      .slice(sendMessage.length)
      .split('&')
      .find((part) => part.startsWith('content='));
    const text = decoded(content?.slice('content='.length) ?? '');
    // Whether the robot is mentioned in a group is not known, and a message without a mention does not reach it.
    if (text === '' || conversationId !== world.singleConversation(known)) return null;
    return { from: person, text };
  };
}
