import { expect, test } from 'vitest';
import { emptyAnswer, type Answer } from '../../lib/answer/answer.ts';
import type { AnswerFile } from '../../lib/answer/event.ts';
import { createAttachments } from '../../lib/files/attachments.ts';
import { createLog } from '../../lib/runtime/log.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const SIGNED = '?timestamp=1&nonce=2&sign=s';

const file = (id: string | null, url: string): AnswerFile => ({
  id,
  name: '',
  kind: 'image',
  url,
  extension: null,
  mimeType: null,
  sizeBytes: null,
});
const saying = (message: string, files: readonly AnswerFile[] = []): Answer => ({
  ...emptyAnswer,
  files,
  texts: { ...emptyAnswer.texts, message },
});

function open(limit = 9) {
  const clock = createVirtualClock();
  const fetched: string[] = [];
  const sent: string[] = [];
  const outbox = createAttachments({
    results: {
      async upload({ url }) {
        fetched.push(url);
        return { kind: 'image', mediaId: `@${url}`, name: 'x.png', extension: 'png' };
      },
    },
    messages: { image: async ({ mediaId }) => void sent.push(mediaId), file: async () => undefined },
    limit,
    signal: new AbortController().signal,
    clock,
    log: createLog(clock, 'error', () => undefined),
    reference: 'r',
  });
  return { outbox, clock, fetched, sent };
}

test('one file is sent once, under two addresses of one id and at two hosts', async () => {
  const { outbox, sent } = open();
  const files = [
    file('a', `/files/tools/a.png${SIGNED}`),
    file('a', `/files/a/file-preview${SIGNED}`),
    file(null, `http://api:5001/files/tools/a.png${SIGNED}`),
    file(null, 'https://example.com/get?file=1'),
    file(null, 'https://example.com/get?file=2'),
  ];
  outbox.see(saying('', files));
  expect(await outbox.send(files)).toEqual({ failed: [], leftOut: 0 });
  expect(sent).toHaveLength(3);
});

test('what a growing text links to is fetched soon, and only whole addresses', async () => {
  const { outbox, clock, fetched } = open();
  const link = `![a](http://api:5001/files/tools/a.png${SIGNED})`;
  outbox.see(saying(`see ${link.slice(0, -9)}`));
  await clock.advance(3_000);
  expect(fetched).toEqual([]);
  outbox.see(saying(`see ${link} and`));
  await clock.advance(0);
  expect(fetched).toEqual([`http://api:5001/files/tools/a.png${SIGNED}`]);
  outbox.see(saying(`see ${link} and [b](/files/tools/b.pdf${SIGNED}) so`));
  await clock.advance(3_000);
  outbox.see(saying(`see ${link} and [b](/files/tools/b.pdf${SIGNED}) so it`));
  await clock.advance(0);
  expect(fetched).toHaveLength(2);
});

test('a file that was taken out of the text is not sent', async () => {
  const { outbox, clock, sent } = open();
  outbox.see(saying(`![a](/files/tools/a.png${SIGNED}) `));
  await clock.advance(0);
  expect(await outbox.send([])).toEqual({ failed: [], leftOut: 0 });
  expect(sent).toEqual([]);
});

test('what is beyond the limit is counted', async () => {
  const { outbox } = open(2);
  const files = Array.from({ length: 100 }, (_, index) => file(null, `/files/tools/${index}.png`));
  expect(await outbox.send(files)).toEqual({ failed: [], leftOut: 98 });
});
