import { createApp, environment, getDeadline, waitUntil } from '#function';

const app = createApp({ env: environment() });

export default {
  fetch: (request: Request): Promise<Response> =>
    app.handle(request, { waitUntil, deadlineMs: getDeadline()?.getTime() ?? null }),
};
