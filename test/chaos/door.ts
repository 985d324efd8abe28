// How messages reach the instances of a chaos run: by HTTP callback, or over Stream connections that are disturbed.
import type { Clock } from '../../lib/runtime/clock.ts';
import { createStreamGateway, type StreamGateway } from '../../playground/dingtalk/stream-gateway.ts';
import type { Callback, DingTalkSimulator } from '../../playground/dingtalk/types.ts';
import { createRandom } from '../../playground/http/random.ts';
import { ROBOTS, type DoorName, type RobotName, type StreamFault } from './plan.ts';

/** Sooner than DingTalk sends a message again. */
const RESEND_MS = 2_000;
/** Some attempts to connect are refused in a row. */
const REFUSALS = 2;

export interface Door {
  name: DoorName;
  /** The gateways of Stream mode by robot; none where the door is HTTP. */
  gateways: Partial<Record<RobotName, StreamGateway>>;
  /** Delivers a message once; the status that DingTalk sees. Rejects when the instance was killed meanwhile. */
  deliver(robot: RobotName, dingtalk: DingTalkSimulator, callback: Callback, url: string): Promise<number>;
  disturb(robot: RobotName, fault: StreamFault): void;
  /** Resolves when every robot has so many connections. */
  ready(connections: number): Promise<void>;
  close(): Promise<unknown>;
}

export async function openDoor(name: DoorName, seed: number, clock: Clock): Promise<Door> {
  const random = createRandom(seed);
  const pick = (count: number) => Math.floor(random() * count);
  const gateways: Partial<Record<RobotName, StreamGateway>> = {};
  for (const robot of name === 'stream' ? ROBOTS : []) {
    const app = { clientId: `ding${robot}`, clientSecret: `secret-${robot}` };
    gateways[robot] = await createStreamGateway({ app, clock, pick, resendMs: RESEND_MS });
  }
  return {
    name,
    gateways,
    async deliver(robot, dingtalk, callback, url) {
      const gateway = gateways[robot];
      if (gateway) return (await gateway.push(callback.body)).status;
      return (await dingtalk.deliver(`${url}/${robot}`, callback)).status;
    },
    disturb(robot, fault) {
      const gateway = gateways[robot];
      switch (fault) {
        case 'cut':
          gateway?.cut();
          return;
        case 'disconnect':
          gateway?.disconnect();
          return;
        case 'replace':
          // The gateway goes away, and comes back only after some attempts.
          gateway?.refuseOpen(REFUSALS, 503);
          gateway?.refuseTickets(1);
          gateway?.cut();
          return;
        case 'lose-ack':
          gateway?.loseAcks(1);
          return;
        case 'forget':
          gateway?.forget();
      }
    },
    async ready(connections) {
      const isReady = () => Object.values(gateways).every((gateway) => gateway.connections().length >= connections);
      while (!isReady()) await new Promise<void>((resolve) => clock.schedule(100, resolve));
    },
    close: () => Promise.all(Object.values(gateways).map((gateway) => gateway.close())),
  };
}
