// Loaded into the process of an instance (`--import`), whichever version's code it runs: tells what the process has
// used since it was asked last. Plain JavaScript, so that no version's settings matter to it.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
let before = process.cpuUsage();

process.on('message', (message) => {
  // A look does not collect garbage: that would be a standstill of its own.
  if (message !== 'probe' && message !== 'look') return;
  const { user, system } = process.cpuUsage(before);
  before = process.cpuUsage();
  if (message === 'probe') globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  process.send?.({
    cpuMs: (user + system) / 1000,
    rssMb: rss / 1e6,
    heapMb: heapUsed / 1e6,
    // The monitor counts its own interval of 1 ms.
    delayP99Ms: Math.max(0, delay.percentile(99) / 1e6 - 1),
    delayMaxMs: Math.max(0, delay.max / 1e6 - 1),
  });
  delay.reset();
});
