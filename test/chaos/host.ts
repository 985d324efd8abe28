// One instance of the function in a process of its own, on a clock that it shares with the simulators. Started by
// fleet.ts, and by that of later commits: see HostSettings there.
import { createApp } from '../../lib/app.ts';
import { openStream } from '../../lib/dingtalk/stream/open-stream.ts';
import { startHost } from '../../scripts/host.ts';
import type { HostSettings } from './fleet.ts';
import { createSharedClock } from './shared-clock.ts';

const { env, clock, ...timing } = JSON.parse(process.argv[2] ?? '{}') as HostSettings;
const host = await startHost({
  port: 0,
  hostname: '127.0.0.1',
  handle: (request, platform) => app.handle(request, platform),
});
const storeClock = createSharedClock({ ...clock, aheadMs: 0 });
const created = createApp({
  env: { PUBLIC_URL: host.url, ...env },
  clock: createSharedClock(clock),
  openStream,
  // The instances share a store, and so its time.
  storeTime: () => storeClock.now(),
  ...timing,
});
if (!created.ok) throw new Error(JSON.stringify(created.problems));
const app = created;
app.connect(host.platform);
process.send?.({ url: host.url });
process.on('disconnect', () => process.exit(0));
