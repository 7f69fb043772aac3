/** `hunt verify` finds nothing where nothing is wrong, and each single thing that is: a bit, a row, a seq. */

import { describe, expect, test } from 'vitest';
import type { ColumnPlan } from '../../native-free-core/plan/plan.ts';
import { runVerify, type VerifyOptions, type VerifyReport } from '../../src/cli/verify/run-verify.ts';
import { describeReport } from '../../src/cli/verify/verify-report.ts';
import { createStatement } from '../../src/warehouse/tables/create-tables.ts';
import { eventsTable } from '../../src/warehouse/tables/index.ts';
import { useEmbeddedServer } from '../clickhouse-embedded/embedded-server.ts';
import { blocksOf } from '../warehouse/twin/core-world.ts';
import { FEATURES, planFrom, randomFrames } from '../warehouse/twin/random-steps.ts';
import { isLong } from '../long.ts';
import { patient } from '../patience.ts';

const server = useEmbeddedServer();
const plan = planFrom(FEATURES);
/** Made once, and before a connection is open: it takes longer than a server keeps one that says nothing. */
const blocks = blocksOf(plan, randomFrames(7, 5000, 30));
/** Where one feature of each entity tells as much as all of them. */
const ONE_OF_EACH = ['player.spent_1m', 'device.spent'];
/** What rows before the range feed: windows of each kind, a whole life, a delay. The long form has all features. */
const ACROSS_THE_RANGE = [
  ...ONE_OF_EACH,
  'player.n_ever',
  'player.high_ever',
  'player.before_place',
  'player.trend',
  'player.known_late',
  'player.low_today',
  'player.visit_sum',
  'player.typical_before',
];

async function execute(sql: string, body?: Uint8Array): Promise<void> {
  await server.run(sql, { asEngine: true, url: { mutations_sync: '1' }, ...(body === undefined ? {} : { body }) });
}

async function store(): Promise<void> {
  await execute('CREATE DATABASE IF NOT EXISTS hunt');
  await execute('DROP TABLE IF EXISTS hunt.events');
  await execute(createStatement('hunt', eventsTable(plan), new Set()));
  for (const block of blocks) await execute('INSERT INTO hunt.events FORMAT Native', block);
}

function verify(options: Partial<VerifyOptions> = {}): Promise<VerifyReport> {
  const target = { origin: new URL(server.clickhouse.url).origin, database: 'hunt', headers: {} };
  return runVerify({ plan, target, features: [], chunkRows: 3000, ...options });
}

/** In one row that has it; the same again undoes it. A text is turned around. */
async function flipOf({ name, kind }: ColumnPlan): Promise<string> {
  const isText = kind === 'dictionary' || kind === 'enum';
  // A text of one character is the same from both ends.
  const where = isText ? `length(CAST(${name}, 'Nullable(String)')) > 1` : `${name} IS NOT NULL`;
  const asked = `SELECT min(_row) FROM hunt.events WHERE _row > 1000 AND ${where}`;
  const row = (await server.run(asked, { asEngine: true })).trim();
  const value = `assumeNotNull(${name})`;
  const flipped =
    kind === 'u32'
      ? `bitXor(${value}, 1)`
      : isText
        ? `reverse(CAST(${value}, 'String'))`
        : `reinterpretAsFloat64(bitXor(reinterpretAsUInt64(${value}), 1))`;
  return `${name} = if(_row = ${row}, ${flipped}, ${name})`;
}

const ROW = '(_batch, _row) = (1, 2345)';

describe('hunt verify', () => {
  test('rows of the real core are the same, to the last bit', async () => {
    await store();
    const report = await verify();
    expect(report.features.filter(({ different }) => different > 0)).toEqual([]);
    expect(report).toMatchObject({ same: true });
    expect(report.features.length).toBe(plan.entities.flatMap((entity) => entity.features).length);
    expect(report.features.every(({ rows, equal }) => rows > 0 && rows === equal)).toBe(true);
    expect(describeReport(report)).toContain('the same to the last bit');
  });

  test(
    'one bit of each feature',
    async () => {
      const columns = plan.entities.flatMap(({ features }) => features).map(({ column }) => plan.columns[column]!);
      const flips = await Promise.all(columns.map(flipOf));
      const flipAll = `ALTER TABLE hunt.events UPDATE ${flips.join(', ')} WHERE true`;
      await execute(flipAll);
      const report = await verify({ skew: false, chunkRows: 10_000 });
      expect(report.same).toBe(false);
      expect(report.features.map(({ feature, different }) => ({ feature, different }))).toEqual(
        report.features.map(({ feature }) => ({ feature, different: 1 })),
      );
      for (const { example } of report.features) expect(example!.stored).not.toBe(example!.recomputed);
      await execute(flipAll);
      expect(await verify({ features: ONE_OF_EACH })).toMatchObject({ same: true });
    },
    patient(120_000),
  );

  test('a value where the entity is absent', async () => {
    await execute('ALTER TABLE hunt.events UPDATE device_spent = 0 WHERE device_seq IS NULL AND _row < 50');
    const report = await verify({ features: ['device.spent'] });
    expect(report.features[0]!.stray).toBeGreaterThan(0);
    expect(report.same).toBe(false);
    // Rows of a version that stored something else there are no concern of this one's.
    const others = await verify({ features: ['device.spent'], versionsOf: () => [plan.versionNumber + 1] });
    expect(others.features[0]!).toMatchObject({ stray: 0, different: 0 });
    await store();
  });

  test('two seqs swapped', async () => {
    const [key, seq] = (await server.run(`SELECT player, player_seq FROM hunt.events WHERE ${ROW}`, { asEngine: true }))
      .trim()
      .split('\t') as [string, string];
    const life = `player_life = (SELECT player_life FROM hunt.events WHERE ${ROW})`;
    const pair = `player_seq IN (${seq}, ${Number(seq) - 1})`;
    await execute(
      `ALTER TABLE hunt.events UPDATE player_seq = ${2 * Number(seq) - 1} - player_seq WHERE player = ${key} AND ${life} AND ${pair}`,
    );
    const report = await verify({ features: ONE_OF_EACH });
    expect(report.same).toBe(false);
    await store();
  });

  test('a row deleted', async () => {
    await execute(`ALTER TABLE hunt.events DELETE WHERE ${ROW}`);
    const report = await verify({ features: ONE_OF_EACH });
    expect(report.entities.find(({ entity }) => entity === 'player')!.misnumbered).toBeGreaterThan(0);
    expect(report.same).toBe(false);
    expect(describeReport(report)).toContain('out of number');
    await store();
  });

  test('only rows of a range are reported, older ones feed the windows', async () => {
    const [from, to] = (
      await server.run(
        'SELECT toUnixTimestamp64Milli(quantileExact(0.4)(received_at)), toUnixTimestamp64Milli(quantileExact(0.6)(received_at)) FROM hunt.events',
        { asEngine: true },
      )
    )
      .trim()
      .split('\t') as [string, string];
    const features = isLong ? [] : ACROSS_THE_RANGE;
    const report = await verify({ features, sinceMs: Number(from), untilMs: Number(to) });
    expect(report.same).toBe(true);
    expect(report.features[0]!.rows).toBeGreaterThan(0);
    expect(report.features[0]!.rows).toBeLessThan(report.rows / 2);
  });
});
