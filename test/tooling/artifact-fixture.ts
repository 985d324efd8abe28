// A small function with which the artifact test shows that building and hosting work as they should.
import { getDeadline, waitUntil } from '@vercel/functions';

const started = Date.now();
const allowed = Promise.withResolvers<void>();

async function answer(request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  switch (pathname) {
    case '/background':
      waitUntil(allowed.promise.then(() => process.stdout.write('background work done\n')));
      return new Response('accepted');
    case '/allow':
      allowed.resolve();
      return new Response('allowed');
    case '/rejected':
      waitUntil(Promise.reject(new Error('on purpose')));
      return new Response('accepted');
    case '/forever':
      waitUntil(new Promise(() => undefined));
      return new Response('accepted');
    case '/broken':
      throw new Error('broken on purpose');
    default:
      return Response.json({
        method: request.method,
        path: pathname + search,
        body: await request.text(),
        environment: process.env,
        instance: started,
        secondsLeft: Math.ceil(((getDeadline()?.getTime() ?? 0) - Date.now()) / 1000),
      });
  }
}

export default { fetch: answer };
