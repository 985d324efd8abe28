import type { ServerResponse } from 'node:http';
import type { ServedFile } from './result-files.ts';
import type { DifyFaultEffect } from './types.ts';

/** Sends the bytes of a file, or as many as the fault lets through; says how many. */
export function sendFile(
  response: ServerResponse,
  { mimeType, bytes }: ServedFile,
  fault: DifyFaultEffect | undefined,
): number {
  response.writeHead(200, { 'content-type': mimeType, 'content-length': bytes.length });
  const limit = fault?.kind === 'cut' || fault?.kind === 'stall' ? fault.afterBytes : Infinity;
  if (bytes.length <= limit) {
    response.end(bytes);
    return bytes.length;
  }
  response.write(bytes.subarray(0, limit), () => {
    if (fault?.kind === 'cut') response.destroy();
  });
  return limit;
}
