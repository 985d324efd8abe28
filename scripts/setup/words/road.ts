/** The sentences of the steps that act: the scan, Vercel, DingTalk's console, the card, and the end. */
export interface RoadWords {
  intro: (file: string) => string;
  scan: {
    intro: string;
    link: (link: string) => string;
    waiting: (left: string) => string;
    done: string;
    assistant: string;
    expired: string;
    refused: (reason: string) => string;
    unreachable: (reason: string) => string;
    again: string;
  };
  where: { where: string; ask: string; wrong: string };
  resumed: (file: string) => string;
  interrupted: (file: string) => string;
  templateFile: (file: string) => string;
  templateShape: string;
  page: (url: string) => string;
  agree: string;
  yesOrNo: string;
  commands: string;
  refusedByPerson: string;
  running: (command: string) => string;
  commandFailed: (command: string) => string;
  vercel: {
    missing: string;
    loggedOut: string;
    ready: (user: string) => string;
    noStore: string;
    lookAgain: string;
    deployed: (origin: string) => string;
    ownDomain: string;
    domainAsk: string;
    leftDeploy: string;
    leftStore: string;
  };
  schedule: {
    intro: string;
    where: (page: string) => string;
    ask: string;
    left: string;
  };
  dws: {
    missing: string;
    old: (version: string) => string;
    loggedOut: string;
    lookAgain: string;
    otherOrganisation: (organisation: string) => string;
    app: (name: string, organisation: string) => string;
    unreadable: string;
    nothing: string;
    readBack: (what: string) => string;
    notAsAsked: (what: string) => string;
    consent: (link: string) => string;
    afterConsent: string;
    approver: (options: readonly string[]) => string;
    approverAsk: string;
    released: string;
    waits: string;
    versionRefused: string;
    leftVersion: (versionId: string) => string;
    leftPublish: string;
    unlisted: (scopes: readonly string[]) => string;
    needsApproval: (scopes: readonly string[]) => string;
  };
  pages: {
    intro: string;
    permissions: (scopes: readonly string[]) => string;
    robotHttp: (address: string) => string;
    robotStream: string;
    version: string;
    done: string;
    again: string;
    left: (page: string) => string;
    noAddress: string;
    names: { permissions: string; robot: string; version: string };
  };
  card: {
    writeToRobot: string;
    first: (nick: string) => string;
    staffId: string;
    afterFailure: string;
    left: string;
    noTemplate: string;
  };
  ownServer: string;
  left: string;
  nothingLeft: string;
  runAgain: string;
  more: string;
  tally: (questions: number, pages: number, pasted: number) => string;
  unknownAnswer: (file: string, name: string) => string;
  answersFile: (file: string) => string;
}
