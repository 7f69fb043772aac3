/** The real engine as the judge of Native blocks: a chDB session on a folder of its own. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from 'chdb';
import type { NativeBlock } from '../../native-free-core/columns/chunks.ts';
import { BATCH_INSERT_SETTINGS } from '../../src/clickhouse-embedded/whole-insert.ts';

export interface TestWarehouse {
  run(sql: string): void;
  rows<T>(sql: string): T[];
  /** Inserts the blocks in one statement. */
  insert(table: string, blocks: readonly Uint8Array[], token?: string): void;
  close(): void;
}

/** All but the one that is a parameter of the HTTP interface. */
const SETTINGS = Object.entries(BATCH_INSERT_SETTINGS)
  .filter(([name]) => name !== 'wait_end_of_query')
  .map(([name, value]) => `${name}=${value}`)
  .join(', ');

export function openWarehouse(): TestWarehouse {
  const folder = mkdtempSync(join(tmpdir(), 'hunt-columns-'));
  const session = new Session(join(folder, 'data'));
  const run = (sql: string): string => String(session.query(sql, 'JSONEachRow'));
  return {
    run,
    rows: <T>(sql: string) =>
      run(sql)
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as T),
    insert(table, blocks, token = '') {
      const file = join(folder, 'body.native');
      writeFileSync(file, Buffer.concat(blocks));
      run(
        `INSERT INTO ${table} FROM INFILE '${file}' SETTINGS ${SETTINGS}, insert_deduplication_token='${token}' FORMAT Native`,
      );
    },
    close() {
      session.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A copy of the block's bytes. */
export function bytesOf(block: NativeBlock): Uint8Array {
  const bytes = Buffer.concat(block.chunks);
  if (bytes.length !== block.bytes) throw new Error(`chunks hold ${bytes.length} bytes, the block says ${block.bytes}`);
  return bytes;
}
