// What the deployed function is made of. The build step (scripts/build.mjs) puts this file, and all that it imports, into
// dist/function.js, which `api/dingtalk.ts` imports as `#function`: a cold instance then reads one file instead of some 570.
export { getDeadline, waitUntil } from '@vercel/functions';
export { createApp } from './app.ts';
export { environment } from './config/environment.ts';
