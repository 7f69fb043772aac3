/**
 * Snapshots are lost, and the spool has been trimmed: the server comes back from ClickHouse's rows, and its tables are byte
 * for byte what a start from the snapshot makes of them. One history with a deploy in it, ended by kill -9; each case is a
 * copy of its folder. The long form has all cases and two workers, the short one the first.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ROW_LIFE_SLOT, ROW_SEEN_SLOT, ROW_SEQ_SLOT } from '../../native-free-core/layout/entity-layout.ts';
import { findRow, seekStripe } from '../../native-free-core/state/entity-table.ts';
import { allocateMemory } from '../../src/memory/regions.ts';
import { readHeader } from '../../src/spool/segment-scan.ts';
import { nodeStorage } from '../../src/spool/storage.ts';
import { countEntityRows, rebuildEntity } from '../../src/warehouse/rows/index.ts';
import { openTables } from '../../src/workers/open-tables.ts';
import { isLong } from '../long.ts';
import { askPatiently, hunt, root, startServer, type Server } from './server.ts';
import { differences, planOf, readContents, readLedger, type Contents } from './snapshot-contents.ts';
import { digJson, openStream, post, type AnswerBody, type Dig } from './wire-client.ts';
import { BEFORE_FIRST, positionOf } from '../../src/contract/event-log.ts';

const now = Date.now();
const folder = mkdtempSync(join(tmpdir(), 'hunt-rebuild-'));
const pipeline = join(folder, 'limited.yaml');
const servers = new Set<Server>();
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });
afterAll(async () => {
  for (const server of servers) await server.kill();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function start(name: string): Promise<Server> {
  // A segment holds a whole epoch of each worker, and two of them are to be filled.
  const size = isLong ? ['--workers', '2', '--spool-segment', '72'] : ['--workers', '1', '--spool-segment', '36'];
  const options = ['--batch-age', '100', ...size, '--snapshot-after', '8'];
  const server = await startServer({ data: join(folder, name), pipeline, options });
  servers.add(server);
  return server;
}

async function stop(server: Server): Promise<void> {
  expect(await server.stop()).toBe(0);
  servers.delete(server);
}

/** The example game, where everybody is challenged some times in ten minutes; `feature`: one more of a player. */
function writePipeline(limit: number, feature = ''): void {
  const text = readFileSync(join(root, 'src', 'examples', 'treasure-hunt', 'pipeline.yaml'), 'utf8');
  const rule = "- { id: digger, when: 'player.digs_1m > 40', then: challenge }";
  const quiet = '    quiet: { agg: time_since_last }\n';
  expect(text).toContain(rule);
  expect(text).toContain(quiet);
  const limited = `- { id: digger, when: 'player.digs_5m > 0', then: challenge, limit: { count: ${limit}, per: 10m, entity: player } }`;
  const changed = text.replace(rule, limited).replace(quiet, quiet + feature);
  writeFileSync(pipeline, changed.slice(0, changed.indexOf('\ntests:')));
}

const digs = (name: string, count: number, at: number): Dig[] =>
  Array.from({ length: count }, (_, i) => ({ id: `${name}-${i}`, player: 7 + (i % 3), hunt: 3, at: at + i * 50 }));
const first = digs('first', 12, now);
const bad = { ...digs('bad', 1, now)[0]!, at: now + 86_400_000 };
const byId = JSON.stringify({ events: [digJson({ id: 'only-once', player: 8, at: now })] });

async function postOnce(server: Server): Promise<string[]> {
  const { bytes } = await post(server.url, byId, { type: 'application/json' });
  return (JSON.parse(bytes.toString()) as AnswerBody).rejections.map(({ code }) => code);
}

/** The oldest epoch of the spool. */
function firstEpoch(data: string): number {
  const epochs = readdirSync(join(data, 'spool')).flatMap((name) => {
    const file = nodeStorage.open(join(data, 'spool', name));
    const header = readHeader(file, 0);
    file.close();
    return header === null ? [] : [header.info.firstEpoch];
  });
  return Math.min(...epochs);
}

/**
 * Load, as long as it takes until neither of the two snapshots that are kept needs the spool up to the epoch. In the short
 * form only what comes first is load of many rows, the rest are few rows of many bytes.
 */
async function trim(server: Server, throughEpoch: number): Promise<void> {
  for (let i = 0; i < 20 && firstEpoch(server.data) <= throughEpoch; i++)
    await (isLong || i === 0 ? load(server) : fill(server, i));
  expect(firstEpoch(server.data)).toBeGreaterThan(throughEpoch);
}

