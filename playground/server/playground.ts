import type { Config, Environment } from '../../lib/config/config.ts';
import { systemClock, type Clock } from '../../lib/runtime/clock.ts';
import { startHost, type Host } from '../../scripts/host.ts';
import { createDifySimulator } from '../dify/simulator.ts';
import { createDingTalkSimulator } from '../dingtalk/simulator.ts';
import type { DingTalkApi } from '../dingtalk/types.ts';
import { createApi } from './api.ts';
import { createBridge } from './bridge.ts';
import { groupsIn, peopleIn, PERSON_INFOS, ROBOT, SAMPLE_APPS, SAMPLE_CHOICES } from './cast.ts';
import { createChats } from './chats.ts';
import {
  BUTTON_TEMPLATE,
  DINGTALK_APP,
  functionEnvironment,
  hasRealApp,
  PLAIN_TEMPLATE,
  REAL_APP,
  secretsOf,
  wantsButtons,
} from './configuration.ts';
import { refusalOf } from './guard.ts';
import { checkOwnApp, unknownOwnApp } from './own-app.ts';
import { createJournal, MAX_ITEMS } from './journal.ts';
import { createDocs } from './docs.ts';
import { writeFixture } from './fixture.ts';
import { createPages } from './pages.ts';
import { TROUBLES, type AppChoice, type Setup, type Snapshot, type Trouble } from './protocol.ts';
import { createRecorder } from './recorder.ts';
import { createUploads } from './uploads.ts';
import { VOICES } from './voices.ts';
import { watchFetch } from './watched-fetch.ts';

/** Round trips as they are between nearby data centres, so that what is seen is what will be felt. */
const LATENCY_MS: Partial<Record<DingTalkApi, number>> = { createAndDeliver: 180, sendBySession: 120 };
const USUAL_LATENCY_MS = 80;
const SLOW_LATENCY_MS = 1_500;
/** Fields of a card that a DingTalk may not know yet. */
const NEWER_FIELDS = ['config', 'question', 'app', 'waiting_for', 'extension'];

interface PlaygroundHost extends Host {
  /** The app of `DIFY_API_KEY` once Dify was asked for it; null without one. */
  ownApp: Promise<AppChoice | null>;
}

/**
 * Everything behind `npm start`: the function, a DingTalk, a Dify, a store, and the page. All but the page goes by
 * `clock`.
 */
