import type { RoadWords } from './road.ts';

export const roadEn: RoadWords = {
  intro: (file) =>
    `Set-up leads from a scan to the first card and makes ${file}. Each answer is checked and kept; Ctrl+C ends, and the next run goes on.\nEnter keeps or skips what is in brackets · b goes one step back · - empties an optional value`,
  scan: {
    intro:
      'The DingTalk app, by a scan: DingTalk creates an app with a robot in the organisation that you choose on the phone. You need developer rights there; large organisations often refuse them. To enter an app by hand, type h.',
    link: (link) => `Scan the code with DingTalk. On the phone this link does the same:\n${link}`,
    waiting: (left) => `Waiting for the scan, ${left} left (h: by hand) `,
    done: 'The app is created. Its id and secret are taken over and not shown.',
    assistant:
      'DingTalk shows robots that were created by a scan as AI assistants, and may drop their plain messages when they come late. Use a card template.',
    expired: 'The code has expired.',
    refused: (reason) =>
      `DingTalk did not create the app: ${reason}. Where the organisation refuses developer rights, ask an administrator, or enter an app by hand.`,
    unreachable: (reason) => `DingTalk cannot be reached (${reason}).`,
    again: 'Enter: a new code, h: by hand',
  },
  where: {
    where:
      'Where the bridge runs: 1 Vercel. 2 a machine of your own without a public address (Stream mode). 3 a machine of your own with a public HTTPS address.',
    ask: '1, 2 or 3',
    wrong: 'Please answer 1, 2 or 3.',
  },
  resumed: (file) => `Going on where you stopped. What you have answered is in ${file}.`,
  interrupted: (file) => `Interrupted. What you answered is kept in ${file}; npm run setup goes on from there.`,
  templateFile: (file) =>
    `The card template is written to ${file}. On the card platform: 新建模板 (消息卡片, AI 卡片, 关联应用: this app), open it, 更多 → 导入 → this file, 保存, 发布. Copy the id from the list.`,
  templateShape: 'A template id ends in .schema.',
  page: (url) => `Page: ${url}`,
  agree: 'Run exactly these commands? y or n',
  yesOrNo: 'Please answer y or n.',
  commands: 'These commands are to be run:',
  refusedByPerson: 'None of these commands was run.',
  running: (command) => `$ ${command}`,
  commandFailed: (command) => `The command failed: ${command}`,
  vercel: {
    missing: 'The command vercel was not found (npm install --global vercel).',
    loggedOut: 'The command vercel is not logged in (vercel login).',
    ready: (user) => `Vercel: logged in as ${user}.`,
    noStore:
      'The project has no store. Vercel → the project → Storage → Create Database → Upstash for Redis, and connect it to Production.',
    lookAgain: 'Enter: look again, s: later',
    deployed: (origin) => `Deployed: ${origin}`,
    ownDomain:
      'The project has no domain of its own. *.vercel.app is widely unreachable from mainland China, where DingTalk calls from. Vercel → the project → Settings → Domains.',
    domainAsk: 'Your domain, such as https://bot.example.com (Enter: keep the one of Vercel)',
    leftDeploy: 'Deploy to Vercel: the commands are above. https://vercel.com/docs/cli',
    leftStore:
      'Give the project a store, then run npm run setup again: https://vercel.com/dashboard → the project → Storage',
  },
  schedule: {
    intro:
      'An answer whose function was killed is completed by the sweep, which Vercel calls once a day on its free plan. A schedule at QStash, free with the Upstash account of the store, calls it every two minutes.',
    where: (page) => `QSTASH_TOKEN stands at ${page}.`,
    ask: 'QSTASH_TOKEN (not shown; Enter: later)',
    left: 'No schedule calls the sweep: QSTASH_TOKEN from https://console.upstash.com/qstash, then npm run setup',
  },
  dws: {
    missing:
      "DingTalk's command line tool dws was not found, so the console is done by pages. To install it: npm install --global dingtalk-workspace-cli",
    old: (version) => `dws ${version} is too old: 1.0.58 or later is needed. The console is done by pages.`,
    loggedOut: 'dws is installed and not logged in. In another terminal: dws auth login --device --no-browser',
    lookAgain: 'Enter: look again, s: by pages',
    otherOrganisation: (organisation) =>
      `dws is logged in to ${organisation}. The app is not there, or you have no developer rights for it. Log in to the organisation that you chose at the scan: dws auth login`,
    app: (name, organisation) => `The app is called “${name}”, in ${organisation}.`,
    unreadable: 'dws could not read the app. The console is done by pages.',
    nothing: 'Robot, permissions and version are as they should be.',
    readBack: (what) => `Read back: ${what}`,
    notAsAsked: (what) => `Read back, not as asked: ${what}`,
    consent: (link) => `DingTalk wants your consent first, on this page: ${link}`,
    afterConsent: 'Enter: I have consented, s: later',
    approver: (options) => `The version needs an approver: ${options.join(', ')}`,
    approverAsk: 'Number of the approver (s: later)',
    released: 'The version is published.',
    waits: 'The version waits for approval. Before that the robot is not found.',
    versionRefused: 'The version was refused or withdrawn. A new one is needed.',
    leftVersion: (versionId) =>
      `Version ${versionId} waits for approval. When it is approved, npm run setup goes on. https://open-dev.dingtalk.com → 版本管理与发布`,
    leftPublish: 'The version is not published: https://open-dev.dingtalk.com → 版本管理与发布',
    unlisted: (scopes) => `DingTalk does not offer these permissions to the app: ${scopes.join(', ')}`,
    needsApproval: (scopes) => `These permissions wait for approval: ${scopes.join(', ')}`,
  },
  pages: {
    intro: "DingTalk's console, one page at a time.",
    permissions: (scopes) => `权限管理: search ${scopes.join(', ')} and press 立即开通.`,
    robotHttp: (address) => `机器人 → 消息接收模式: HTTP 模式 (not Stream); 消息接收地址: ${address}; press 发布.`,
    robotStream: '机器人 → 消息接收模式: Stream 模式; press 发布.',
    version: '版本管理与发布 → 创建新版本: choose 可用范围 and publish. Before that others do not find the robot.',
    done: 'Enter: done, s: later',
    again: 'Enter: check again, s: later',
    left: (page) => `DingTalk's console, ${page}: https://open-dev.dingtalk.com`,
    noAddress: "The robot's address: the bridge has no public address yet. Run npm run setup again when it has one.",
    names: { permissions: '权限管理', robot: '机器人', version: '版本管理与发布' },
  },
  card: {
    writeToRobot: 'Write anything to the robot in DingTalk: the first person who does gets a test card. s: later ',
    first: (nick) => `${nick} wrote to the robot.`,
    staffId: 'Send /id to the robot and enter your staff id: you get a test card (Enter: later)',
    afterFailure: 'Another template id, Enter: try again, s: later',
    left: 'No card was sent yet: npm run doctor -- --card STAFF_ID (/id in a chat with the robot tells it)',
    noTemplate: 'No card template: https://open-dev.dingtalk.com/fe/card, then npm run setup',
  },
  ownServer: 'Start the bridge: docker compose up -d --build --wait, or npm run serve (docs/own-server.md)',
  left: 'What is left:',
  nothingLeft: 'Nothing is left to do. Ask the robot something in DingTalk.',
  runAgain: 'npm run setup goes on with what is left.',
  more: 'Administrators, allowed users and everything else: docs/configuration.md. All of it is checked by: npm run doctor',
  tally: (questions, pages, pasted) => `Questions answered: ${questions}. Pages: ${pages}. Values pasted: ${pasted}.`,
  unknownAnswer: (file, name) => `${file}: there is no variable ${name}`,
  answersFile: (file) => `${file} cannot be read, or others may read it (chmod 600 ${file}).`,
};
