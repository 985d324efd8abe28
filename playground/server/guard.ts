import { isIP } from 'node:net';

/**
 * Why a request must not reach the playground, or null. It runs on a developer's machine and may hold the key of a
 * real Dify app, so no other site open in the same browser may talk to it: neither across origins nor by a name
 * that an attacker has pointed at this machine.
 */
export function refusalOf(request: Request, ownHost: string | null): string | null {
  const host = request.headers.get('host') ?? '';
  const name = hostName(host);
  // An attacker can point a name at this machine (DNS rebinding); an address in figures is always this machine's own.
  if (name !== 'localhost' && name !== ownHost && isIP(name) === 0) return 'unknown host';
  const origin = request.headers.get('origin');
  if (origin !== null && origin !== `http://${host}`) return 'another origin';
  const site = request.headers.get('sec-fetch-site');
  if (site !== null && site !== 'same-origin' && site !== 'none') return 'another site';
  const type = request.headers.get('content-type') ?? '';
  // A form of another site cannot have these types without asking first.
  const isOwn = type.startsWith('application/json') || type === 'application/octet-stream';
  if (request.method === 'POST' && !isOwn) return 'the content type must be application/json';
  return null;
}

function hostName(host: string): string {
  const url = URL.parse(`http://${host}`);
  return (url?.hostname ?? '').replace(/^\[|\]$/g, '');
}
