import { inflateSync } from 'node:zlib';
import { onTestFinished, describe, expect, test } from 'vitest';
import { sampleApp } from '../../playground/dify/sample-app.ts';
import { chartPicture, csvTable, textPdf } from '../../playground/dify/sample-files.ts';
import { chineseTexts } from '../../playground/dify/sample-texts-zh.ts';
import { englishTexts } from '../../playground/dify/sample-texts-en.ts';
import { createDifySimulator } from '../../playground/dify/simulator.ts';
import { recordOf } from '../../playground/http/shape.ts';
import { createFastClock } from '../support/virtual-clock.ts';
import { eventually, startDify, textOf } from './support.ts';

const user = 'staff-0001';
const modes = ['chat', 'agent-chat', 'advanced-chat', 'workflow', 'completion'] as const;

/** The sample apps, played a hundred times as fast. */
const start = () =>
  startDify({
    clock: createFastClock(100),
    apps: Object.fromEntries(modes.map((mode) => [`app-${mode}`, sampleApp(mode, mode, 'zh')])),
  });

test('offers everything an app can offer', async () => {
  const { call } = await start();
  expect((await call('app-chat', 'GET', '/parameters')).body).toMatchObject({
    opening_statement: chineseTexts.opening.statement,
    suggested_questions: chineseTexts.opening.questions,
    suggested_questions_after_answer: { enabled: true },
    speech_to_text: { enabled: true },
    file_upload: { enabled: true, allowed_file_types: ['image', 'document', 'audio', 'video'] },
  });
  const { body } = await call('app-workflow', 'GET', '/parameters');
  expect(body['user_input_form']).toMatchObject([{ paragraph: { variable: 'query' } }]);
});

test('describes the files it was sent, asked to or not', async () => {
  const { dify, ask } = await start();
  const data = new FormData();
  data.append('file', new Blob(['12345'], { type: 'image/png' }), '发票.png');
  data.append('user', user);
  const headers = { authorization: 'Bearer app-chat' };
  await fetch(`${dify.url}/files/upload`, { method: 'POST', headers, body: data });
  const files = [{ type: 'image', transfer_method: 'local_file', upload_file_id: [...dify.uploads.keys()][0] }];
  expect(textOf((await ask('chat', { query: '这是什么', files })).events)).toContain('`发票.png`（image，5 字节）');
  expect(textOf((await ask('chat', { query: 'what is this?', files })).events)).toContain('(image, 5 bytes)');
  expect(textOf((await ask('chat', { query: '附件里是什么' })).events)).toBe(chineseTexts.sentFiles([]));
});

describe('returns a picture, a table and a document', () => {
  test.each([
    ['chat', ['message_file', 'end', 'end']],
    ['agent-chat', ['message_file', 'end', 'end']],
    ['advanced-chat', ['markdown', 'markdown', 'markdown']],
    ['completion', ['markdown', 'markdown', 'markdown']],
    ['workflow', ['output', 'output', 'output']],
  ] as const)('in the ways of a %s app', async (mode, places) => {
    const { dify, ask } = await start();
    await ask(mode, {
      query: '导出报告',
      inputs: mode === 'workflow' || mode === 'completion' ? { query: '导出报告' } : {},
    });
    const made = dify.runs[0]?.made ?? [];
    expect(made.map((file) => file.as)).toEqual(places);
    expect(made.map(({ name }) => name)).toEqual(['月度工单.png', '月度工单.csv', '月度工单.pdf']);
    for (const { url, size } of made) expect((await (await fetch(`${dify.origin}${url}`)).bytes()).length).toBe(size);
  });

  test('which are what they say', () => {
    const picture = chartPicture([1, 2]);
    expect(picture.toString('latin1', 0, 8)).toBe('\x89PNG\r\n\x1A\n');
    const data = picture.indexOf('IDAT');
    const rows = inflateSync(picture.subarray(data + 4, data + 4 + picture.readUInt32BE(data - 4)));
    expect(rows.length).toBe(108 * (1 + 44 * 3));
    expect(rows.at(-1)).toBe(255);

    const pdf = textPdf(['a (b)']).toString('latin1');
    expect(pdf).toContain(String.raw`(a \(b\)) Tj`);
    const table = Number(/startxref\n(\d+)/u.exec(pdf)?.[1]);
    expect(pdf.slice(table)).toMatch(/^xref\n0 6\n/u);
    const offsets = [...pdf.slice(table).matchAll(/^(\d{10}) 00000 n $/gmu)].map(([, offset]) => Number(offset));
    expect(offsets.map((offset, index) => pdf.startsWith(`${index + 1} 0 obj`, offset))).toEqual(Array(5).fill(true));

    expect(
      csvTable([
        ['a,b', 1],
        ['c', 2],
      ]).toString('utf8'),
    ).toBe('\uFEFF"a,b",1\r\nc,2\r\n');
  });
});

