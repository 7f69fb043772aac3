/**
 * Command lines that are refused: option values beyond their bounds, files and addresses that are not what a command takes.
 * One line on standard error, no stack trace, exit code 1, or 2 for the command line, within bounded time; each beside a
 * neighbour that is taken.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hunt, startServer, temporaryFolder, type CommandResult, type Server } from '../e2e/server.ts';
import { digJson, post } from '../e2e/wire-client.ts';
import { ADDRESSES, expectOneLine } from './one-line.ts';

const END_MS_MAX = 15_000;

const folder = temporaryFolder();
const at = (...names: string[]): string => join(folder.path, ...names);
const servers = new Set<Server>();
afterAll(async () => {
  for (const server of servers) await server.kill();
  folder.remove();
});

/** Options are read first: a neighbour that is taken gets as far as a pipeline that is not there. */
describe('options of hunt serve', () => {
  let taken: TcpServer;
  let port = 0;
  beforeAll(async () => {
    taken = createServer();
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
    port = (taken.address() as AddressInfo).port;
  });
  afterAll(() => void taken.close());
  /** What is not said is as harmless as it can be; an option may be given once. */
  const serve = (pipeline: readonly string[], options: readonly string[]): Promise<CommandResult> => {
    const others = ['--data', at('options'), ...ADDRESSES];
    const more = [0, 2, 4].flatMap((i) => (options.includes(others[i]!) ? [] : others.slice(i, i + 2)));
    return hunt(['serve', ...pipeline, ...more, ...options]);
  };

  test.each([
    [
      ['--workers', '0'],
      ['--workers', '1'],
    ],
    [
      ['--workers', '17'],
      ['--workers', '16'],
    ],
    [
      ['--workers', '1.5'],
      ['--workers', '2'],
    ],
    [
      ['--ingresses', '9'],
      ['--ingresses', '8'],
    ],
    [
      ['--spool-max', '0.2'],
      ['--spool-max', '0.25'],
    ],
    [
      ['--spool-max', '4097'],
      ['--spool-max', '4096'],
    ],
    [
      ['--spool-segment', '32'],
      ['--spool-segment', '33', '--workers', '1'],
    ],
    [
      ['--spool-segment', '33', '--workers', '2'],
      ['--spool-segment', '65', '--workers', '2'],
    ],
    [
      ['--spool-segment', '1025'],
      ['--spool-segment', '1024'],
    ],
    [
      ['--spool-segment', '256', '--spool-max', '0.4'],
      ['--spool-segment', '256', '--spool-max', '0.5'],
    ],
    [
      ['--snapshot-after', '0'],
      ['--snapshot-after', '1'],
    ],
    [
      ['--snapshot-after', '65537'],
      ['--snapshot-after', '65536'],
    ],
    [
      ['--batch-age', '9'],
      ['--batch-age', '10'],
    ],
    [
      ['--batch-age', '60001'],
      ['--batch-age', '60000'],
    ],
    [
      ['--frames-per-second', '-1'],
      ['--frames-per-second', '0'],
    ],
    [
      ['--frames-per-second', '1000001'],
      ['--frames-per-second', '1000000'],
    ],
    [
      ['--log-level', 'loud'],
      ['--log-level', 'warn'],
    ],
    [
      ['--listen', '127.0.0.1'],
      ['--listen', '127.0.0.1:8700'],
    ],
    [
      ['--listen', '127.0.0.1:65536'],
      ['--listen', '127.0.0.1:65535'],
    ],
    [
      ['--clickhouse', 'nonsense'],
      ['--clickhouse', 'http://127.0.0.1:1'],
    ],
    [
      ['--data', ''],
      ['--data', 'x'],
    ],
  ])('%j', async (bad, good) => {
    const [refused, accepted] = await Promise.all([serve([], bad), serve([at('no-such.yaml')], good)]);
    expectOneLine(refused, 2, /\[(bad_option|bad_listen|bad_clickhouse_url|spool_segment_bytes|spool_bytes_max)\]\n$/);
    expectOneLine(accepted, 1, /cannot read the pipeline/);
  });

  test('an address that is taken is told before anything is started', async () => {
    const begun = performance.now();
    expectOneLine(
      await serve([], ['--listen', `127.0.0.1:${port}`]),
      1,
      /cannot listen: host=127\.0\.0\.1 port=\d+ error=EADDRINUSE/,
    );
    expectOneLine(await serve([], ['--clickhouse-listen', `127.0.0.1:${port}`]), 1, /cannot listen: .*EADDRINUSE/);
    expect(performance.now() - begun).toBeLessThan(END_MS_MAX);
  });

  test('the least of all at once starts a server that takes events', async () => {
    const least = [
      '--workers',
      '1',
      '--ingresses',
      '1',
      '--spool-max',
      '0.25',
      '--spool-segment',
      '33',
      '--snapshot-after',
      '1',
      '--batch-age',
      '10',
    ];
    const server = await startServer({ data: at('least'), options: least });
    servers.add(server);
    const { bytes } = await post(
      server.url,
      JSON.stringify({ events: [digJson({ id: 'least', player: 1, at: Date.now() })] }),
      { type: 'application/json' },
    );
    expect((JSON.parse(bytes.toString()) as { status: string }).status).toBe('OK');
    expect(await server.stop()).toBe(0);
    servers.delete(server);
  }, 60_000);
});

