import type { DifyApi } from './types.ts';

export interface RouteMatch {
  api: DifyApi;
  /** The task, run or message id or the form's token in the path; empty where there is none. */
  id: string;
}

/** protocol 1: note the singular `workflow` of the run events. */
const routes: readonly [method: string, path: RegExp, api: DifyApi][] = [
  ['GET', /^\/v1\/info$/u, 'info'],
  ['GET', /^\/v1\/parameters$/u, 'parameters'],
  ['POST', /^\/v1\/chat-messages$/u, 'chat'],
  ['POST', /^\/v1\/workflows\/run$/u, 'workflow'],
  ['POST', /^\/v1\/completion-messages$/u, 'completion'],
  ['POST', /^\/v1\/(?:chat-messages|completion-messages|workflows\/tasks)\/([^/]+)\/stop$/u, 'stop'],
  ['GET', /^\/v1\/messages$/u, 'messages'],
  ['GET', /^\/v1\/conversations$/u, 'conversations'],
  ['GET', /^\/v1\/workflows\/run\/([^/]+)$/u, 'runDetail'],
  ['GET', /^\/v1\/workflow\/([^/]+)\/events$/u, 'runEvents'],
  ['POST', /^\/v1\/files\/upload$/u, 'upload'],
  ['POST', /^\/v1\/audio-to-text$/u, 'speech'],
  ['POST', /^\/v1\/messages\/([^/]+)\/feedbacks$/u, 'feedback'],
  ['GET', /^\/v1\/messages\/([^/]+)\/suggested$/u, 'suggested'],
  ['GET', /^\/v1\/form\/human_input\/([^/]+)$/u, 'form'],
  ['POST', /^\/v1\/form\/human_input\/([^/]+)$/u, 'submitForm'],
  ['GET', /^\/files\/(?:tools\/[^/]+|[^/]+\/file-preview)$/u, 'file'],
];

export function matchRoute(method: string, path: string): RouteMatch {
  for (const [wanted, pattern, api] of routes) {
    const match = wanted === method ? pattern.exec(path) : null;
    if (match) return { api, id: decodeURIComponent(match[1] ?? '') };
  }
  return { api: 'unknown', id: '' };
}