export async function startPlayground(
  env: Environment,
  config: Config,
  clock: Clock = systemClock,
): Promise<PlaygroundHost> {
  const template = { published: true, variables: ['content'], failedState: true };
  const withButtons = { ...template, buttons: true };
  const dingtalk = await createDingTalkSimulator({
    app: DINGTALK_APP,
    permissions: ['Card.Instance.Write', 'Card.Streaming.Write', 'qyapi_robot_sendmsg', 'qyapi_base'],
    templates: { [PLAIN_TEMPLATE]: template, [BUTTON_TEMPLATE]: withButtons },
    clock,
  });
  const dify = await createDifySimulator({ apps: SAMPLE_APPS, latencyMs: 60, clock });
  const journal = createJournal(() => clock.now());
  let setup = initialSetup(env, config);
  /** People and groups have names in both languages; DingTalk sends those of the robot's. */
  const applyLanguage = () => {
    dingtalk.settings.people = peopleIn(setup.replyLanguage);
    dingtalk.settings.groups = groupsIn(setup.replyLanguage);
  };
  applyLanguage();
  const hostname = config.host ?? '127.0.0.1';

  const uploads = createUploads();
  const recorder = createRecorder(
    () => clock.now(),
    () => setup,
  );
  const chats = createChats({
    clock,
    dingtalk,
    journal,
    recorder,
    uploads,
    beforeDelivery: () => makeReady(),
    callbackUrl: () => `${ownOrigin(host, hostname)}/api/dingtalk`,
    language: () => setup.replyLanguage,
    pressShape: () => setup.press,
  });
  const bridge = createBridge({
    journal,
    clock,
    fetch: watchFetch({
      clock,
      dingtalk,
      journal,
      recorder,
      onDingTalkRequest: (request) => chats.noteRequest(request),
    }),
    setup: () => setup,
    environment: () =>
      functionEnvironment(env, setup, { dingtalk: dingtalk.origin, dify: dify.url, own: ownOrigin(host, hostname) }),
  });

  /** The switches that are a tenant's settings; the others are read where they matter. */
  const applyTrouble = () => {
    const { slowDingTalk, qpsLimit, cardRefused, fieldsRefused } = setup.trouble;
    dingtalk.settings.latencyMs = (api) => (slowDingTalk ? SLOW_LATENCY_MS : (LATENCY_MS[api] ?? USUAL_LATENCY_MS));
    dingtalk.settings.qps = qpsLimit ? 1 : 20;
    dingtalk.settings.refusedFields = { names: fieldsRefused ? NEWER_FIELDS : [], by: 'call' };
    for (const each of [template, withButtons]) each.published = !cardRefused;
  };

  /** Both go on knowing every card and message that the page shows. */
  const makeReady = () => {
    for (const simulator of [dingtalk, dify]) simulator.clear(MAX_ITEMS);
    applyTrouble();
  };

  const snapshot = (): Snapshot => ({
    robot: ROBOT,
    people: PERSON_INFOS,
    chats: chats.infos,
    voices: VOICES,
    setup,
    ...journal.contents(),
  });

  const api = createApi({
    journal,
    chats,
    uploads,
    media: (id) => dingtalk.media.get(id),
    snapshot,
    exportFixture(question) {
      const recordings = recorder.recordings().filter((each) => question === null || each.question === question);
      const { items, frames, people } = snapshot();
      return writeFixture({ recordings, items, frames, people, chats: chats.infos, secrets: secretsOf(env), setup });
    },
    configure(change) {
      if (change.app !== undefined && !setup.apps.some(({ id }) => id === change.app)) return false;
      setup = { ...setup, ...change };
      applyLanguage();
      journal.announce({ kind: 'setup', setup });
      return true;
    },
    reset() {
      bridge.forget();
      chats.forget();
      if (bridge.running() === 0) for (const simulator of [dingtalk, dify]) simulator.clear();
      journal.clear();
    },
  });
  const page = createPages();
  const docs = createDocs();

  const host = await startHost({
    port: config.port,
    hostname,
    handle: (request, platform) => bridge.handle(request, platform),
    async other(request) {
      const { pathname } = new URL(request.url);
      const isApi = pathname.startsWith('/playground/');
      const found =
        isApi || !['GET', 'HEAD'].includes(request.method) ? null : ((await page(pathname)) ?? (await docs(pathname)));
      if (!isApi) return found;
      const refusal = refusalOf(request, hostname);
      return refusal === null ? api(request, pathname) : Response.json({ error: refusal }, { status: 403 });
    },
  });
  /** The page is there before Dify has answered: it may take its time, or not be there at all. */
  const askForOwnApp = async (): Promise<AppChoice | null> => {
    const [first] = setup.apps;
    const own = config.robots[0]?.dify;
    if (!first?.real || !own) return null;
    const checked = await checkOwnApp(first, own, { fetch: (url, init) => globalThis.fetch(url, init), clock });
    setup = { ...setup, apps: setup.apps.map((choice) => (choice.id === checked.id ? checked : choice)) };
    journal.announce({ kind: 'setup', setup });
    return checked;
  };

  return {
    ...host,
    ownApp: askForOwnApp(),
    async close(graceMs) {
      await host.close(graceMs);
      await Promise.all([dingtalk.close(), dify.close()]);
    },
  };
}

function initialSetup(env: Environment, config: Config): Setup {
  const [robot] = config.robots;
  if (!robot) throw new Error('the configuration has no robot');
  const real = unknownOwnApp(REAL_APP, robot.dify);
  const hasReal = hasRealApp(env);
  return {
    app: hasReal ? REAL_APP : 'chat',
    apps: hasReal ? [real, ...SAMPLE_CHOICES] : SAMPLE_CHOICES,
    streaming: robot.streaming,
    showThinking: robot.showThinking,
    replyLanguage: robot.language,
    followsPage: !env['REPLY_LANGUAGE']?.trim(),
    buttons: wantsButtons(env, robot.dingtalk.cardButtons),
    press: 'cardPrivateData',
    trouble: Object.fromEntries(TROUBLES.map((name) => [name, false])) as Trouble,
  };
}

/** Where this machine reaches its own server: "every interface" is not an address. */
function ownOrigin(host: Host, hostname: string): string {
  const { port } = new URL(host.url);
  const address = hostname === '0.0.0.0' || hostname === '::' ? '127.0.0.1' : hostname;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port || '80'}`;
}