async function load(server: Server): Promise<void> {
  const many = ['--rate', '400000', '--events-per-frame', '500', '--duration', '1s', '--players', '20000'];
  const { code, stdout, stderr } = await hunt(['load', '--url', server.url, ...many]);
  expect(code, stdout + stderr).toBe(0);
}

let fillers = 0;

/** Sixteen frames of almost a megabyte. */
async function fill(server: Server, round: number): Promise<void> {
  const text = 'x'.repeat(60_000);
  for (let frame = 0; frame < 16; frame++) {
    const events = Array.from({ length: 16 }, (_, i) =>
      digJson({ id: `${fillers++}-${text}`, player: 100 + i, hunt: 5, at: now + 5000 + round }),
    );
    const body = JSON.stringify({ events });
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
    expect((await askPatiently(`${server.url}/v1/events`, init)).status).toBe(200);
  }
}

beforeAll(async () => {
  writePipeline(5);
  const server = await start('history');
  const phone = await openStream(server.url, { protocol: 'hunt.v1.json', producer: 'phone' });
  const tablet = await openStream(server.url, { protocol: 'hunt.v1.proto', producer: 'tablet' });
  await phone.send(1, first);
  await phone.send(2, [...digs('mixed', 3, now + 2000), bad]);
  await phone.send(3, [bad]);
  await phone.send(3, [bad]);
  await phone.send(5, []);
  await tablet.send(4, digs('tablet', 10, now + 1000));
  await tablet.sendRaw(Buffer.from('no frame'));
  expect(await postOnce(server)).toEqual([]);
  expect(await postOnce(server)).toEqual(['duplicate']);
  await trim(server, 1);
  // A new limit begins unused, a new feature comes with its history.
  writePipeline(6, '    hunts_30m: { agg: count_distinct, of: event.hunt_id, window: 30m, hop: 5m }\n');
  const deploy = await hunt(['deploy', pipeline, '--url', server.url]);
  expect(deploy.code, deploy.stdout + deploy.stderr).toBe(0);
  const { epochs } = await server.get<{ epochs: { durable: number } }>('/v1/server');
  await trim(server, epochs.durable);
  await phone.send(6, digs('late', 18, now + 10_000));
  await tablet.send(5, digs('later', 18, now + 11_000));
  await server.kill();
  servers.delete(server);
});

interface Reference {
  readonly contents: Contents;
  readonly ledger: unknown;
}

/** Its start, from the snapshot or without one, and what it then holds. */
async function comesBack(name: string, check: (log: string) => void): Promise<Reference> {
  const server = await start(name);
  check(server.log());
  await stop(server);
  return { contents: readContents(join(folder, name)), ledger: readLedger(join(folder, name)) };
}

function copyHistory(name: string): string {
  // Pipes and other leavings of the killed process are not part of it.
  const filter = (path: string): boolean => !path.includes(join('clickhouse', 'requests'));
  cpSync(join(folder, 'history'), join(folder, name), { recursive: true, filter });
  return join(folder, name);
}

let reference: Reference;

describe('after kill -9', () => {
  beforeAll(async () => {
    copyHistory('whole');
    reference = await comesBack('whole', (log) => expect(log).not.toContain('rebuilt from ClickHouse'));
    const sizes = [...reference.contents].map(([table, rows]) => `${table}=${rows.size}`);
    console.log(sizes.join(' '));
    for (const table of ['named producers', 'ids', 'dictionary', 'entity:player', 'entity:hunt', 'limits:player']) {
      expect(reference.contents.get(table)?.size, table).toBeGreaterThan(0);
    }
  });

  test.each(isLong ? (['deleted', 'damaged'] as const) : (['deleted'] as const))(
    'snapshots are %s: all is as it was',
    async (how) => {
      const data = copyHistory(how);
      for (const name of readdirSync(join(data, 'snapshots'))) {
        const file = join(data, 'snapshots', name);
        if (how === 'deleted') rmSync(file);
        else truncateSync(file, 5000);
      }
      const rebuilt = await comesBack(how, (log) => expect(log).toContain('rebuilt from ClickHouse'));
      expect(differences(reference.contents, rebuilt.contents)).toEqual([]);
      expect(rebuilt.ledger).toEqual(reference.ledger);
      // From here on there is a snapshot again.
      const server = await start(how);
      expect(server.log()).not.toContain('rebuilding from ClickHouse');
      if (how === 'deleted') {
        await goesOn(server);
        if (isLong) await isVerified(server);
      }
      await stop(server);
    },
  );

  test.runIf(isLong)('the account is lost as well: known from ClickHouse, once it has everything', async () => {
    copyHistory('poor');
    await comesBack('poor', () => undefined);
    const data = join(folder, 'poor');
    rmSync(join(data, 'snapshots'), { recursive: true });
    rmSync(join(data, 'account'), { recursive: true });
    const server = await start('poor');
    expect(server.log()).toContain('rebuilt from ClickHouse');
    await keepsTheLatest(server, 'poor');
    await goesOn(server);
    await stop(server);
  });
});

