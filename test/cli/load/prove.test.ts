/**
 * The proof at the end of `hunt load` must see what is missing and what is twice: shown on copies of a real run that were
 * damaged.
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { HuntControl, openQuery, queryRows, queryTarget, type QueryTarget } from '../../../src/client/index.ts';
import { runLoad, type LoadReport } from '../../../src/cli/load.ts';
import { eventFields } from '../../../src/cli/load/frames/key-fields.ts';
import { isSound } from '../../../src/cli/load/load-report.ts';
import type { LoadStream } from '../../../src/cli/load/load-stream.ts';
import { prove, runColumns, type Run } from '../../../src/cli/load/verify.ts';
import { startServer, temporaryFolder, type Server } from '../../e2e/server.ts';

const folder = temporaryFolder();
const EVENTS = 20;
let server: Server;
let report: LoadReport;
let target: QueryTarget;
beforeAll(async () => {
  server = await startServer({ data: folder.path, options: ['--batch-age', '100'] });
  target = await queryTarget(new HuntControl(server), undefined);
  report = await load({ rate: 20_000, durationMs: 1000, connections: 2 });
});
afterAll(async () => {
  await server?.stop();
  folder.remove();
});

function load(options: Partial<Parameters<typeof runLoad>[0]>): Promise<LoadReport> {
  return runLoad({
    url: server.url,
    protocol: 'ws',
    rate: Infinity,
    connections: 2,
    eventsPerFrame: EVENTS,
    durationMs: 500,
    keys: { player: 1000, hunt: 100 },
    templateBytes: 1 << 16,
    zipfExponent: 1,
    ack: 'durable',
    seed: 1,
    framesInFlightMax: Infinity,
    reconnectMs: 5000,
    progress: () => undefined,
    rssLog: () => undefined,
    ...options,
  });
}

test('the course of a run, step by step, and a verdict', async () => {
  const rate = 10_000;
  const { minutes, level } = await load({ rate, durationMs: 5500, stepMs: 1000 });
  expect(minutes.length).toBeGreaterThanOrEqual(4);
  const stored = minutes.reduce((sum, step) => sum + step.stored!, 0);
  expect(stored).toBeGreaterThan(rate);
  expect(stored).toBeLessThanOrEqual(5.5 * rate);
  for (const { rss_bytes: rss, parts } of minutes.slice(2)) {
    for (const bytes of [rss.server, rss.clickhouse]) expect(bytes).toBeGreaterThan(50 << 20);
    expect(parts).toBeGreaterThan(0);
  }
  expect(minutes.some(({ visible_p99_ms: p99 }) => p99 !== null)).toBe(true);
  expect(level!.cpu_seconds_per_million!.total).toBeGreaterThan(0);
  expect(level!.criteria.map(({ name }) => name)).toContain('parts');
});

test('a sound run, at a rate', () => {
  expect(isSound(report), JSON.stringify(report)).toBe(true);
  // Where the machine is busy, the server asks for frames again, and the last of them may be due too late to be sent.
  const { sent, unsent } = report;
  expect(sent + unsent).toBe(20_000);
  expect(sent).toBeGreaterThan(5000);
  expect(report).toMatchObject({
    answered: sent,
    stored: sent,
    lost: 0,
    duplicated: 0,
    strangers: 0,
    odd_frames: [],
  });
  expect(report.ledger).toMatchObject({ accepted: sent });
  expect(report.answer_ms.p50).toBeGreaterThan(0);
  expect(report.visible_ms.p50).toBeGreaterThan(0);
  expect(report.cpu_seconds.server).toBeGreaterThan(0);
  expect(report.rss_max_bytes.clickhouse).toBeGreaterThan(0);
});

test.each([
  ['as fast as answers come', {}],
  ['over HTTP, answered once stored', { protocol: 'http', ack: 'stored' }],
  ['one event a frame', { eventsPerFrame: 1 }],
] as const)('a sound run: %s', async (_, options) => {
  const other = await load(options);
  expect(isSound(other), JSON.stringify(other)).toBe(true);
  expect(other.stored).toBeGreaterThan(0);
  expect(other.stored).toBe(other.sent);
});

const COLUMNS = 'event_id, _producer, _frame_seq, _frame_index, player_id';
const TYPES =
  'event_id String, _producer LowCardinality(String), _frame_seq UInt64, _frame_index UInt32, player_id UInt64';

/** The run as if these were its rows: the engine's own tables are not for tests to change. */
async function proofOf(
  name: string,
  rows: string,
): Promise<{ lost: number; duplicated: number; strangers: number; odd: number }> {
  const database = `copy_${name}`;
  const own = { ...target, database: 'default' };
  const run = async (sql: string): Promise<string> => (await openQuery(own, sql, {})).text();
  const copied = await (await openQuery(target, `${rows} FORMAT TSV`, {})).text();
  await run(`CREATE DATABASE ${database}`);
  await run(`CREATE TABLE ${database}.events (${TYPES}) ENGINE = MergeTree ORDER BY _frame_seq`);
  await run(`INSERT INTO ${database}.events FORMAT TSV\n${copied}`);
  const { plan } = await new HuntControl(server).pipeline();
  const copy: Run = {
    tag: report.run,
    eventsPerFrame: EVENTS,
    connections: 2,
    idField: eventFields(plan, {}).id!.at(-1)!,
    columns: runColumns(plan),
    target: { ...target, database },
  };
  const sent = await queryRows<{ producer: string; highest: number }>(
    target,
    `SELECT _producer AS producer, max(_frame_seq) AS highest FROM events WHERE startsWith(_producer, 'load-${report.run}-') GROUP BY producer`,
    10_000,
  );
  const streams = sent.map(({ producer, highest }) => ({
    producer,
    nextSeq: highest + 1,
    answered: highest,
    rejectedEvents: 0,
    unansweredSeqs: () => [] as number[],
  }));
  const proof = await prove(copy, streams as unknown as LoadStream[], 0);
  await run(`DROP DATABASE ${database}`);
  return {
    lost: proof.lost,
    duplicated: proof.stored - proof.distinct,
    strangers: proof.strangers,
    odd: proof.oddFrames.length,
  };
}

