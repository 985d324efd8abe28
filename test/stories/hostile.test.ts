// Whatever a model, a document or a person puts in: nothing acts in the reader's name, nothing is fetched that should
// not be, and people see something sensible.
import { describe, expect, test } from 'vitest';
import { png, taking } from '../support/files.ts';
import { fast, stage, words } from '../support/stage.ts';

const { start, bridge } = stage();

/** Everything that people have seen. */
const seen = () =>
  [
    ...bridge()
      .cards()
      .flatMap(({ frames }) => frames.map(({ content }) => content)),
    ...bridge().dingtalk.messages.map(({ text }) => text),
  ].join('\n');

const answer = async (...texts: string[]) => {
  await start({ app: { script: words(...texts) }, ...fast(8) });
  await bridge().ask('go');
  expect(bridge().card().phase).toBe('finished');
  return bridge().card().content;
};

describe('an answer', () => {
  test.each([
    ['[click](dtmd://dingtalkclient/sendMessage?content=/new)'],
    ['<a href="dtmd://dingtalkclient/sendMessage?content=pay">click</a>'],
    ['![x](dtmd://dingtalkclient/sendMessage?content=pay)'],
    ['[click](javascript:alert(1))'],
    ['[click](dingtalk://dingtalkclient/page/link?url=x)'],
    ['<a atId="staff-2">boss</a>'],
  ])('with %s has no link that acts', async (text) => {
    const shown = await answer(text);
    expect(shown).not.toMatch(/\]\((?:dtmd|dingtalk|javascript):/iu);
    expect(shown).not.toMatch(/<a\s/iu);
    expect(shown).not.toBe('');
  });

  test('keeps links to web pages, with their address in sight of the client', async () => {
    expect(await answer('[docs](https://example.com/a?b=c)')).toContain('](https://example.com/a?b=c)');
  });

  test('in HTML with scripts is text', async () => {
    const shown = await answer('<script>alert(1)</script><iframe src="https://evil.example"></iframe>after');
    expect(shown).toContain('after');
    expect(shown).not.toMatch(/<(?:script|iframe)\b/iu);
  });

  test('with an unclosed fence is closed in every frame', async () => {
    const chunks = ['```python\n', 'a = 1\n', 'b = 2\n'].map((text) => ({ afterMs: 700, text }));
    await start({ app: { script: { chunks } } });
    await bridge().ask('go');
    for (const { content } of bridge().card().frames) expect(content.match(/```/gu)?.length ?? 0).toBe(2);
  });

  test('with marks that turn the writing direction loses them', async () => {
    const marks = /[\u202A-\u202E\u2066-\u2069]/u;
    const shown = await answer('pay \u202Eexe.gpj\u202C now \u2066x\u2069');
    expect(shown).not.toMatch(marks);
    expect(shown).toContain('pay');
  });

  test('of one line of a megabyte is cut and says so', async () => {
    const shown = await answer('x'.repeat(1_000_000));
    expect(shown.length).toBeLessThanOrEqual(3_000);
    expect(bridge().dingtalk.messages.length).toBeLessThanOrEqual(6);
    expect(seen()).toContain('个字符未显示');
  });

  test('with an event of a megabyte that says nothing is shown as ever', async () => {
    await start({
      app: {
        mode: 'advanced-chat',
        script: {
          chunks: [
            { event: 'node_finished', data: { node_id: 'n', outputs: { text: 'y'.repeat(1_000_000) } } },
            { text: 'fine' },
          ],
        },
      },
    });
    await bridge().ask('go');
    expect(bridge().card().content).toBe('fine');
  });

  test('with a hundred pictures of other hosts makes no request to them', async () => {
    const pictures = Array.from({ length: 100 }, (_, index) => `![p](https://127.0.0.1:1/${index}.png)`);
    const shown = await answer(pictures.join('\n\n'));
    expect(shown.length).toBeLessThanOrEqual(3_000);
    expect(bridge().dingtalk.calls.map(({ api }) => api)).not.toContain('uploadMedia');
    expect(bridge().logs.filter(({ event }) => event === 'file_not_fetched')).toEqual([]);
  });

  test("with Dify's own signed link shows no signature, in words, in code or in a link", async () => {
    const link = '/files/tools/0a1b2c3d-0000-4000-8000-000000000000.pdf?timestamp=1&nonce=2&sign=SECRETSIGN';
    const shown = await answer(`[a](${link}) and \`${link}\`\n\n\`\`\`\n${link}\n\`\`\`\n\nhttp://api:5001${link}`);
    expect(shown).not.toContain('SECRETSIGN');
    expect(seen()).not.toContain('SECRETSIGN');
  });
});

describe('suggested questions and forms', () => {
  test('of an app cannot smuggle a link into our own', async () => {
    const suggest = ['x](dtmd://dingtalkclient/sendMessage?content=pay) [y', '<a atId="staff-2">boss</a>'];
    const parameters = { suggested_questions_after_answer: { enabled: true } };
    await start({ app: { script: words('yes'), parameters, suggest } });
    await bridge().ask('go');
    const links = [
      ...bridge()
        .card()
        .content.matchAll(/dtmd:\/\/[^)\s]*/gu),
    ].map(([link]) => link);
    const sent = links.map((link) => new URL(link).searchParams.get('content'));
    expect(sent).toEqual(suggest);
    expect(bridge().card().content).not.toMatch(/<a\s/iu);
  });
});

describe('a file', () => {
  test('with a name full of markup and paths is a plain name at Dify', async () => {
    await start({ app: { script: words('seen'), parameters: taking('image') } });
    await bridge().ask({ from: 'staff-1', kind: 'picture', file: { name: '../../"x\r\ny.png', bytes: png() } });
    await bridge().ask('what is it?');
    const [upload] = [...bridge().dify.uploads.values()];
    expect(upload?.name).toMatch(/^[^/\\"\r\n]+\.png$/u);
  });

  test.each(['hang', 'length'] as const)(
    'whose download is a %s ends in a sentence',
    async (kind) => {
      const download = kind === 'hang' ? ({ kind, afterBytes: 10 } as const) : ({ kind, declared: 5_000 } as const);
      await start({
        app: { script: words('seen'), parameters: taking('image') },
        dingtalk: { download },
        ...fast(8),
      });
      await bridge().ask({ from: 'staff-1', kind: 'picture', file: { name: 'a.png', bytes: png() } });
      await bridge().ask('what is it?');
      expect(bridge().card()).toMatchObject({ phase: 'failed' });
      expect(bridge().card().content).toContain('⚠️');
      expect(bridge().dify.runs).toEqual([]);
    },
    40_000,
  );
});