/** As if the pipeline had fewer places: by its stored plan, against the running server's ClickHouse. */
async function keepsTheLatest(server: Server, name: string): Promise<void> {
  const max = 2000;
  const { pipeline: running } = await server.get<{ pipeline: { version: string } }>('/v1/server');
  const stored = planOf(join(folder, name), running.version);
  const plan = { ...stored, entities: stored.entities.map((one) => (one.primary ? { ...one, max } : one)) };
  const entity = plan.entities.findIndex(({ primary }) => primary);
  const tables = openTables(allocateMemory(plan, 1, 1));
  const clickhouse = { url: server.clickhouse, database: 'hunt', username: 'default', password: '' };
  const throughEpoch = positionOf(2 ** 40);
  const [{ log }] = (await server.query<{ log: number }>('SELECT log FROM watermark')) as [{ log: number }];
  const slices = [{ log, afterEpoch: BEFORE_FIRST, throughEpoch }];
  const common = {
    clickhouse,
    log,
    plan,
    tables,
    throughEpoch,
    slices,
    entity,
    afterEpoch: BEFORE_FIRST,
    onRows: () => undefined,
  };
  const count = await countEntityRows(common);
  expect(count.lives).toBeGreaterThan(2 * max);
  await rebuildEntity(common, count);
  const latest = await server.query<{ id: string; seq: string; life: string; at: string }>(
    `SELECT toString(player_id) AS id, argMax(player_seq, (player_life, player_seq)) AS seq, max(player_life) AS life,
      toUnixTimestamp64Milli(max(received_at)) AS at FROM events GROUP BY id ORDER BY at DESC LIMIT ${max / 2}`,
  );
  const table = tables.entities[entity]!;
  for (const { id, seq, life, at } of latest) {
    seekStripe(table, Number(id), 0, 0, 1);
    const row = findRow(table, Number(id), 0, 0, 1);
    expect(row, id).toBeGreaterThanOrEqual(0);
    const state = [ROW_SEQ_SLOT, ROW_LIFE_SLOT, ROW_SEEN_SLOT].map((slot) => table.floats[row + slot]);
    expect(state, id).toEqual([seq, life, at].map(Number));
  }
}

/** Everything that was sent is known; what is new goes on where the old ended; the account is balanced. */
async function goesOn(server: Server): Promise<void> {
  const phone = await openStream(server.url, { protocol: 'hunt.v1.json', producer: 'phone' });
  expect(phone.hello.highestSeq).toBe('6');
  for (const seq of [1, 2, 3, 6]) expect((await phone.send(seq, first)).status).toBe('DUPLICATE');
  const tablet = await openStream(server.url, { protocol: 'hunt.v1.proto', producer: 'tablet' });
  for (const seq of [4, 5]) expect((await tablet.send(seq, first)).status).toBe('DUPLICATE');
  expect(await postOnce(server)).toEqual(['duplicate']);
  interface Entity {
    readonly seq: number;
    readonly life: number;
  }
  const before = await server.get<Entity>('/v1/entities/player/7');
  const next = await phone.send(7, [{ id: 'next', player: 7, hunt: 3, at: now + 12_000 }]);
  expect(next.status).toBe('OK');
  // What it may take is taken.
  expect(next.decisions[0]?.trust).toBe('allow');
  const { seq, life } = await server.get<Entity>('/v1/entities/player/7');
  expect([Number(seq), Number(life)]).toEqual([Number(before.seq) + 1, Number(before.life)]);
  await phone.close();
  await tablet.close();
  const audit = await hunt(['audit', '--url', server.url]);
  expect(audit.code, audit.stdout + audit.stderr).toBe(0);
}

async function isVerified(server: Server): Promise<void> {
  const verify = await hunt(['verify', '--no-skew', '--url', server.url, '--json']);
  expect(verify.code, verify.stdout + verify.stderr).toBe(0);
}
