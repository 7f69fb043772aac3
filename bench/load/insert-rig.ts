/**
 * Inserts of batches by themselves: the body that the example game's rows make, sent as the server sends it, into tables of
 * an embedded ClickHouse of their own whose merges are stopped. What counts is the CPU time of ClickHouse's process.
 */

import { readFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BLOCK_BODY_AT } from '../../native-free-core/layout/block-record.ts';
import type { BlockHeader } from '../../native-free-core/layout/block-layout.ts';
import { readBlockHeader } from '../../native-free-core/columns/load-block.ts';
import { createNativeEncoder } from '../../native-free-core/columns/native-encoder.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { OPEN_ACCESS } from '../../src/access/door.ts';
import { BATCH_INSERT_SETTINGS } from '../../src/clickhouse-embedded/index.ts';
import { openClickHouse } from '../../src/warehouse/clickhouse.ts';
import { Connection } from '../../src/warehouse/insert/connection.ts';
import { createStatement } from '../../src/warehouse/tables/create-tables.ts';
import type { TableDefinition } from '../../src/warehouse/tables/definitions.ts';
import { benchWorker } from '../micro/worker-rig.ts';

/** Linux counts a process's CPU time in hundredths of a second. */
const TICK_SECONDS = 0.01;

export interface Body {
  readonly rows: number;
  readonly bytes: number;
  readonly chunks: readonly Uint8Array[];
}

export interface InsertRig {
  readonly connection: Connection;
  create(table: TableDefinition): Promise<void>;
  /** CPU seconds of ClickHouse's process for so many inserts of the body, all confirmed whole. Leaves the table empty. */
  insert(table: TableDefinition, body: Body, times: number): Promise<number>;
  close(): Promise<void>;
}

/** Sealed blocks of `rows` events, after as many others have moved the state. */
export function sealedBlocks(plan: Plan, players: number, rows: number): Uint8Array[] {
  const { round } = benchWorker(plan, players);
  const sealed: Uint8Array[] = [];
  const rowsOf = (record: Uint8Array): BlockHeader['rows'] => readBlockHeader(record.subarray(BLOCK_BODY_AT)).rows;
  for (let warm = 0; warm < rows;) round((record) => void (warm += rowsOf(record)));
  for (let taken = 0; taken < rows;)
    round((record) => {
      if (taken >= rows) return;
      taken += rowsOf(record);
      sealed.push(record.slice(BLOCK_BODY_AT));
    });
  return sealed;
}

/** One batch of them, in Native blocks of so many rows at most. */
export function bodyOf(plan: Plan, sealed: readonly Uint8Array[], rowsPerBlockMax?: number): Body {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
  const encoder = createNativeEncoder(
    plan,
    { dictionary: (id) => utf8(`text ${id}`), utf8 },
    {
      sink(block) {
        for (const chunk of block.chunks) chunks.push(chunk.slice());
        bytes += block.bytes;
        block.release();
      },
      ...(rowsPerBlockMax === undefined ? {} : { rowsPerBlockMax }),
    },
  );
  encoder.begin(1, 1);
  for (const [i, block] of sealed.entries()) encoder.appendBlock(block, i + 1);
  return { rows: encoder.finish(), bytes, chunks };
}

export async function openInsertRig(): Promise<InsertRig> {
  const folder = mkdtempSync(join(tmpdir(), 'hunt-insert-'));
  const log = (): void => undefined;
  const clickhouse = await openClickHouse({
    data: folder,
    clickhouseListen: '127.0.0.1:0',
    transport: 'uws',
    access: OPEN_ACCESS,
    log,
  });
  const connection = new Connection({ clickhouse, log });
  const settings = Object.fromEntries(
    Object.entries(BATCH_INSERT_SETTINGS).map(([name, value]) => [name, String(value)]),
  );
  const known = await connection.rows<{ name: string }>('SELECT name FROM system.merge_tree_settings');
  const names = new Set(known.map(({ name }) => name));
  const cpuSeconds = (): number => processCpuSeconds(clickhouse.figures().pid ?? 0);
  let token = 0;
  await connection.execute(`CREATE DATABASE IF NOT EXISTS ${clickhouse.database}`);
  return {
    connection,
    async create(table) {
      await connection.execute(createStatement(clickhouse.database, table, names));
      await connection.execute(`SYSTEM STOP MERGES ${connection.table(table.name)}`);
    },
    async insert(table, body, times) {
      const query = `INSERT INTO ${connection.table(table.name)} FORMAT Native`;
      const before = cpuSeconds();
      for (let i = 0; i < times; i++) {
        const blocks = [{ chunks: body.chunks, release: () => undefined }];
        const own = { ...settings, insert_deduplication_token: `bench-${++token}` };
        const written = await connection.insertBlocks(query, blocks, own);
        if (written !== body.rows) throw new Error(`not whole: table=${table.name} written=${written} of=${body.rows}`);
      }
      const spent = cpuSeconds() - before;
      if (table.engine !== 'Null') await connection.execute(`TRUNCATE TABLE ${connection.table(table.name)}`);
      return spent;
    },
    async close() {
      connection.end();
      await connection.close();
      await clickhouse.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}

function processCpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_SECONDS;
}
