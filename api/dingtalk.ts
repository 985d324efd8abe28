import { getDeadline, waitUntil } from '@vercel/functions';
import { createApp } from '../lib/app.ts';
import { environment } from '../lib/config/environment.ts';

const app = createApp({ env: environment() });

export default {
  fetch: (request: Request): Promise<Response> =>
    app.handle(request, { waitUntil, deadlineMs: getDeadline()?.getTime() ?? null }),
};
