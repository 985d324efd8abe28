/** Milliseconds that this thread computes: unlike the time that passes, they do not grow with what else the machine does. */
export function computeMs(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}