describe('other commands', () => {
  beforeAll(() => {
    mkdirSync(at('input', 'folder'), { recursive: true });
    writeFileSync(at('input', 'empty'), '');
    writeFileSync(at('input', 'half.json'), '{"a":');
    writeFileSync(at('input', 'broken.gz'), Buffer.from([0x1f, 0x8b, 8, 98, 114, 111]));
    writeFileSync(at('input', 'binary'), Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 7919) & 255)));
  });
  const nobody = 'http://127.0.0.1:1';
  const input = (name: string): string => at('input', name);

  test.each<readonly [string, () => readonly string[]]>([
    ...['audit', 'verify', 'lists', 'diff', 'versions', 'rollback'].flatMap(
      (command): [string, () => readonly string[]][] => [
        [`${command}, no server`, () => [command, '--url', nobody]],
        [`${command}, no URL`, () => [command, '--url', 'nonsense://x']],
      ],
    ),
    ['sql, no server', () => ['sql', 'SELECT 1', '--url', nobody]],
    ['explain, no server', () => ['explain', 'x', '--url', nobody]],
    ['disable, no such host', () => ['disable', 'x', '--url', 'http://nosuchhost.invalid:1']],
    ['enable, a port beyond', () => ['enable', 'x', '--url', 'http://127.0.0.1:99999']],
    ['load, no server', () => ['load', '--duration', '1s', '--url', nobody]],
    ['play, no server', () => ['play', '--duration', '1s', '--url', nobody]],
    ['send, no file', () => ['send', input('missing'), '--url', nobody]],
    ['send, a folder', () => ['send', input('folder'), '--url', nobody]],
    ['send, no server', () => ['send', input('half.json'), '--url', nobody]],
    ['send, a broken gzip', () => ['send', input('broken.gz'), '--url', nobody]],
    ['decide, no file', () => ['decide', input('missing'), '--url', nobody]],
    ['decide, a folder', () => ['decide', input('folder'), '--url', nobody]],
    ['decide, no server', () => ['decide', input('half.json'), '--url', nobody]],
    ['deploy, no file', () => ['deploy', input('missing'), '--url', nobody]],
    ['deploy, a folder', () => ['deploy', input('folder'), '--url', nobody]],
    ['check, no file', () => ['check', input('missing')]],
    ['check, a folder', () => ['check', input('folder')]],
    ['check, not readable', () => ['check', '/proc/1/mem']],
    ['test, an empty file', () => ['test', input('empty')]],
    ['plan, a binary file', () => ['plan', input('binary')]],
    ['features, half a file', () => ['features', input('half.json')]],
    ['no such command', () => ['serv']],
    ['no such option', () => ['audit', '--ulr', nobody]],
  ])('%s: one line, no stack trace', async (_, args) => {
    const { code, stderr } = await hunt(args());
    expect([1, 2]).toContain(code);
    // `hunt check` and its like say how many problems there are, too.
    expect(
      stderr
        .trim()
        .split('\n')
        .filter((line) => line !== '1 problem'),
    ).toHaveLength(1);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stderr).not.toContain('undefined');
  });

  test.each([['check'], ['test'], ['plan'], ['features'], ['--version'], ['help']])(
    'their neighbour: hunt %s',
    async (command) => {
      expect((await hunt([command])).code).toBe(0);
    },
  );
});
