/**
 * `hunt verify` over rows that ClickHouse makes up itself, their features filled in by the twin: 10 million rows, a fifth of
 * them late, a tenth of one entity. What is measured is the whole command's work, without its start.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { runVerify } from '../../src/cli/verify/run-verify.ts';
import { compilePipeline } from '../../src/config/compile-pipeline.ts';
import { startEmbedded, type EmbeddedClickHouse } from '../../src/clickhouse-embedded/index.ts';
import { createStatement } from '../../src/warehouse/tables/create-tables.ts';
import { eventsTable } from '../../src/warehouse/tables/index.ts';
import { featureSql } from '../../src/warehouse/twin/index.ts';
import type { Bench, BenchFigure } from '../bench.ts';

const PROTO = `syntax = "proto3";
message Step { string id = 1; uint64 player = 2; int64 at = 3; optional double amount = 4; optional int64 points = 5; bool good = 6; }`;

const PIPELINE = `format: 1
pipeline: bench
events:
  proto: step.proto
  message: Step
  id: id
  time: at
  accept: { max_age: 3650d, max_future: 10m }
  max_future_skew: 5s
  dedup: { window: 10m, ids_max: 100k }
  fields: { amount: { decimals: 2 } }
entities:
  player: { key: event.player, primary: true, max: 2M, ttl: 30d }
features:
  player:
    n: { agg: count, windows: [1m, 5m] }
    good: { agg: count, where: event.good, window: 5m }
    spent: { agg: sum, of: event.amount, window: 1h }
    mean: { agg: avg, of: event.amount, window: 5m }
    low: { agg: min, of: event.amount, window: 5m }
    high: { agg: max, of: event.points, window: 1h }
    best: { agg: max, of: event.points }
    before: { agg: previous, of: event.amount, exact: false }
    quiet: { agg: time_since_last }
`;

const ROWS = 10_000_000;
const ROWS_TINY = 20_000;
const PLAYERS = 200_000;
/** Of all rows. */
const HOT_SHARE = 10;
const LATE_SHARE = 5;
const LATE_MS_MAX = 600_000;
const STEP_MS = 4;

export const bench: Bench = {
  name: 'verify',
  async run({ tiny }) {
    const folder = mkdtempSync(join(tmpdir(), 'hunt-verify-bench-'));
    const clickhouse = await startEmbedded({
      dataDirectory: folder,
      listen: '127.0.0.1:0',
      log: () => undefined,
    });
    try {
      return [await measure(clickhouse, tiny ? ROWS_TINY : ROWS)];
    } finally {
      await clickhouse.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function measure(clickhouse: EmbeddedClickHouse, rows: number): Promise<BenchFigure> {
  const { plan } = compilePipeline('bench.yaml', PIPELINE, (name) =>
    name === 'step.proto' ? { path: name, text: PROTO } : null,
  );
  await fill(clickhouse, plan, rows);
  const target = { origin: new URL(clickhouse.url).origin, database: 'hunt', headers: {} };
  const report = await runVerify({ plan, target, features: [] });
  if (!report.same) throw new Error(`the twin differs from itself: ${JSON.stringify(report)}`);
  return {
    name: 'hunt verify',
    unit: 's',
    value: report.seconds,
    checksum: `${report.features.reduce((sum, { equal }) => sum + equal, 0)} values equal`,
    parameters: {
      rows,
      features: report.features.length,
      late: `1 in ${LATE_SHARE}`,
      hottest: `1 in ${HOT_SHARE}`,
      players: PLAYERS,
    },
  };
}

/** Rows without features first, then the same with what the twin computes for them, side by side in the order of `_row`. */
async function fill(clickhouse: EmbeddedClickHouse, plan: Plan, rows: number): Promise<void> {
  const { username, password } = clickhouse.writer;
  const execute = async (sql: string, database: string): Promise<void> => {
    const response = await fetch(new URL(`/?database=${database}`, clickhouse.url), {
      method: 'POST',
      body: sql,
      headers: { 'X-ClickHouse-User': username, 'X-ClickHouse-Key': password },
    });
    if (!response.ok) throw new Error(await response.text());
  };
  for (const database of ['raw', 'hunt']) {
    await execute(`CREATE DATABASE ${database}`, 'default');
    await execute(createStatement(database, eventsTable(plan), new Set()), 'default');
  }
  const draw = (number: number): string => `cityHash64(number, ${number})`;
  await execute(
    `INSERT INTO raw.events (_batch, _row, _epoch, received_at, effective_time, at, player, player_life, player_seq, amount, points, good)
     SELECT 1, number, intDiv(number, 1000), arrival, at, at, player, 1,
       row_number() OVER (PARTITION BY player ORDER BY number ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW), amount, points, good
     FROM (SELECT number, fromUnixTimestamp64Milli(toInt64(1700000000000 + number * ${STEP_MS}), 'UTC') AS arrival,
       fromUnixTimestamp64Milli(toInt64(1700000000000 + number * ${STEP_MS} - if(${draw(1)} % ${LATE_SHARE} = 0, ${draw(2)} % ${LATE_MS_MAX}, 0)), 'UTC') AS at,
       if(${draw(3)} % ${HOT_SHARE} = 0, 1, 2 + ${draw(4)} % ${PLAYERS}) AS player,
       (${draw(5)} % 100000) / 100 AS amount, toInt64(${draw(6)} % 1000000) AS points, ${draw(7)} % 3 = 0 AS good FROM numbers(${rows}))`,
    'default',
  );
  const entity = plan.entities[0]!;
  const names = entity.features.map((feature) => plan.columns[feature.column]!.name);
  const chunks = Math.ceil(rows / 1_500_000);
  for (let chunk = 0; chunk < chunks; chunk++) {
    const pasted = entity.features.map(
      (feature, i) =>
        `PASTE JOIN (SELECT value AS ${names[i]} FROM (${featureSql(plan, entity, feature, { chunk: { chunk, chunks } })}) ORDER BY _row) AS f${i}`,
    );
    const hash = chunks === 1 ? 'true' : `cityHash64(player) % ${chunks} = ${chunk}`;
    const kept = plan.columns.map((column) => column.name).filter((name) => !names.includes(name));
    const columns = ['_batch', '_row', '_epoch', '_pipeline', ...kept];
    await execute(
      `INSERT INTO hunt.events (${[...columns, ...names].join(', ')}) SELECT ${[...columns, ...names].join(', ')}
       FROM (SELECT ${columns.join(', ')} FROM events WHERE ${hash} ORDER BY _row) AS r ${pasted.join(' ')} SETTINGS max_threads = 1`,
      'raw',
    );
  }
}
