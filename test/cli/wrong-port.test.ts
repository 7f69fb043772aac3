/** Who asks the wrong port, or in the wrong scheme, is told which one is right, in one line. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hunt, root, startServer, temporaryFolder, type Server } from '../e2e/server.ts';

const folder = temporaryFolder();
const events = join(root, 'src', 'examples', 'treasure-hunt', 'fixtures', 'stuck.ndjson');
let server: Server;

beforeAll(async () => {
  server = await startServer({ data: folder.path });
});
afterAll(async () => {
  await server?.stop();
  folder.remove();
});

const https = (url: string): string => url.replace('http:', 'https:');

async function refusal(...args: string[]): Promise<{ code: number | null; line: string }> {
  const { code, stdout, stderr } = await hunt(args);
  expect(stdout).toBe('');
  expect(stderr.trim().split('\n')).toHaveLength(1);
  return { code, line: stderr };
}

test.each([['audit'], ['versions'], ['lists'], ['send', events]])('%s on the port of ClickHouse', async (...args) => {
  const { code, line } = await refusal(...args, '--url', server.clickhouse);
  expect(code).toBe(1);
  expect(line).toContain('ClickHouse answers there');
  expect(line).toContain('wrong_port');
});

test('SQL on the port of events', async () => {
  const { code, line } = await refusal('sql', 'SELECT 1', '--clickhouse', server.url);
  expect(code).toBe(1);
  expect(line).toContain('no ClickHouse answers there');
});

test('https where plain HTTP is spoken', async () => {
  const control = await refusal('audit', '--url', https(server.url));
  expect(control.line).toContain(`write ${server.url}`);
  const query = await refusal('sql', 'SELECT 1', '--clickhouse', https(server.clickhouse));
  expect(query.line).toContain(`write ${server.clickhouse}`);
});

test('an address without a scheme is completed in the advice', async () => {
  const { code, line } = await refusal('audit', '--url', server.url.replace('http://', ''));
  expect([code, line.includes(`write ${server.url}`)]).toEqual([2, true]);
});

test('a server that is something else', async () => {
  const other = createServer((_, response) => response.end('<html>hello</html>'));
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
  const { line } = await refusal('audit', '--url', `http://127.0.0.1:${(other.address() as AddressInfo).port}`);
  expect(line).toContain('something else answers there');
  other.close();
});

test('the right ports, for comparison', async () => {
  expect((await hunt(['versions', '--url', server.url])).code).toBe(0);
  expect((await hunt(['sql', 'SELECT 1', '--clickhouse', server.clickhouse])).code).toBe(0);
});
