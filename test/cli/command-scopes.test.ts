/**
 * What a command's key must be for is what its requests need: each command runs against a real server behind a proxy that
 * writes down which routes it asks for.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type Server as Proxy } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { findRoute } from '../../src/ingress/routes.ts';
import { hunt, root, startServer, temporaryFolder, type Server } from '../e2e/server.ts';

const KEY = 'a-key-of-the-test';
const folder = temporaryFolder();
const asked: string[] = [];
let server: Server;
let proxy: Proxy;
let url: string;

beforeAll(async () => {
  mkdirSync(folder.path, { recursive: true });
  server = await startServer({ data: join(folder.path, 'data'), options: ['--key', KEY] });
  proxy = createServer((incoming, outgoing) => {
    const through = forward(incoming);
    through.on('response', (answer) => answer.pipe(outgoing.writeHead(answer.statusCode!, answer.headers)));
    through.on('error', () => outgoing.destroy());
    incoming.pipe(through);
  });
  proxy.on('upgrade', (incoming: IncomingMessage, socket: Duplex) => {
    const through = forward(incoming);
    through.on('upgrade', (answer, upstream: Duplex, head: Buffer) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${String(value)}`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
      socket.write(head);
      upstream.pipe(socket).pipe(upstream);
      for (const end of [socket, upstream]) end.on('error', () => undefined);
    });
    through.end();
  });
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}, 120_000);

afterAll(async () => {
  proxy?.closeAllConnections();
  proxy?.close();
  await server?.kill();
  folder.remove();
});

function forward({ method, url: path, headers }: IncomingMessage) {
  asked.push(`${method} ${path}`);
  const { hostname, port, host } = new URL(server.url);
  return request({ hostname, port, method, path, headers: { ...headers, host } });
}

const pipeline = join(root, 'src', 'examples', 'treasure-hunt', 'pipeline.yaml');
const events = join(folder.path, 'events.ndjson');

const LINES: Readonly<Record<string, readonly string[]>> = {
  plan: [pipeline],
  send: [events],
  load: ['--duration', '500ms', '--rate', '1000', '--connections', '1'],
  play: ['--duration', '1s', '--players', '5'],
  query: ['freshness'],
  sql: ['SELECT 1'],
  deploy: [pipeline],
  diff: [],
  versions: [],
  disable: ['digger'],
  enable: ['digger'],
  rollback: ['--allow-disabled'],
  lists: [],
  audit: [],
  verify: [],
  explain: ['nobody'],
  decide: [events],
};

test('every command that needs a key is walked here', () => {
  const needy = Object.entries(COMMANDS).flatMap(([name, { scopes }]) => (scopes.length > 0 ? [name] : []));
  expect(Object.keys(LINES).toSorted()).toEqual(needy.toSorted());
});

test.each(Object.entries(LINES))('hunt %s', async (name, words) => {
  const event = {
    event_id: 'e1',
    player_id: '7',
    event_time: new Date().toISOString(),
    dig: { depth: 1, tool: 'SPADE' },
  };
  writeFileSync(events, `${JSON.stringify(event)}\n`);
  asked.length = 0;
  const { stderr } = await hunt([name, ...words, '--url', url, '--key', KEY]);
  expect(asked.length, stderr).toBeGreaterThan(0);
  const declared = COMMANDS[name]!.scopes;
  for (const line of asked) {
    const [method, path] = line.split(' ') as [string, string];
    const found = findRoute(method, path.replace(/\?.*/, ''));
    expect(found, line).toHaveProperty('route');
    if ('route' in found && found.route.scope !== 'open')
      expect(declared, `hunt ${name}: ${line}`).toContain(found.route.scope);
  }
  const used = new Set(
    asked.map((line) => line.split(' ')).map(([method, path]) => findRoute(method!, path!.replace(/\?.*/, ''))),
  );
  const scopes = new Set([...used].flatMap((found) => ('route' in found ? [found.route.scope] : [])));
  if (name !== 'lists')
    for (const scope of declared) expect([...scopes], `hunt ${name} declares ${scope}`).toContain(scope);
});
