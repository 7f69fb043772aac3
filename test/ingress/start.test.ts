/** Starting: addresses, ports that are taken, threads that die. */

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { canSharePort } from '../../src/http/choose-transport.ts';
import { addressOf } from '../../src/ingress/listen-address.ts';
import { startIngress } from '../../src/ingress/start-ingress.ts';
import { root, temporaryFolder } from '../e2e/server.ts';
import { testTransport } from '../doors.ts';
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

test('a thread that dies ends its process, and says of what', () => {
  // What is not the control words, where they should be.
  const program = `
    import { createRegion, REGION_LANE } from ${module('native-free-core/layout/region.js')};
    import { startIngress } from ${module('src/ingress/start-ingress.js')};
    const memory = { ingresses: 1, frameLanes: [], durableLanes: [], storedLanes: [], control: createRegion(REGION_LANE, 1, 4096) };
    const nothing = () => undefined;
    const plan = { pipeline: 'x', version: '1', decisions: [], entities: [] };
    await startIngress({ plan, memory, transport: '${testTransport()}', listen: '127.0.0.1:0', log: nothing, onFailure: nothing });`;
  const folder = temporaryFolder();
  const file = join(folder.path, 'dies.mjs');
  writeFileSync(file, program);
  const { status, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
  folder.remove();
  expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^hunt: an ingress thread died: .*region_kind/);
  // 137 where the optional koffi is not there.
  expect([1, null]).toContain(status);
});

function module(path: string): string {
  return JSON.stringify(pathToFileURL(join(root, 'dist', path)).href);
}
