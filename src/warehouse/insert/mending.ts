/**
 * Mends a batch by (`_log`, `_batch`, `_row`): takes out what is doubled, puts in what is missing, and sets aside the rows
 * that ClickHouse refuses. Main thread, called by batch-insert.ts where a look shows that the plain insert did not do.
 *
 * The batch is put whole into a staging table that refuses nothing; from there rows go on by ranges. A range that is refused
 * is halved until it is one row, so k refused rows of n cost at most 2 k log2(n) inserts.
 */

import type { ClickHouseSettings } from '@clickhouse/client';
import type { Plan } from '../../../native-free-core/plan/plan.ts';
import type { Log } from '../../system/log.ts';
import { EVENTS_TABLE, positionCondition, type PositionRange } from '../../contract/events-source.ts';
import { quoteName, quoteText } from '../../contract/sql-text.ts';
import type { Batch } from './batch.ts';
import type { BatchTable } from './batch-table.ts';
import type { Connection } from './connection.ts';
import { bothCondition, REFUSED_CODE, REFUSED_FROM, type Presence } from './presence.ts';
import { refusalOf } from './clickhouse-errors.ts';

const STAGING = 'batch_staging';
/**
 * Halvings in one go: some 50 rows of a million. What is left is found in the next go, after a pause and a line in the log.
 */
const HALVINGS_MAX = 1000;

export interface MendingOptions {
  readonly connection: Connection;
  /** Of an insert that must become one part, without its token. */
  readonly insertSettings: ClickHouseSettings;
  readonly log: Log;
}

export class Mending {
  readonly #options: MendingOptions;

  constructor(options: MendingOptions) {
    this.#options = options;
  }

  async mend(table: BatchTable, batch: Batch, expected: number, found: Presence): Promise<void> {
    const { log } = this.#options;
    log('warn', 'a batch is mended row by row', { table: table.name, batch: batch.id, expected, ...found });
    const range = { log: batch.log, batch: batch.id };
    if (found.rows > found.distinct) await this.#removeDoubles(table.name, range);
    if (found.refused > found.refusedDistinct) await this.#removeDoubles('dead_letters', range);
    if (found.both > 0) await this.#delete('dead_letters', bothCondition(this.#options.connection, range));
    if (found.distinct + found.refusedDistinct - found.both >= expected) return;
    await this.#stage(table, batch, expected);
    await this.#insertMissing(table, batch, expected, found.mark);
    await this.dropStaging();
  }

  /** Also at start: a process that was ended in the middle has left it. */
  async dropStaging(): Promise<void> {
    const { connection } = this.#options;
    await connection.execute(`DROP TABLE IF EXISTS ${connection.table(STAGING)} SYNC`);
  }

