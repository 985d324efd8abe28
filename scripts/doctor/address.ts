import { safeUpstreamCode } from '../../lib/errors.ts';
import type { AddressContext } from './check.ts';
import type { Finder, Finding } from './finding.ts';
import { isPublicHost } from './hosts.ts';
import { ask, redirectHost, type Answer } from './wire.ts';

/** DingTalk gives up after some 2 s (card callbacks page); a cold start and the way there come on top. */
const SLOW_MS = 1000;
const CERTIFICATE = /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_/;
/** The beginning of the function's health line. */
const HEALTHY = 'ok: the DingTalk callback';
const NOT_CONFIGURED = 'This deployment is not configured';

/** What DingTalk would meet at the address. */
export async function checkAddress(context: AddressContext, say: Finder): Promise<Finding[]> {
  const { address, ports } = context;
  if (address === null) return [say.note('addressNone')];
  const isPublic = isPublicHost(address.hostname);
  const findings: Finding[] = [];
  if (!isPublic) findings.push(say.warning('addressPrivate', address.host));
  else if (address.protocol === 'http:') return [say.failed('addressHttp', address.host)];
  else if (address.hostname.endsWith('.vercel.app')) findings.push(say.warning('addressVercel', address.host));
  const answer = await ask(ports.fetch, ports.clock, { url: address.href });
  if (answer.kind === 'none') return [...findings, unreachable(address, answer.reason, say)];
  const wrong = strange(answer, address, say);
  if (wrong) return [...findings, wrong];
  return [...findings, say.ok('addressFine', address.href)];
}

function unreachable({ host }: URL, reason: string, say: Finder): Finding {
  if (reason === 'ENOTFOUND' || reason === 'EAI_AGAIN') return say.failed('addressUnknown', host, reason);
  if (CERTIFICATE.test(reason)) return say.failed('addressCertificate', host, reason);
  return say.failed('addressUnreachable', host, reason);
}

/** Whatever is not the function's health line. */
function strange(answer: Answer, address: URL, say: Finder): Finding | null {
  const { status, headers, text } = answer;
  if (status === 200 && text.startsWith(HEALTHY)) return null;
  if (status === 503 && text.startsWith(NOT_CONFIGURED)) return say.failed('addressMisconfigured', variablesIn(text));
  const elsewhere = redirectHost(answer, address.href);
  // Vercel's log-in, as a page or as the way there; the cookie belongs to it.
  const isGuard =
    elsewhere?.endsWith('vercel.com') === true || /_vercel_sso/.test(`${headers.get('set-cookie') ?? ''}${text}`);
  const isVercel = headers.get('x-vercel-id') !== null || headers.get('x-vercel-error') !== null;
  const other = headers.get('cf-ray') !== null ? 'Cloudflare' : '';
  if (headers.get('x-vercel-mitigated')) return say.failed('addressFirewall', status);
  if (isGuard) return say.failed('addressProtected', status);
  const isRefused = status === 401 || status === 403;
  if (headers.get('cf-mitigated') !== null || (isRefused && !isVercel))
    return say.failed('addressGuarded', status, other);
  if (isRefused) return say.failed('addressProtected', status);
  if (elsewhere !== null) return say.failed('addressRedirects', elsewhere, status);
  const platformCode = safeUpstreamCode(headers.get('x-vercel-error')) ?? /\b[A-Z]+_[A-Z_]+\b/.exec(text)?.[0] ?? '';
  if (status === 404 && platformCode === 'DEPLOYMENT_NOT_FOUND') return say.failed('deploymentMissing', address.host);
  if (status === 404 && text.startsWith('there is no such robot')) return say.failed('robotUnknown', address.pathname);
  if (status >= 500 && !isVercel) return say.failed('proxyFailed', status, other);
  if (status >= 500) return say.failed('functionFailed', status, platformCode);
  return say.failed('addressForeign', address.host, status, platformCode);
}

/** The names in the list of a 503; the rest of its text is for the operator of the deployment. */
const variablesIn = (text: string) =>
  text.split('\n').flatMap((line) => /^([A-Z][A-Z0-9_]+|BOTS\[\d+\]\.\w+): expected /.exec(line)?.[1] ?? []);

/** What the console does when the address is saved, and what a stranger may try. */
export async function checkProbe({ address, ports }: AddressContext, say: Finder): Promise<Finding[]> {
  if (address === null) return [];
  const post = (headers: Record<string, string>, body?: string) =>
    ask(ports.fetch, ports.clock, {
      url: address.href,
      method: 'POST',
      headers,
      ...(body === undefined ? {} : { body }),
    });
  const empty = await post({});
  if (empty.kind === 'none') return [say.failed('addressUnreachable', address.host, empty.reason)];
  if (empty.status === 404) return [say.failed('robotUnknown', address.pathname)];
  if (empty.status !== 200) return [say.failed('probeRefused', empty.status)];
  const forged = await post({ timestamp: String(ports.clock.now()), sign: 'doctor' }, '{}');
  if (forged.kind === 'none') return [say.failed('addressUnreachable', address.host, forged.reason)];
  if (forged.status !== 401) return [say.failed('signatureUnchecked', forged.status)];
  // Our own words: it had both headers when it left here.
  if (forged.text.includes('timestamp and sign are required')) return [say.failed('headersDropped')];
  const slow = empty.ms > SLOW_MS ? say.warning('addressSlow', empty.ms) : say.ok('probeFine', empty.ms);
  return [slow, say.ok('signatureChecked')];
}
