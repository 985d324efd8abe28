import { describe, expect, test } from 'vitest';
import { readParameters } from '../../lib/dify/app-facts.ts';
import {
  acceptedExtensions,
  acceptedClasses,
  accepts,
  placeFiles,
  type QuestionFile,
} from '../../lib/dify/file-inputs.ts';

const uploads = (more: object = {}) => ({
  file_upload: { enabled: true, allowed_file_types: ['image', 'document'], number_limits: 2, ...more },
});
const input = (kind: string, variable: string, more: object = {}) => ({ [kind]: { variable, label: null, ...more } });
const file = (extension: string, fileClass: QuestionFile['class'] = 'document'): QuestionFile => ({
  class: fileClass,
  extension,
  uploadId: `upload-${extension}`,
});
const top = (type: string, extension: string) => ({ type, uploadId: `upload-${extension}` });
const wire = (type: string, extension: string) => ({
  type,
  transfer_method: 'local_file',
  upload_file_id: `upload-${extension}`,
});

describe('the parameters of an app', () => {
  test('of which nothing can be read are those of an app that takes text only', () => {
    const nothing = {
      inputs: [],
      files: null,
      limitsMb: { image: 10, document: 15, audio: 50, video: 100 },
      speechToText: false,
      opening: '',
      openingQuestions: [],
      suggestsQuestions: false,
    };
    const nulls = {
      user_input_form: null,
      file_upload: null,
      system_parameters: null,
      speech_to_text: null,
      suggested_questions_after_answer: { enabled: null },
      opening_statement: null,
      suggested_questions: null,
    };
    for (const json of [undefined, null, '<html>', {}, nulls]) expect(readParameters(json)).toEqual(nothing);
  });

  test('are read apart, so that a broken one spoils no other', () => {
    const read = readParameters({
      user_input_form: 'broken',
      opening_statement: ' 你好 ',
      suggested_questions: ['能做什么？', null, ' '],
      suggested_questions_after_answer: { enabled: true },
      speech_to_text: { enabled: true },
      system_parameters: { image_file_size_limit: '3', file_size_limit: 'much', audio_file_size_limit: null },
    });
    expect(read).toMatchObject({
      inputs: [],
      opening: '你好',
      openingQuestions: ['能做什么？'],
      suggestsQuestions: true,
      speechToText: true,
      limitsMb: { image: 3, document: 15, audio: 50, video: 100 },
    });
  });

  test('tell of files in the way of the version', () => {
    const old = { image: { enabled: true, number_limits: 3, transfer_methods: ['local_file'] } };
    expect(readParameters({ file_upload: old }).files).toEqual({
      classes: ['image'],
      extensions: [],
      takesUploads: true,
      most: 3,
    });
    expect(readParameters({ file_upload: { ...old, enabled: false } }).files).toBeNull();
    expect(readParameters(uploads({ allowed_file_extensions: ['.PDF', 'dwg'] })).files).toEqual({
      classes: ['image', 'document'],
      extensions: ['pdf', 'dwg'],
      takesUploads: true,
      most: 2,
    });
    expect(readParameters(uploads({ allowed_file_types: [] })).files?.classes).toContain('video');
    expect(readParameters(uploads({ allowed_file_upload_methods: ['remote_url'] })).files?.takesUploads).toBe(false);
  });

  test('tell which inputs take files', () => {
    const { inputs } = readParameters({
      user_input_form: [
        input('file', 'report', { allowed_file_types: ['document'] }),
        input('file-list', 'photos', { allowed_file_types: ['image'], max_length: 2 }),
        input('text-input', 'name'),
      ],
    });
    expect(inputs.map(({ file: taken }) => taken && [taken.isList, taken.rules.classes, taken.rules.most])).toEqual([
      [false, ['document'], 1],
      [true, ['image'], 2],
      null,
    ]);
  });
});

describe('what an app takes', () => {
  const facts = readParameters({
    ...uploads({ allowed_file_types: ['image', 'custom'], allowed_file_extensions: ['.dwg'] }),
    user_input_form: [input('file', 'talk', { allowed_file_types: ['audio'] })],
  });

  test.each([
    ['image', 'png', true],
    ['audio', 'mp3', true],
    ['custom', 'DWG', true],
    ['custom', '.dwg', true],
    ['custom', 'exe', false],
    ['document', 'dwg', true],
    ['document', 'pdf', false],
    ['video', 'mp4', false],
  ] as const)('%s .%s: %s', (fileClass, extension, taken) => {
    expect(accepts(facts, { class: fileClass, extension })).toBe(taken);
  });

  test('can be said', () => {
    expect(acceptedClasses(facts)).toEqual(['image', 'audio', 'custom']);
    expect(acceptedExtensions(facts)).toEqual(['dwg']);
    const closed = readParameters(uploads({ allowed_file_upload_methods: ['remote_url'] }));
    expect(acceptedClasses(closed)).toEqual([]);
    expect(accepts(closed, { class: 'image', extension: 'png' })).toBe(false);
    expect(acceptedClasses(readParameters(null))).toEqual([]);
  });
});

describe('the place of a file', () => {
  const form = {
    user_input_form: [
      input('file', 'cover', { allowed_file_types: ['image'] }),
      input('file-list', 'pages', { allowed_file_types: ['image', 'document'], required: true, max_length: 2 }),
    ],
  };
  const images = [file('png', 'image'), file('jpg', 'image'), file('gif', 'image'), file('webp', 'image')];

  test('is the question, in an app that takes files with it, as many as it takes', () => {
    const facts = { type: 'chat' as const, ...readParameters(uploads()) };
    expect(placeFiles(facts, [file('png', 'image'), file('pdf'), file('md')])).toEqual({
      files: [top('image', 'png'), top('document', 'pdf')],
      inputs: {},
      notPlaced: [file('md')],
    });
  });

  test('is an input in a workflow, a required one first', () => {
    const facts = { type: 'workflow' as const, ...readParameters({ ...form, ...uploads({ number_limits: 1 }) }) };
    expect(placeFiles(facts, [...images, file('bmp', 'image')])).toEqual({
      inputs: { pages: [wire('image', 'png'), wire('image', 'jpg')], cover: wire('image', 'gif') },
      files: [top('image', 'webp')],
      notPlaced: [file('bmp', 'image')],
    });
  });

  test('is an input in a chat that takes none with the question', () => {
    const facts = { type: 'chatflow' as const, ...readParameters(form) };
    expect(placeFiles(facts, [file('pdf')])).toEqual({
      files: [],
      inputs: { pages: [wire('document', 'pdf')] },
      notPlaced: [],
    });
  });

  test('is not an input that has a value', () => {
    const facts = { type: 'workflow' as const, ...readParameters(form) };
    expect(placeFiles(facts, [file('pdf')], { pages: [] })).toEqual({
      files: [],
      inputs: {},
      notPlaced: [file('pdf')],
    });
  });
});