test('suggests questions in the language of the question', async () => {
  const { dify, ask, call } = await start();
  expect(textOf((await ask('chat', { query: '推荐问题' })).events)).toBe(chineseTexts.beforeSuggestions);
  await ask('chat', { query: 'any suggestions?' });
  const suggested = async (index: number) =>
    (await call('app-chat', 'GET', `/messages/${dify.runs[index]?.messageId}/suggested?user=${user}`)).body['data'];
  expect(await suggested(0)).toEqual(chineseTexts.suggestions);
  expect(await suggested(1)).toEqual(englishTexts.suggestions);
});

describe('asks for an approval', () => {
  test.each([
    ['advanced-chat', '审批', 'approve', chineseTexts.approval.approved('行')],
    ['advanced-chat', '审批', 'reject', chineseTexts.approval.rejected('行')],
    ['workflow', 'approval please', 'approve', englishTexts.approval.approved('行')],
    ['workflow', 'approval please', 'reject', englishTexts.approval.rejected('行')],
  ] as const)('in a %s app: %s, %s', async (mode, query, action, answer) => {
    const { dify, ask, call } = await start();
    const { events, names } = await ask(mode, { query, inputs: mode === 'workflow' ? { query } : {} });
    expect(names.at(-1)).toBe('workflow_paused');
    const { form_token: token, actions } = recordOf(events.at(-2)?.['data']);
    expect(actions).toMatchObject([{ id: 'approve' }, { id: 'reject' }]);
    const body = { user, action, inputs: { comment: '行' } };
    expect((await call(`app-${mode}`, 'POST', `/form/human_input/${String(token)}`, body)).status).toBe(200);
    await eventually(() => dify.runs[0]?.status === 'succeeded');
    expect(dify.runs[0]?.answer.endsWith(answer)).toBe(true);
  });

  test('but not in an app that cannot', async () => {
    const { ask } = await start();
    expect(textOf((await ask('chat', { query: '审批' })).events)).toBe(chineseTexts.approval.elsewhere);
  });
});

test('takes more than a minute when asked to, and can be stopped', async () => {
  const { dify, ask, call } = await start();
  const reading = ask('advanced-chat', { query: '长任务' });
  await eventually(() => dify.runs[0]?.answer.includes(chineseTexts.takesLong.step(3, 40)) === true);
  await call('app-advanced-chat', 'POST', `/chat-messages/${dify.runs[0]?.taskId}/stop`, { user });
  await reading;
  expect(dify.runs[0]).toMatchObject({ status: 'stopped' });
  expect(dify.runs[0]?.answer).not.toContain(chineseTexts.takesLong.after);
});

test('understands speech', async () => {
  const dify = await createDifySimulator({ apps: { key: sampleApp('chat', 'x', 'en') } });
  onTestFinished(() => dify.close());
  const body = new FormData();
  body.append('file', new Blob(['x'], { type: 'audio/amr' }), 'voice.amr');
  body.append('user', user);
  const headers = { authorization: 'Bearer key' };
  const response = await fetch(`${dify.url}/audio-to-text`, { method: 'POST', headers, body });
  expect(await response.json()).toEqual({ text: englishTexts.transcript });
});
