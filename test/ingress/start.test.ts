/** Starting: addresses, ports that are taken, threads that die. */

import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { REGION_LANE, createRegion } from '../../native-free-core/layout/region.ts';
import { canSharePort } from '../../src/http/choose-transport.ts';
import { addressOf } from '../../src/ingress/listen-address.ts';
import { startIngress } from '../../src/ingress/start.ts';
import { testTransport } from '../transport.ts';
import { PLAN, createLanes, startRig } from './rig.ts';

describe('addresses', () => {
  test('host:port, any host, IPv6', () => {
    expect(addressOf('127.0.0.1:8700')).toEqual({ host: '127.0.0.1', port: 8700 });
    expect(addressOf(':8700')).toEqual({ host: '0.0.0.0', port: 8700 });
    expect(addressOf('[::1]:0')).toEqual({ host: '::1', port: 0 });
    for (const wrong of ['8700', 'localhost', 'localhost:99999', '::1:8700', 'a:b']) {
      expect(() => addressOf(wrong)).toThrow(/write host:port/);
    }
  });
});

const options = { plan: PLAN, transport: testTransport(), log: () => undefined, onFailure: () => undefined };

test('a port that somebody has is not shared with him, whoever he is', async () => {
  const other = createServer();
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
  const taken = (other.address() as AddressInfo).port;
  const memory = createLanes(1, 1, 1 << 16);
  await expect(startIngress({ ...options, memory, listen: `127.0.0.1:${taken}` })).rejects.toThrow(/EADDRINUSE/);
  await new Promise((done) => other.close(done));
  const rig = await startRig();
  const again = startIngress({ ...options, memory, listen: `127.0.0.1:${rig.ingress.port}` });
  await expect(again).rejects.toThrow(/EADDRINUSE/);
  await rig.stop();
});

test.skipIf(!canSharePort(testTransport()))('a port that several threads share is not shared with others', async () => {
  const memory = createLanes(1, 1, 1 << 16);
  const shared = await startRig({ ingresses: 2 });
  const third = startIngress({ ...options, memory, listen: `127.0.0.1:${shared.ingress.port}` });
  await expect(third).rejects.toThrow(/EADDRINUSE/);
  await shared.stop();
});

test('a stopped server leaves its port to the next at once', async () => {
  const rig = await startRig();
  const listen = `127.0.0.1:${rig.ingress.port}`;
  expect((await fetch(`${rig.ingress.url}/healthz`)).status).toBe(200);
  await rig.stop();
  await expect(fetch(`${rig.ingress.url}/healthz`)).rejects.toThrow();
  const next = await startIngress({ ...options, memory: createLanes(1, 1, 1 << 16), listen });
  expect((await fetch(`${next.url}/healthz`)).status).toBe(200);
  await next.stop();
});

test('a thread that dies is reported', async () => {
  const memory = { ...createLanes(1, 1, 1 << 16), control: createRegion(REGION_LANE, 1, 4096) };
  const failures: unknown[] = [];
  const started = startIngress({
    ...options,
    memory,
    listen: '127.0.0.1:0',
    onFailure: (error) => failures.push(error),
  });
  await expect(started).rejects.toThrow(/REGION_KIND/);
  await expect.poll(() => failures.length).toBeGreaterThan(0);
});
