/** What a server says of the system that it starts on: binaries that do not load are named, in one line, and what carries on does. */

import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { hunt, root, startServer, temporaryFolder, type Server } from './server.ts';

const hook = join(root, 'test', 'faults', 'missing-binaries.cjs');

let server: Server | undefined;
afterEach(async () => {
  await server?.kill();
  server = undefined;
});

function withMissing<Result>(names: string, run: () => Result): Result {
  const before = process.env['NODE_OPTIONS'];
  process.env['NODE_OPTIONS'] = `--require=${hook}`;
  process.env['HUNT_TEST_MISSING'] = names;
  try {
    return run();
  } finally {
    if (before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = before;
    delete process.env['HUNT_TEST_MISSING'];
  }
}

const addresses = ['--listen', '127.0.0.1:0', '--clickhouse-listen', '127.0.0.1:0'];

describe('where uWebSockets.js does not load', () => {
  test('the server starts over node:http, and one line says why and how to get the fast one', async () => {
    const folder = temporaryFolder();
    const options = ['--transport', 'auto'];
    server = await withMissing('uWebSockets.js', () => startServer({ data: folder.path, options }));
    const lines = server.log().split('\n');
    const said = lines.filter((line) => line.includes('uWebSockets.js'));
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/its binary needs glibc 2\.38: node=[\d.]+ platform=\w+ arch=\w+/);
    expect(said[0]).toContain('npm install');
    const { transport } = await server.get<{ transport: string }>('/v1/server');
    expect(transport).toBe('node');
    expect(await server.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(await server.stop()).toBe(0);
    folder.remove();
  });

  test('--transport uws ends the start with one line', async () => {
    const folder = temporaryFolder();
    const { code, stderr } = await withMissing('uWebSockets.js!', () =>
      hunt(['serve', '--data', folder.path, '--transport', 'uws', ...addresses]),
    );
    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/uWebSockets\.js does not load, there is no binary for this system: .*--transport node/);
    folder.remove();
  });
});

test.each([
  ['chdb!', /the package chdb is not installed/],
  ['chdb', /its binary needs glibc 2\.38/],
])('where the embedded ClickHouse does not load (%s), that is what is said', async (missing, words) => {
  const folder = temporaryFolder();
  const { code, stderr } = await withMissing(missing, () => hunt(['serve', '--data', folder.path, ...addresses]));
  expect(code).toBe(1);
  const last = stderr.trim().split('\n').at(-1)!;
  expect(last).toMatch(words);
  expect(last).toMatch(/node=[\d.]+ platform=\w+ arch=\w+.*--clickhouse URL/);
  expect(stderr).not.toContain('ended while starting');
  folder.remove();
});

test('several ingress threads need a Node that shares ports, and are refused in words where it does not', async () => {
  const folder = temporaryFolder();
  const options = ['--transport', 'node', '--ingresses', '2'];
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
  if (major > 22 || (major === 22 && minor >= 12)) {
    server = await startServer({ data: folder.path, options });
    expect(await server.stop()).toBe(0);
  } else {
    const { code, stderr } = await hunt(['serve', '--data', folder.path, ...options, ...addresses]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/cannot share a port between threads here: ingresses=2 .*--ingresses 1/);
  }
  folder.remove();
});
