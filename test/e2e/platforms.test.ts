/**
 * What a server says of the system that it starts on: binaries that do not load are named, in one line, and what carries on
 * does.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { hunt, startServer, temporaryFolder, type Server } from './server.ts';

let server: Server | undefined;
afterEach(async () => {
  await server?.kill();
  server = undefined;
});

/**
 * Runs a server in which a package cannot be loaded, in the loader's own words: of a system whose glibc is too old, or of
 * one for which there is no binary. The hook lies where the embedded ClickHouse's process may read, too.
 */
function without<Result>(name: string, why: 'old glibc' | 'no binary', data: string, run: () => Result): Result {
  const text =
    why === 'no binary'
      ? `Cannot find module '${name}'\nRequire stack:\n- somewhere`
      : "It runs on some.\n\nError: /lib/libc.so.6: version `GLIBC_2.38' not found (required by x.node)";
  const hook = join(data, 'clickhouse', 'hook.cjs');
  mkdirSync(join(data, 'clickhouse'), { recursive: true });
  writeFileSync(
    hook,
    `const Module = require('node:module');
    const load = Module._load;
    Module._load = function (request, ...rest) {
      if (request !== ${JSON.stringify(name)}) return load.call(this, request, ...rest);
      throw new Error(${JSON.stringify(text)});
    };`,
  );
  const before = process.env['NODE_OPTIONS'];
  process.env['NODE_OPTIONS'] = `--require=${hook}`;
  try {
    return run();
  } finally {
    if (before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = before;
  }
}

const addresses = ['--listen', '127.0.0.1:0', '--clickhouse-listen', '127.0.0.1:0'];

describe('where uWebSockets.js does not load', () => {
  test('the server starts over node:http, and one line says why and how to get the fast one', async () => {
    const folder = temporaryFolder();
    const options = ['--transport', 'auto'];
    server = await without('uWebSockets.js', 'old glibc', folder.path, () =>
      startServer({ data: folder.path, options }),
    );
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
    const { code, stderr } = await without('uWebSockets.js', 'no binary', folder.path, () =>
      hunt(['serve', '--data', folder.path, '--transport', 'uws', ...addresses]),
    );
    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/uWebSockets\.js does not load, there is no binary for this system: .*--transport node/);
    folder.remove();
  });
});

test.each([
  ['no binary', /the package chdb is not installed/],
  ['old glibc', /its binary needs glibc 2\.38/],
] as const)('where the embedded ClickHouse does not load (%s), that is what is said', async (why, words) => {
  const folder = temporaryFolder();
  const { code, stderr } = await without('chdb', why, folder.path, () =>
    hunt(['serve', '--data', folder.path, ...addresses]),
  );
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
