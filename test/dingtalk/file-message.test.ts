import { describe, expect, test } from 'vitest';
import { createDingTalkClient } from '../../lib/dingtalk/client.ts';
import { createFileMessages } from '../../lib/dingtalk/file-message.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import type { DingTalkOptions } from '../../playground/dingtalk/types.ts';
import { codeOf } from '../support/delivery.ts';
import { bytesOf } from '../support/dingtalk-files.ts';
import { GROUP, senderOf, startDingTalk } from '../support/dingtalk.ts';
import { createFetch } from '../../lib/net/fetch.ts';

const fetch = createFetch();

const PNG = Buffer.from('89504E470D0A1A0A0000000D49484452', 'hex');
async function scene(isGroup: boolean, options: Partial<DingTalkOptions> & { staffId?: null; session?: null } = {}) {
  const { staffId = 'staff-1', session, ...world } = options;
  const { dingtalk, config } = await startDingTalk({
    // What was uploaded before.
    media: [
      { id: '@lADPmedia1', type: 'image', name: '图.png', bytes: PNG },
      { id: '@lAfile1', type: 'file', name: '报告.xlsx', bytes: Buffer.from('PK') },
    ],
    ...world,
  });
  const { body } = dingtalk.callback({ from: 'staff-1', ...(isGroup ? { conversation: GROUP } : {}), text: '图' });
  const id = isGroup ? GROUP : dingtalk.singleConversation('staff-1');
  const client = createDingTalkClient(config, fetch, systemClock);
  const messages = createFileMessages({
    client,
    config,
    message: {
      id: 'msg-1',
      chat: { id, isGroup, title: null },
      sender: senderOf({ staffId }),
      session: session === null ? null : { webhook: String(body['sessionWebhook']), expiresAtMs: null },
    },
    fetch,
    clock: systemClock,
  });
  return { dingtalk, client, messages, id };
}

const picture = { mediaId: '@lADPmedia1', title: '本周销量' };
const file = { mediaId: '@lAfile1', name: '报告.xlsx', extension: 'xlsx' };

describe.each([
  ['the group', true],
  ['the single chat', false],
])('in %s', (_where, isGroup) => {
  test('a picture and a file are messages of their own', async () => {
    const { dingtalk, messages, id } = await scene(isGroup);
    await messages.image(picture);
    await messages.file(file);
    expect(dingtalk.messages).toMatchObject([
      { channel: 'robot', kind: 'sampleImageMsg', conversationId: id, raw: { photoURL: '@lADPmedia1' } },
      {
        channel: 'robot',
        kind: 'sampleFile',
        conversationId: id,
        raw: { mediaId: '@lAfile1', fileName: '报告.xlsx', fileType: 'xlsx' },
      },
    ]);
  });

  test('without the permission a picture comes as a reply, a file does not come', async () => {
    const { dingtalk, messages, id } = await scene(isGroup, { permissions: [] });
    await messages.image(picture);
    expect(dingtalk.messages).toMatchObject([
      { channel: 'session', kind: 'markdown', conversationId: id, text: '![本周销量](@lADPmedia1)', mentions: [] },
    ]);
    expect(await codeOf(messages.file(file))).toBe('dingtalk_permission_missing');
    expect(dingtalk.messages).toHaveLength(1);
  });

  test('without the permission and without a reply address the permission is what is missing', async () => {
    const { messages } = await scene(isGroup, { permissions: [], session: null });
    expect(await codeOf(messages.image(picture))).toBe('dingtalk_permission_missing');
  });

  test('what may have been sent is not sent again', async () => {
    const { dingtalk, messages } = await scene(isGroup);
    dingtalk.faults.inject({ api: isGroup ? 'sendToGroup' : 'sendToPeople', kind: 'lost-response' });
    expect(await codeOf(messages.image(picture))).toBe('dingtalk_unreachable');
    expect(dingtalk.messages.filter(({ channel }) => channel === 'session')).toEqual([]);
  });
});

test('what was uploaded can be sent', async () => {
  const { dingtalk, client, messages } = await scene(true);
  const upload = { name: '图.png', mimeType: 'image/png', size: PNG.length };
  const mediaId = await client.upload({ ...upload, type: 'image', bytes: bytesOf(PNG) });
  expect(mediaId).not.toBe(picture.mediaId);
  await messages.image({ mediaId, title: '图' });
  const pdf = { name: '报告 "终稿".pdf', mimeType: 'application/pdf', size: null };
  const fileId = await client.upload({ ...pdf, type: 'file', bytes: bytesOf('%PDF-1.7') });
  await messages.file({ mediaId: fileId, name: pdf.name, extension: 'pdf' });
  expect(dingtalk.messages).toMatchObject([{ image: { mediaId } }, { file: { mediaId: fileId, type: 'pdf' } }]);
  expect(dingtalk.media.get(fileId)?.name).toBe(pdf.name);
  expect(dingtalk.violations).toEqual([]);
});

test('an asker without a staff id gets a picture as a reply, and no file', async () => {
  const { dingtalk, messages } = await scene(false, { staffId: null });
  await messages.image(picture);
  expect(dingtalk.messages).toMatchObject([{ channel: 'session', text: '![本周销量](@lADPmedia1)' }]);
  expect(await codeOf(messages.file(file))).toBe('dingtalk_card_no_target');
});

test('a title does not end its picture', async () => {
  const { dingtalk, messages } = await scene(true, { permissions: [] });
  await messages.image({ ...picture, title: 'a](http://evil.example.com) ![b\n# c' });
  await messages.image({ ...picture, title: '[]' });
  expect(dingtalk.messages.map(({ text }) => text)).toEqual([
    '![a http://evil.example.com b c](@lADPmedia1)',
    '![image](@lADPmedia1)',
  ]);
});
