// compose.yaml, as far as it can be read. Whether Docker takes it is tried by hand (docs/own-server.md).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { repositoryRoot } from '../support/artifact.ts';

const service = z.looseObject({
  image: z.string(),
  environment: z.record(z.string(), z.string()).optional(),
  ports: z.array(z.string()).optional(),
  volumes: z.array(z.string()).optional(),
  restart: z.literal('unless-stopped'),
  stop_grace_period: z.string(),
  deploy: z.object({ resources: z.object({ limits: z.object({ memory: z.string() }) }) }),
  logging: z.object({ driver: z.string(), options: z.record(z.string(), z.string()) }),
});

const read = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8');
const { services } = z
  .looseObject({ services: z.record(z.string(), service) })
  .parse(parse(read('compose.yaml'), { merge: true }));
const { bridge, second, store } = services;

describe('compose.yaml', () => {
  it('has every service restarted, within a limit of memory and with logs that are rotated', () => {
    expect(Object.keys(services)).toEqual(['bridge', 'second', 'store']);
    for (const { logging } of Object.values(services)) {
      expect(Object.keys(logging.options)).toEqual(['max-size', 'max-file']);
    }
  });

  it('publishes no port of the store, and those of the bridge for this machine only', () => {
    expect(store?.ports).toBeUndefined();
    for (const each of [bridge, second]) {
      expect(each?.ports?.every((port) => port.startsWith('127.0.0.1:'))).toBe(true);
    }
    expect(bridge?.ports).not.toEqual(second?.ports);
  });

  it('keeps the data on a volume, and the bridge finds its store', () => {
    expect(store?.volumes).toEqual(['store:/data']);
    expect(bridge?.environment).toMatchObject({ REDIS_URL: 'redis://store:6379', UPSTASH_REDIS_REST_URL: '' });
    expect(store).toMatchObject({ healthcheck: { test: ['CMD', 'valkey-cli', 'ping'] } });
  });

  it('lets the bridge end in order, and gives it nothing that it does not need', () => {
    for (const each of [bridge, second]) {
      expect(each).toMatchObject({ stop_grace_period: '25s', read_only: true, cap_drop: ['ALL'] });
    }
  });

  it('pins what it runs', () => {
    expect(store?.image).toMatch(/^valkey\/valkey:\d+\.\d+\.\d+$/u);
    expect(read('Dockerfile')).toMatch(/^FROM node:24\.\d+\.\d+-bookworm-slim$/mu);
  });
});

describe('the unit of systemd', () => {
  const unit = read('deploy/dify-on-dingtalk@.service');

  it('starts what the image starts, not as root, and gives it time to end', () => {
    const [, start = ''] = /^CMD \["node", "([^"]+)"\]$/mu.exec(read('Dockerfile')) ?? [];
    expect(unit).toContain(`\nExecStart=/usr/bin/node ${start}\n`);
    expect(unit).toMatch(/^User=(?!root)/mu);
    expect(unit).toMatch(/^TimeoutStopSec=25$/mu);
  });
});
