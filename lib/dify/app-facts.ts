import * as z from 'zod';
import type { AppType } from '../config/robot.ts';
import type { DifyVersion } from './version.ts';
import { readRules, readSizeLimits, readUploadRules, type FileRules, type SizeLimits } from './file-rules.ts';

/** One entry of the app's input form. */
export interface AppInput {
  name: string;
  label: string;
  required: boolean;
  /** Takes text, so it can carry a question. */
  isText: boolean;
  /** Longest text, in characters; null without a limit. */
  maxChars: number | null;
  /** What a choice is limited to; null for every other input. */
  options: readonly string[] | null;
  isNumber: boolean;
  /** Takes one file, or a list of them; null for every other input. */
  file: { isList: boolean; rules: FileRules } | null;
}

/** What `GET /parameters` tells. */
export interface AppParameters {
  inputs: readonly AppInput[];
  /** The files that may come with a question; null when the app takes none. */
  files: FileRules | null;
  limitsMb: SizeLimits;
  speechToText: boolean;
  /** The first words of the app in a new conversation; empty when it has none. */
  opening: string;
  /** Questions that the app suggests with its opening. */
  openingQuestions: readonly string[];
  /** Whether the app suggests questions after an answer. */
  suggestsQuestions: boolean;
}

export interface AppFacts extends AppParameters, DifyVersion {
  type: AppType;
  /** False when the type is neither configured nor told by Dify. Then `type` is only the most likely one. */
  isTypeKnown: boolean;
  /** No connection to Dify: nothing listens at its address. Then all of this is assumed. */
  isRefused?: true;
  /** Dify did not tell the parameters. Then those of an app that takes text only are assumed. */
  isAssumed?: true;
}

/** Dify's `mode` in our terms. `agent` is the New Agent of 1.15, asked like a chat. */
const TYPE_OF_MODE: Readonly<Record<string, AppType>> = {
  chat: 'chat',
  'agent-chat': 'agent',
  agent: 'agent',
  'advanced-chat': 'chatflow',
  workflow: 'workflow',
  completion: 'completion',
};

const infoBody = z.object({ mode: z.string().nullish(), name: z.string().nullish().catch(null) });

/** The type that `GET /info` tells; null for versions before 1.4, which do not tell. */
export function readAppType(json: unknown): AppType | null {
  const mode = infoBody.safeParse(json).data?.mode ?? '';
  return (Object.hasOwn(TYPE_OF_MODE, mode) ? TYPE_OF_MODE[mode] : undefined) ?? null;
}

/** The name that `GET /info` tells. */
export const readAppName = (json: unknown): string => infoBody.safeParse(json).data?.name?.trim() ?? '';

const formItem = z.object({
  variable: z.string(),
  label: z.string().nullish(),
  required: z.boolean().nullish(),
  default: z.unknown().optional(),
  max_length: z.number().int().positive().nullish().catch(null),
  options: z.array(z.string()).nullish().catch(null),
});

const enabled = z.object({ enabled: z.boolean().nullish() }).nullish().catch(null);

/** Each field is read by itself: one that cannot be read leaves the others as they are. */
const parametersBody = z.object({
  user_input_form: z.array(z.record(z.string(), z.unknown())).nullish().catch(null),
  file_upload: z.unknown().optional(),
  system_parameters: z.unknown().optional(),
  speech_to_text: enabled,
  suggested_questions_after_answer: enabled,
  opening_statement: z.string().nullish().catch(null),
  suggested_questions: z.array(z.unknown()).nullish().catch(null),
});

/** The parameters in the answer of `GET /parameters`; without a readable answer those of an app that takes text only. */
export function readParameters(json: unknown): AppParameters {
  const body = parametersBody.safeParse(json).data;
  return {
    inputs: (body?.user_input_form ?? []).flatMap(readInput),
    files: readUploadRules(body?.file_upload),
    limitsMb: readSizeLimits(body?.system_parameters),
    speechToText: body?.speech_to_text?.enabled ?? false,
    opening: body?.opening_statement?.trim() ?? '',
    openingQuestions: (body?.suggested_questions ?? []).filter(
      (question): question is string => typeof question === 'string' && question.trim() !== '',
    ),
    suggestsQuestions: body?.suggested_questions_after_answer?.enabled ?? false,
  };
}

/** An entry of the input form: an object with one key, the kind of the input. */
function readInput(item: Readonly<Record<string, unknown>>): AppInput[] {
  return Object.entries(item).flatMap(([kind, value]) => {
    const parsed = formItem.safeParse(value);
    if (!parsed.success) return [];
    const { variable, label, required, default: preset, max_length: maxChars, options } = parsed.data;
    const isText = kind === 'text-input' || kind === 'paragraph';
    return {
      name: variable,
      label: label || variable,
      required: (required ?? false) && (preset === undefined || preset === null || preset === ''),
      isText,
      maxChars: isText ? (maxChars ?? null) : null,
      options: kind === 'select' ? (options ?? []) : null,
      isNumber: kind === 'number',
      file:
        kind === 'file' || kind === 'file-list'
          ? { isList: kind === 'file-list', rules: readRules(value, kind, 'max_length') }
          : null,
    };
  });
}

/**
 * The input that carries the question in workflow and completion apps: the configured one, or, where the app has
 * none of that name, its only text input. Null for an app that takes no question.
 */
export function questionInput(inputs: readonly AppInput[], configured: string): string | null {
  if (inputs.some((input) => input.name === configured)) return configured;
  const texts = inputs.filter((input) => input.isText);
  const required = texts.filter((input) => input.required);
  const only = required.length > 0 ? required : texts;
  if (only.length === 1) return only[0]?.name ?? null;
  // An app without a form may still read an undeclared input: completion apps of old versions do.
  return inputs.length === 0 ? configured : null;
}

/** The required inputs without a value in `given`. */
export function missingInputs(inputs: readonly AppInput[], given: Readonly<Record<string, unknown>>): AppInput[] {
  const isEmpty = (value: unknown) => value === undefined || value === null || value === '';
  return inputs.filter(({ required, name }) => required && isEmpty(given[name]));
}

/** A value that Dify refuses: what its input is called, and its limit, where it is not the type of the value that is wrong. */
export interface WrongInput {
  label: string;
  limit: { maxChars: number; chars: number } | { options: readonly string[] } | null;
}

/**
 * The first value that its input does not take. A chatflow or workflow refuses it by silence (`docs/wire-dify.md`), so it has to
 * be found before the question is asked.
 */
export function wrongInput(inputs: readonly AppInput[], given: Readonly<Record<string, unknown>>): WrongInput | null {
  for (const input of inputs) {
    const value = given[input.name];
    const limit = value === undefined || value === null ? undefined : limitBroken(input, value);
    if (limit !== undefined) return { label: input.label, limit };
  }
  return null;
}

/** Undefined for a value that the input takes. */
function limitBroken(
  { isText, isNumber, maxChars, options }: AppInput,
  value: unknown,
): WrongInput['limit'] | undefined {
  if (isNumber) return Number.isFinite(Number(value)) && !Array.isArray(value) ? undefined : null;
  if (!isText && options === null) return undefined;
  if (typeof value !== 'string') return null;
  // Dify counts code points.
  const chars = Array.from(value).length;
  if (maxChars !== null && chars > maxChars) return { maxChars, chars };
  return options !== null && options.length > 0 && !options.includes(value) ? { options } : undefined;
}
