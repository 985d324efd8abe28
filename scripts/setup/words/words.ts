/** One short explanation, with the place in the console, and what is asked for. */
export interface Asking {
  where: string;
  ask: string;
}

export type AskedVariable =
  | 'DINGTALK_CLIENT_ID'
  | 'DINGTALK_CLIENT_SECRET'
  | 'DINGTALK_CARD_TEMPLATE_ID'
  | 'DINGTALK_CARD_BUTTONS'
  | 'DIFY_API_URL'
  | 'DIFY_API_KEY'
  | 'DIFY_QUERY_INPUT'
  | 'UPSTASH_REDIS_REST_URL'
  | 'UPSTASH_REDIS_REST_TOKEN'
  | 'PUBLIC_URL'
  | 'ADMIN_USERS'
  | 'ALLOWED_USERS'
  | 'STREAMING';

/** Every sentence of the guide. Both languages have the same, or it does not compile. */
export interface Words {
  /** After `--from`. */
  imported: (robots: number) => string;
  intro: (file: string, isUnchecked: boolean) => string;
  questions: Record<AskedVariable | 'extras', Asking>;
  /** An input of the Dify app that no setting fills. */
  input: (name: string, label: string) => Asking;
  no: string;
  /** In brackets behind what is asked for: what an empty answer does. */
  keeps: (value: string | null) => string;
  skips: string;
  usual: (value: string) => string;
  required: string;
  expected: (expected: string) => string;
  yesOrNo: string;
  unknownExtra: (word: string) => string;
  originOnly: string;
  checking: string;
  afterFailure: string;
  atBeginning: string;
  taken: string;
  app: (name: string, type: string) => string;
  questionInputs: (names: readonly string[]) => string;
  noTemplate: string;
  noStore: string;
  otherStore: (variable: string) => string;
  noAddress: string;
  malformed: (variable: string, expected: string) => string;
  missing: (list: string) => string;
  checksFailed: string;
  summary: string;
  hidden: (isKept: boolean) => string;
  removed: string;
  unchanged: (file: string) => string;
  confirm: (file: string) => string;
  declined: string;
  interrupted: (hasWritten: boolean) => string;
  dryRun: (file: string, names: readonly string[]) => string;
  written: (file: string) => string;
  unwritable: (variable: string) => string;
  fileRefused: (file: string, code: string) => string;
  vercel: string;
  afterVercel: string;
  callback: (address: string) => string;
  /** In place of the host while none is known. */
  host: string;
  /** In place of the steps for Vercel, where robots have Stream connections. */
  ownServer: string;
  streamSteps: (permissions: readonly string[]) => string;
  consoleSteps: (address: string, permissions: readonly string[]) => string;
  /** Without an origin where nothing is deployed elsewhere. */
  doctor: (origin: string) => string;
  needsTerminal: string;
}
