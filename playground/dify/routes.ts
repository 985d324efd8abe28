import type { DifyApi } from './types.ts';

export interface RouteMatch {
  api: DifyApi;
  /** The task, run or message id or the form's token in the path; empty where there is none. */
  id: string;
  /** There is such a path, but not for this method. */
  isWrongMethod?: boolean;
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
  ['DELETE', /^\/v1\/conversations\/([^/]+)$/u, 'deleteConversation'],
  ['GET', /^\/v1\/workflows\/run\/([^/]+)$/u, 'runDetail'],
  ['GET', /^\/v1\/workflows\/logs$/u, 'runList'],
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
  const matches = routes.filter(([, pattern]) => pattern.test(path));
  // A HEAD is answered like a GET.
  const found = matches.find(([wanted]) => wanted === (method === 'HEAD' ? 'GET' : method));
  if (!found) return { api: 'unknown', id: '', isWrongMethod: matches.length > 0 };
  const [, pattern, api] = found;
  return { api, id: decodeURIComponent(pattern.exec(path)?.[1] ?? '') };
}