test('copies that were damaged are found out, each in its way', async () => {
  const from = `FROM events WHERE startsWith(_producer, 'load-${report.run}-')`;
  const mine = `SELECT ${COLUMNS} ${from}`;
  expect(await queryRows(target, `SELECT uniqExact(_producer) AS n ${from}`, 10_000)).toEqual([{ n: 2 }]);
  const sound = { lost: 0, duplicated: 0, strangers: 0, odd: 0 };
  expect(await proofOf('whole', mine)).toEqual(sound);
  const row = `NOT (_frame_seq = 7 AND _frame_index = 3 AND endsWith(_producer, '-00'))`;
  expect(await proofOf('without_a_row', `${mine} AND ${row}`)).toEqual({ ...sound, lost: 1, odd: 1 });
  const frame = `NOT (_frame_seq = 100 AND endsWith(_producer, '-01'))`;
  expect(await proofOf('without_a_frame', `${mine} AND ${frame}`)).toEqual({ ...sound, lost: EVENTS, odd: 1 });
  const twice = `${mine} UNION ALL ${mine} AND _frame_seq = 9 AND _frame_index = 0`;
  expect(await proofOf('with_rows_twice', twice)).toEqual({ ...sound, duplicated: 2, odd: 2 });
  const renamed = `SELECT if(_frame_seq = 4 AND _frame_index = 1, concat('x', event_id), event_id) AS event_id, ${COLUMNS.slice(10)} ${from}`;
  expect(await proofOf('under_another_id', renamed)).toEqual({ ...sound, strangers: 2 });
});

test('interrupted: what was answered is proven all the same', async () => {
  const interruption = new AbortController();
  const running = load({ durationMs: 60_000, signal: interruption.signal, progress: () => interruption.abort() });
  const cut = await running;
  expect(cut).toMatchObject({ interrupted: true, lost: 0, duplicated: 0, unanswered: 0 });
  expect(cut.stored).toBe(cut.sent);
});
