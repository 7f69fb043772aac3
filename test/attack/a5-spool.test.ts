/**
 * Damage to the data folder: whatever was answered and is gone must stop the start, by name. A real server has written the
 * folder and was ended by kill -9; each attack changes a copy of it, and its control, a neighbour that harms nothing, must
 * pass. What a start looks at is looked at here through the same functions; some attacks go through a server, and so does
 * `--accept-loss`.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Losses } from '../../src/audit/losses.ts';
import { PipelineVersions } from '../../src/versions/pipeline-versions.ts';
import { recoverLog } from '../../src/recovery/recover.ts';
import { openBatchLog } from '../../src/warehouse/insert/batch-log.ts';
import { MARK_NAME, hasHeldEpochs } from '../../src/spool/durable-mark.ts';
import { nodeStorage } from '../../src/spool/storage.ts';
import { hunt, startServer, temporaryFolder, until, type Server } from '../e2e/server.ts';
import { openStream, type Dig } from '../e2e/wire-client.ts';

/** Hardly more than the least for one worker: every attack copies and reads it. */
const SEGMENT_MIB = 36;
const SEGMENT_BYTES = SEGMENT_MIB << 20;
const OPTIONS = ['--spool-segment', String(SEGMENT_MIB), '--workers', '1'];
const STORED = 50;
const UNSTORED = 200;
const now = Date.now();

const folder = temporaryFolder();
const base = join(folder.path, 'base');
const other = join(folder.path, 'other');
const servers = new Set<Server>();
let copies = 0;
let written = 0;
let stream = 0;

async function start(data: string, batchAge: string, more: readonly string[] = []): Promise<Server> {
  const server = await startServer({ data, options: [...OPTIONS, '--batch-age', batchAge, ...more] });
  servers.add(server);
  return server;
}

/** Frames of ten events, each answered before the next is sent: an epoch each. */
async function send(server: Server, frames: number): Promise<void> {
  const client = await openStream(server.url, { protocol: 'hunt.v1.json', producer: `phone-${++stream}` });
  for (let seq = 1; seq <= frames; seq++) {
    const digs = Array.from({ length: 10 }, (_, i): Dig => ({
      id: `e-${++written}`,
      player: 1 + (written % 7),
      at: now + written * 10 + i,
    }));
    expect((await client.send(seq, digs)).status).toBe('OK');
  }
  await client.close();
}

async function kill(server: Server): Promise<void> {
  await server.kill();
  servers.delete(server);
}

beforeAll(async () => {
  const first = await start(base, '100');
  await send(first, STORED / 10);
  const count = async (): Promise<number> =>
    Number((await first.query<{ n: number | string }>('SELECT count() AS n FROM events'))[0].n);
  await until(async () => (await count()) === STORED, 'stored');
  expect(await first.stop()).toBe(0);
  servers.delete(first);
  const second = await start(base, '60000');
  await send(second, UNSTORED / 10);
  await kill(second);
  const stranger = await start(other, '60000');
  await send(stranger, 20);
  await kill(stranger);
}, 180_000);
afterAll(async () => {
  for (const server of servers) await server.kill();
  folder.remove();
});

function copyOf(source = base): string {
  const copy = join(folder.path, `copy-${++copies}`);
  execFileSync('cp', ['-r', '--sparse=always', source, copy]);
  return copy;
}

const segment = (data: string, from = 'spool'): string => join(data, from, segmentName(data, from));
/** The one that holds epochs. */
function segmentName(data: string, from: string): string {
  return readdirSync(join(data, from)).find((name) => {
    const bytes = Buffer.alloc(4);
    const file = openSync(join(data, from, name), 'r');
    readSync(file, bytes, 0, 4, 0);
    closeSync(file);
    return bytes.toString() === 'SEG1';
  })!;
}

/** Where the last whole epoch ends. */
const endOf = (data: string): number => lookAt(data).position;
const newest = (data: string, from: string): string => join(data, from, readdirSync(join(data, from)).sort().at(-1)!);

