// Dify's own client against the sample Dify.
import { ChatClient, CompletionClient } from 'dify-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDifySimulator } from '../../playground/dify/simulator.ts';
import type { DifySimulator } from '../../playground/dify/types.ts';

const user = 'staff-1';
const script = { chunks: [{ text: 'ten ' }, { text: 'days' }] };

let dify: DifySimulator;
beforeEach(async () => {
  dify = await createDifySimulator({
    apps: {
      chat: { mode: 'chat', name: 'chat', script },
      completion: { mode: 'completion', name: 'completion', script },
      workflow: { mode: 'workflow', name: 'workflow', script },
    },
  });
});
afterEach(() => dify.close());

async function read(stream: AsyncIterable<Buffer>): Promise<Record<string, unknown>[]> {
  let text = '';
  for await (const part of stream) text += part.toString();
  return text
    .split('\n\n')
    .filter((block) => block.startsWith('data: '))
    .map((block) => JSON.parse(block.slice('data: '.length)) as Record<string, unknown>);
}

const answerIn = (events: readonly Record<string, unknown>[]) => events.map(({ answer = '' }) => answer).join('');

test('a chat is asked, goes on, is rated, and is found again', async () => {
  const client = new ChatClient('chat', dify.url);
  expect((await client.getApplicationParameters(user)).data).toHaveProperty('user_input_form');
  const first = await read((await client.createChatMessage({}, 'how many?', user, true)).data);
  expect(answerIn(first)).toBe('ten days');
  const { conversation_id: id, message_id: message } = first[0] ?? {};
  await read((await client.createChatMessage({}, 'and then?', user, true, String(id))).data);
  expect(dify.runs).toMatchObject([{ query: 'how many?' }, { query: 'and then?', conversationId: id }]);
  expect((await client.messageFeedback(String(message), 'like' as never, user)).data).toEqual({ result: 'success' });
  expect(dify.runs[0]?.rating).toBe('like');
  const { data } = (await client.getConversationMessages(user, String(id))).data;
  expect(data).toMatchObject([{ answer: 'ten days' }, { answer: 'ten days' }]);
  expect((await client.getConversations(user)).data.data).toMatchObject([{ id }]);
  expect(dify.violations).toEqual([]);
});

test('a completion app and a workflow are asked', async () => {
  const completion = new CompletionClient('completion', dify.url);
  const events = await read((await completion.createCompletionMessage({ query: 'how many?' }, user, true)).data);
  expect(answerIn(events)).toBe('ten days');
  const workflow = new CompletionClient('workflow', dify.url) as CompletionClient & {
    runWorkflow: CompletionClient['createCompletionMessage'];
  };
  const run = await read((await workflow.runWorkflow({ query: 'how many?' }, user, true)).data);
  expect(run.at(-1)).toMatchObject({ event: 'workflow_finished', data: { status: 'succeeded' } });
  expect(dify.violations).toEqual([]);
});

test('a wrong key is refused', async () => {
  await expect(new ChatClient('wrong', dify.url).createChatMessage({}, 'x', user, true)).rejects.toMatchObject({
    response: { status: 401 },
  });
});
