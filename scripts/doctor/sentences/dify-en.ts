import { facts, line } from './line.ts';

const KEY = 'Dify → the app → API Access → API Key';

/** Dify. */
export const difyEn = {
  difyReached: (host: string) => line(`${host} answers, and the key is that of a published app`),
  difyPrivate: (host: string) =>
    line(`${host} is in a private network: a function on Vercel cannot reach it, one beside it can`),
  difyUnreachable: (host: string, reason: string) =>
    line(
      `no connection to ${host} (${reason})`,
      'check DIFY_API_URL, DNS, TLS and firewall; Dify must be reachable from where the function runs',
    ),
  difyRedirects: (host: string, status: number) =>
    line(
      `DIFY_API_URL redirects to ${host} (${facts(status)}); keys are not carried along`,
      'set DIFY_API_URL to the address that it redirects to, https:// included',
      'Dify → the app → API Access',
    ),
  difyWithoutV1: (status: number) =>
    line(
      `there is no API at DIFY_API_URL (${facts(status)}), but there is one below /v1`,
      'add /v1 to the end of DIFY_API_URL',
      'Dify → the app → API Access',
    ),
  difyPage: (host: string, status: number) =>
    line(
      `${host} answers with something that is not Dify's API, such as a web page (${facts(status)})`,
      'set DIFY_API_URL to the address under API Access, not to that of the web app or of the console: https://api.dify.ai/v1, or https://your-host/v1',
      'Dify → the app → API Access',
    ),
  difyKeyWrong: (status: number, code: string) =>
    line(
      `Dify does not accept the key (${facts(status, code)})`,
      'create a key in this very Dify and copy it into DIFY_API_KEY',
      KEY,
    ),
  difyForbidden: (status: number, code: string) =>
    line(
      `the app is closed to the API (${facts(status, code)})`,
      'switch the API service of the app on; see that app and workspace are not archived',
      'Dify → the app → Monitoring → Backend Service API',
    ),
  difyUnpublished: (status: number, code: string) =>
    line(
      `the app is not published, or broken (${facts(status, code)})`,
      'open the app in Dify and press Publish',
      'Dify → the app → Publish',
    ),
  difyBusy: (status: number, code: string) =>
    line(
      `Dify is at a limit (${facts(status, code)})`,
      'run the doctor again later; raise the limits of plan or server',
    ),
  difyServerError: (host: string, status: number, code: string) =>
    line(`${host} fails (${facts(status, code)})`, "look at Dify's log and at the proxy in front of it"),
  difyVersion: (version: string) => line(`it is Dify ${version}`),
  difyVersionHidden: () =>
    line('no answer names the version of this Dify: a proxy in front of it seems to remove the header X-Version'),
  difyRunsDie: () =>
    line(
      'before Dify 1.9.2 a workflow or chatflow dies with its connection: what takes longer than the function may run, or what a function was writing when it ended, is lost',
      'update Dify to 1.9.2 or newer',
    ),
  difyNoForms: () => line('before Dify 1.14 forms of a chatflow or workflow cannot be answered in the chat'),
  difyTypeFine: (type: string) => line(`the app is a ${type}`),
  difyTypeUnknown: () =>
    line(
      'this Dify does not tell the type of the app (before 1.4)',
      'set DIFY_APP_TYPE to chat, agent, chatflow, workflow or completion',
    ),
  difyTypeAssumed: (type: string) => line(`${type}, as DIFY_APP_TYPE says; this Dify does not tell`),
  difyTypeDiffers: (set: string, told: string) =>
    line(`DIFY_APP_TYPE is ${set}, but the app is a ${told}`, `leave DIFY_APP_TYPE out, or set it to ${told}`),
  difyOneRequest: () =>
    line(
      'a limit of 1 concurrent request (max_active_requests) would refuse every question to such an app: Dify counts a streamed question twice. Leave it empty, or set it to 2 or more',
    ),
  difyQuestion: (name: string) => line(`the question goes into the input ${name}`),
  difyNoQuestion: (configured: string, texts: readonly string[]) =>
    line(
      `no input takes the question: there is no ${configured}, and the text inputs are ${texts.join(', ') || 'none'}`,
      texts.length > 0
        ? 'set DIFY_QUERY_INPUT to the one that takes the question'
        : `add a text input called ${configured} to the start node and publish`,
      'Dify → the app → Start → Input Field',
    ),
  difyInputsEmpty: (names: readonly string[]) =>
    line(
      `the required inputs ${names.join(', ')} get no value: every question would be refused`,
      'fill them in DIFY_INPUTS, for example {"name":"value"}; or make them optional or give them a default',
      'Dify → the app → Start → Input Field (Variables)',
    ),
  difyInputWrong: (label: string) =>
    line(
      `DIFY_INPUTS has a value that the input ${label} does not take: every question would be refused`,
      'keep to the longest length, the options and the type of the input',
      'Dify → the app → Start → Input Field',
    ),
  difyInputsUnknown: (names: readonly string[]) =>
    line(`DIFY_INPUTS fills ${names.join(', ')}, which the app does not have; Dify drops it`),
  difyFilesRequired: (names: readonly string[]) =>
    line(
      `the inputs ${names.join(', ')} require a file: questions without one are refused`,
      'make them optional, unless every question comes with a file',
      'Dify → the app → Start → Input Field',
    ),
  difyInputsFine: (count: number) =>
    line(count === 0 ? 'no inputs required' : `inputs: ${count}; every required one has a value`),
  filesTaken: (kinds: readonly string[], most: number) =>
    line(
      kinds.length > 0
        ? `files with a question: ${kinds.join(', ')}, ${most} at most`
        : 'files go into the inputs of the app',
    ),
  filesNotTaken: () => line('files: the app takes none. To change that: Dify → the app → Features → File Upload'),
  speechTaken: () => line('speech: Dify writes voice messages down'),
  speechNotTaken: () =>
    line("speech: DingTalk's own recognition is used. To change that: Dify → the app → Features → Speech to Text"),
  opening: () => line('opening statement: comes before the first answer'),
  noOpening: () => line('opening statement: none'),
  sourcesShown: () => line('sources: answers name the documents they rest on'),
  sourcesNotShown: () => line('sources: off. To change that: Dify → the app → Features → Citations and Attributions'),
  suggestions: () => line('suggested questions: on'),
  noSuggestions: () => line('suggested questions: off. To change that: Dify → the app → Features → Follow-up'),
  filesFine: (host: string) => line(`${host} answers below /files`),
  filesUnreachable: (host: string, reason: string) =>
    line(
      `no connection to ${host} (${reason}): files and pictures of answers cannot be fetched`,
      "set DIFY_FILES_URL to the origin that serves /files (Dify's FILES_URL)",
    ),
  filesRedirect: (host: string, target: string) =>
    line(
      `${host} redirects /files to ${target}, which is not followed`,
      'set DIFY_FILES_URL to the origin that it redirects to',
    ),
  filesForeign: (host: string, status: number) =>
    line(
      `${host} answers below /files, but not as Dify does (${facts(status)})`,
      "set DIFY_FILES_URL to the origin that serves /files; let the proxy pass /files to Dify's API",
    ),
};