  /** Of each row one copy stays; parts may merge meanwhile, and so the caller looks again. */
  async #removeDoubles(table: string, range: PositionRange): Promise<void> {
    const mine = positionCondition(range);
    const numbered = `SELECT _part, _part_offset, row_number() OVER (PARTITION BY _row ORDER BY _part, _part_offset) AS copy
      FROM ${this.#options.connection.table(table)} WHERE ${mine}`;
    await this.#delete(
      table,
      `${mine} AND (_part, _part_offset) IN (SELECT _part, _part_offset FROM (${numbered}) WHERE copy > 1)`,
    );
  }

  async #delete(table: string, condition: string): Promise<void> {
    const { connection } = this.#options;
    await connection.execute(`ALTER TABLE ${connection.table(table)} DELETE WHERE ${condition}`, {
      mutations_sync: '2',
      allow_nondeterministic_mutations: 1,
    });
  }

  async #stage(table: BatchTable, batch: Batch, expected: number): Promise<void> {
    const { connection, insertSettings } = this.#options;
    await this.dropStaging();
    const columns = table.columns.map(({ name, type }) => `${quoteName(name)} ${type}`).join(', ');
    await connection.execute(`CREATE TABLE ${connection.table(STAGING)} (${columns}) ENGINE = MergeTree ORDER BY _row`);
    const insert = `INSERT INTO ${connection.table(STAGING)} (${table.columnList}) FORMAT Native`;
    await connection.insertBlocks(insert, table.blocks(batch, false), insertSettings);
    const [staged] = await connection.rows<{ rows: string }>(
      `SELECT count() AS rows FROM ${connection.table(STAGING)}`,
    );
    if (Number(staged!.rows) !== expected) {
      throw new Error(
        `the staging table does not hold the batch: batch=${batch.id} rows=${staged!.rows} expected=${expected}`,
      );
    }
  }

  /** `mark` names the rows that are there: the same gap filled twice is one insert, another gap another token. */
  async #insertMissing(table: BatchTable, batch: Batch, expected: number, mark: string): Promise<void> {
    const ranges: (readonly [from: number, to: number])[] = [[0, expected]];
    for (let halvings = 0; ranges.length > 0;) {
      const [from, to] = ranges.pop()!;
      const refusal = await this.#insertRange(table, batch, from, to, mark);
      if (refusal === null) continue;
      if (to - from === 1) await this.#setAside(table.plan!, batch, from, refusal);
      else if (halvings++ < HALVINGS_MAX) {
        const middle = from + ((to - from) >>> 1);
        ranges.push([middle, to], [from, middle]);
      } else {
        throw new Error(
          `ClickHouse refuses many rows of the batch: batch=${batch.id} reason=${refusal}; look at the constraints, types and views of the table`,
        );
      }
    }
  }

  /** Those of the range that are missing. Returns why they were refused, or null. */
  async #insertRange(table: BatchTable, batch: Batch, from: number, to: number, mark: string): Promise<string | null> {
    const { connection, insertSettings } = this.#options;
    const mine = positionCondition({ log: batch.log, batch: batch.id });
    const present = (name: string): string => `SELECT _row FROM ${connection.table(name)} WHERE ${mine}`;
    const aside = `AND _row + ${REFUSED_FROM} NOT IN (${present('dead_letters')})`;
    try {
      await connection.execute(
        `INSERT INTO ${connection.table(table.name)} (${table.columnList})
         SELECT ${table.columnList} FROM ${connection.table(STAGING)}
         WHERE _row >= ${from} AND _row < ${to} AND _row NOT IN (${present(table.name)}) ${table.name === EVENTS_TABLE ? aside : ''}`,
        {
          ...insertSettings,
          insert_deduplication_token: `${table.name}-${batch.token}-${from}-${to}-${mark}`,
        },
      );
      return null;
    } catch (error) {
      const refusal = refusalOf(error);
      // Dead letters have no other place to go to.
      if (refusal === null || table.name !== EVENTS_TABLE) throw error;
      return refusal;
    }
  }

  /** The row as JSON, so that it can be read, mended and sent again. */
  async #setAside(plan: Plan, batch: Batch, row: number, refusal: string): Promise<void> {
    const { connection, insertSettings, log } = this.#options;
    log('error', 'ClickHouse refuses a row; it goes to dead_letters', { batch: batch.id, row, refusal });
    const column = (index: number): string => quoteName(plan.columns[index]!.name);
    const { receivedAt, producer, frameSeq, frameIndex } = plan.system;
    const fields = plan.columns.map(({ name }) => quoteName(name)).join(', ');
    await connection.execute(
      `INSERT INTO ${connection.table('dead_letters')} (_log, _batch, _row, _epoch, _pipeline, received_at, producer, frame_seq,
        frame_index, kind, code, reason, encoding, bytes)
       SELECT _log, _batch, toUInt32(_row + ${REFUSED_FROM}), _epoch, _pipeline, ${column(receivedAt)}, toString(${column(producer)}),
        ${column(frameSeq)}, ${column(frameIndex)}, 'event', ${quoteText(REFUSED_CODE)}, ${quoteText(refusal)}, 'json',
        formatRowNoNewline('JSONEachRow', ${fields})
       FROM ${connection.table(STAGING)} WHERE _row = ${row}`,
      {
        ...insertSettings,
        output_format_json_quote_denormals: 1,
        insert_deduplication_token: `${REFUSED_CODE}-${batch.token}-${row}`,
      },
    );
  }
}
