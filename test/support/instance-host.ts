// One instance of the function in a process of its own, for stories that kill it. Started by instance.ts.
import { createApp } from '../../lib/app.ts';
import { openStream } from '../../lib/dingtalk/stream/open-stream.ts';
import { STORE_TIMEOUT_MS } from '../../lib/state/redis/failure.ts';
import { startHost } from '../../scripts/host.ts';
import { createSharedClock } from '../chaos/shared-clock.ts';
import type { InstanceSettings } from './instance.ts';

const { env, leaseTiming, clock } = JSON.parse(process.argv[2] ?? '{}') as InstanceSettings;
const host = await startHost({
  port: 0,
  hostname: '127.0.0.1',
  handle: (request, platform) => app.handle(request, platform),
});
const created = createApp({
  openStream,
  env: { PUBLIC_URL: host.url, ...env },
  ...(leaseTiming ? { leaseTiming } : {}),
  ...(clock ? { clock: createSharedClock(clock), storeTimeoutMs: STORE_TIMEOUT_MS * clock.speed } : {}),
});
if (!created.ok) throw new Error(JSON.stringify(created.problems));
const app = created;
app.connect(host.platform);
process.send?.({ url: host.url });
process.on('disconnect', () => process.exit(0));