function overwrite(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

function flip(path: string, at: number): void {
  const byte = Buffer.alloc(1);
  const file = openSync(path, 'r');
  readSync(file, byte, 0, 1, at);
  closeSync(file);
  overwrite(path, at, Buffer.from([byte[0]! ^ 0x10]));
}

/** What a start looks at before it starts anything. */
function lookAt(data: string) {
  const batchLog = openBatchLog(nodeStorage, join(data, 'batches'), hasHeldEpochs(nodeStorage, join(data, MARK_NAME)));
  const versions = new PipelineVersions(join(data, 'pipelines'));
  for (const { number } of versions.activations()) versions.planOf(number);
  new Losses(data);
  return recoverLog({ data, batchLog, segmentBytes: SEGMENT_BYTES });
}

interface Attack {
  readonly name: string;
  readonly attack: (data: string) => void;
  /** A neighbour of it that harms nothing. */
  readonly control: (data: string) => void;
  readonly says: RegExp;
}

const zeros = (bytes: number): Uint8Array => new Uint8Array(bytes);
const versionFile = (data: string): string =>
  join(
    data,
    'pipelines',
    readdirSync(join(data, 'pipelines')).find((name) => name !== 'activations.json')!,
  );

const ATTACKS: readonly Attack[] = [
  {
    name: 'the segment is emptied',
    attack: (data) => truncateSync(segment(data), 0),
    control: (data) => writeFileSync(join(data, 'spool', 'segment-000099.spool'), ''),
    says: /missing_epochs=\d+-\d+.*holds no segment/,
  },
  {
    name: 'the segment is cut short, its epochs with it',
    attack: (data) => truncateSync(segment(data), Math.floor(endOf(data) / 2)),
    control: (data) => truncateSync(segment(data), SEGMENT_BYTES),
    says: /missing_epochs=\d+-\d+ events_in_them=\d+ .*bytes long and not 37748736/,
  },
  {
    name: 'the segment is cut short behind its last epoch',
    attack: (data) => truncateSync(segment(data), endOf(data) + 4096),
    control: (data) => overwrite(segment(data), endOf(data) + 8192, Buffer.alloc(4096, 0xa5)),
    says: /bytes long and not 37748736/,
  },
  {
    name: 'the end of the log is zeros, at full size',
    attack: (data) => overwrite(segment(data), Math.floor(endOf(data) / 2), zeros(endOf(data))),
    control: (data) => overwrite(segment(data), endOf(data), zeros(100_000)),
    says: /missing_epochs=.*breaks off at byte/,
  },
  {
    name: 'one bit of the last epoch is flipped',
    attack: (data) => flip(segment(data), endOf(data) - 20),
    control: (data) => flip(segment(data), endOf(data) + 20),
    says: /missing_epochs=(\d+)-\1 events_in_them=10 /,
  },
  {
    name: 'one bit in the middle is flipped',
    attack: (data) => flip(segment(data), Math.floor(endOf(data) * 0.7)),
    control: (data) => flip(segment(data), SEGMENT_BYTES - 1),
    says: /missing_epochs=.*breaks off at byte/,
  },
  {
    name: 'one bit of the header is flipped',
    attack: (data) => flip(segment(data), 20),
    control: (data) => (flip(segment(data), 20), flip(segment(data), 20)),
    says: /holds no segment.*without a header/,
  },
  {
    name: 'the segment is gone',
    attack: (data) => rmSync(segment(data)),
    control: (data) => renameSync(segment(data), join(data, 'spool', 'segment-000123.spool')),
    says: /holds no segment/,
  },
  {
    name: 'the whole folder of the spool is gone',
    attack: (data) => rmSync(join(data, 'spool'), { recursive: true }),
    control: (data) => mkdirSync(join(data, 'lists'), { recursive: true }),
    says: /holds no segment/,
  },
  {
    name: 'an earlier state of the same segment is put back',
    attack: (data) => overwrite(segment(data), endOf(data) - 3000, zeros(6000)),
    control: (data) => cpSync(segment(data), join(data, 'a-copy-outside-of-the-spool')),
    says: /missing_epochs=\d+-\d+ events_in_them=\d+ /,
  },
  {
    name: 'the segment of another data folder takes its place',
    attack: (data) => cpSync(segment(other), segment(data)),
    control: (data) => cpSync(segment(base), segment(data)),
    says: /belongs to another data folder/,
  },
  {
    name: 'a copy of the segment lies beside it',
    attack: (data) => cpSync(segment(data), join(data, 'spool', 'segment-000777.spool')),
    control: (data) => cpSync(segment(data), join(data, 'spool', 'segment-000777.spool.bak')),
    says: /the same segment twice/,
  },
  {
    name: 'the durable mark is gone',
    attack: (data) => rmSync(join(data, MARK_NAME)),
    control: (data) => writeFileSync(join(data, `${MARK_NAME}.new`), 'left by a crash'),
    says: /durable\.mark is missing/,
  },
  {
    name: 'the durable mark is emptied',
    attack: (data) => truncateSync(join(data, MARK_NAME), 0),
    // One of its two copies may be torn.
    control: (data) => flip(join(data, MARK_NAME), 30),
    says: /durable\.mark is damaged/,
  },
  {
    name: 'the durable mark of another data folder takes its place',
    attack: (data) => cpSync(join(other, MARK_NAME), join(data, MARK_NAME)),
    control: (data) => cpSync(join(base, MARK_NAME), join(data, MARK_NAME)),
    says: /belongs to another data folder/,
  },
  {
    name: 'mark and batch log know nothing, the snapshot does',
    attack: (data) => {
      rmSync(join(data, 'spool'), { recursive: true });
      rmSync(join(data, MARK_NAME));
      rmSync(join(data, 'batches'), { recursive: true });
    },
    control: (data) => rmSync(newest(data, 'snapshots')),
    says: /holds no segment/,
  },
  {
    name: 'the batch log is gone',
    attack: (data) => rmSync(join(data, 'batches', 'batches.log')),
    control: (data) => writeFileSync(join(data, 'batches', 'batches.tmp'), 'left by a crash'),
    says: /batches\.log is missing/,
  },
  {
    name: 'the batch log is emptied',
    attack: (data) => truncateSync(join(data, 'batches', 'batches.log'), 0),
    control: (data) => {
      const path = join(data, 'batches', 'batches.log');
      writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(30, 7)]));
    },
    says: /batches that had been recorded are unreadable/,
  },
  {
    name: 'a version of the pipeline is cut short',
    attack: (data) => truncateSync(versionFile(data), Math.floor(statSync(versionFile(data)).size / 2)),
    control: (data) => writeFileSync(`${versionFile(data)}.new`, '{'),
    says: /file of the data folder is damaged: file=.*\.json bytes=\d+; restore it/,
  },
  {
    name: 'one digit in a version of the pipeline is another one',
    attack: (data) =>
      writeFileSync(versionFile(data), readFileSync(versionFile(data), 'utf8').replace('"max":1', '"max":2')),
    control: (data) => writeFileSync(versionFile(data), readFileSync(versionFile(data), 'utf8')),
    says: /file of the data folder is damaged/,
  },
  {
    name: 'the activations are emptied',
    attack: (data) => writeFileSync(join(data, 'pipelines', 'activations.json'), ''),
    control: (data) => rmSync(join(data, 'pipelines', 'activations.json')),
    says: /activations\.json bytes=0; restore it from a copy, or move it away/,
  },
];

