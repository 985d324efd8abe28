// Calls to one Dify, and a Dify whose answers the test writes itself.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import type { DifyConfig } from '../../lib/config/robot.ts';
import { createDifyHttp, type DifyHttp } from '../../lib/dify/http.ts';
import { createFetch } from '../../lib/net/fetch.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { listenOnLoopback } from '../support/loopback.ts';

export const configOf = (apiUrl: string, apiKey = 'app-key'): DifyConfig => ({
  apiUrl,
  filesUrl: apiUrl,
  apiKey,
  appType: 'auto',
  inputs: {},
  queryInput: 'query',
});

const send = createFetch();

export const httpOf = (
  apiUrl: string,
  apiKey?: string,
  ports: Partial<Parameters<typeof createDifyHttp>[1]> = {},
): DifyHttp => createDifyHttp(configOf(apiUrl, apiKey), { fetch: send, clock: systemClock, ...ports });

/** Beside events that are read from a recording. */
export const noConnection = { leave() {}, close() {} };

/** A server for what the sample Dify does not do. */
export async function startServer(answer: (path: string, response: ServerResponse, request: IncomingMessage) => void) {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    paths.push(path);
    answer(path, response, request);
  });
  const port = await listenOnLoopback(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${port}`, paths };
}

export const json = (response: ServerResponse, body: object, status = 200) => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};