describe('what a start finds before it starts anything', () => {
  test.each(ATTACKS)('$name', ({ attack, control, says }) => {
    const harmless = copyOf();
    control(harmless);
    expect(() => lookAt(harmless)).not.toThrow();
    rmSync(harmless, { recursive: true });
    const harmed = copyOf();
    attack(harmed);
    // Twice: the first look must not have taken away what the second one sees it by.
    for (let look = 0; look < 2; look++) expect(() => lookAt(harmed)).toThrow(says);
    rmSync(harmed, { recursive: true });
  });
});

/** `hunt serve` that must end by itself. */
async function startFails(data: string): Promise<string> {
  const { code, stdout, stderr } = await hunt([
    'serve',
    '--data',
    data,
    '--listen',
    '127.0.0.1:0',
    '--clickhouse-listen',
    '127.0.0.1:0',
    ...OPTIONS,
  ]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(stderr).not.toContain('    at ');
  return stderr;
}

interface LedgerBody {
  readonly total: { readonly lost: number; readonly received: number; readonly accepted: number };
  readonly losses: readonly { readonly events: number; readonly isAtLeast: boolean }[];
}

describe('a server', () => {
  test.each([
    { name: 'emptied', damage: (data: string) => truncateSync(segment(data), 0), lost: UNSTORED },
    { name: 'cut short', damage: (data: string) => truncateSync(segment(data), endOf(data) - 20), lost: 10 },
  ])(
    '$name: it does not start; with --accept-loss it goes on, and the account says what is gone, for good',
    async ({ damage, lost }) => {
      const data = copyOf();
      damage(data);
      expect(await startFails(data)).toMatch(/^hunt: the spool is damaged: .*missing_epochs=\d+-\d+.*--accept-loss/);
      const server = await start(data, '100', ['--accept-loss']);
      const total = STORED + UNSTORED;
      const account = async (of: Server): Promise<LedgerBody> => of.get<LedgerBody>('/v1/ledger');
      expect(await account(server)).toMatchObject({
        total: { received: total, accepted: total - lost, lost },
        losses: [{ events: lost, isAtLeast: false }],
      });
      await send(server, 3);
      const audit = await hunt(['audit', '--url', server.url]);
      expect(audit.stdout).toContain(`+ lost ${lost}`);
      expect(audit.stdout).toMatch(new RegExp(`LOST  ${lost} events of epochs \\d+-\\d+, accepted .* by `));
      expect(audit.code, audit.stdout + audit.stderr).toBe(3);
      const verify = await hunt(['verify', '--no-skew', '--url', server.url]);
      expect(verify.code, verify.stdout + verify.stderr).toBe(0);
      await kill(server);
      const again = await start(data, '100');
      expect(await account(again)).toMatchObject({ total: { received: total + 30, lost } });
      expect((await hunt(['audit', '--url', again.url])).code).toBe(3);
      expect(await again.stop()).toBe(0);
      servers.delete(again);
    },
    120_000,
  );

  test('unharmed: it starts, all is there, and --accept-loss accepts nothing', async () => {
    const server = await start(copyOf(), '100', ['--accept-loss']);
    const audit = await hunt(['audit', '--url', server.url]);
    expect(audit.code, audit.stdout + audit.stderr).toBe(0);
    expect(audit.stdout).not.toContain('lost');
    await kill(server);
  }, 60_000);
});
