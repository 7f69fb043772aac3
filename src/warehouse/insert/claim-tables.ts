/**
 * Makes sure that the tables are this data folder's before anything is read from them or put into them, and brings tables of
 * former versions to rows that name their log: all of theirs came from this folder's one. Main thread, at start; called by
 * warehouse.ts, and by recovery where it reads stored rows before that.
 *
 *   `_log`    of `events` and `dead_letters` is added with the folder's number as default, which is what old rows read: no part is rewritten
 *   `log`     begins the key of `batches`, and a key cannot be changed: the table, a line a batch, is copied and exchanged
 */

import { EVENTS_TABLE } from '../../contract/events-source.ts';
import { positionOf, reaches, written } from '../../contract/event-log.ts';
import { quoteName, quoteText } from '../../contract/sql-text.ts';
import { OperatingError } from '../../errors.ts';
import type { Log } from '../../system/log.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { batchColumns, batchesTable } from '../tables/definitions.ts';
import { columnClause } from '../tables/migrate.ts';
import { createStatement } from '../tables/create-tables.ts';
import type { BatchLog } from './batch-log.ts';
import { Connection } from './connection.ts';

/** What of the batch log tells whose the tables are. */
export type FolderBatches = Pick<BatchLog, 'logNumber' | 'nextBatchId' | 'sealedEpoch' | 'confirmedEpoch'>;

type TableConnection = Pick<Connection, 'rows' | 'execute' | 'table' | 'database'>;

const BATCHES = 'batches';
/** The copy while it is made, and what it was exchanged for until that is dropped. */
const KEYED = 'batches_keyed';
const BATCH_KEY = 'log, batch';

interface FoundTable {
  readonly name: string;
  readonly key: string;
  readonly columns: readonly string[];
}

export async function claimTables(connection: TableConnection, folder: FolderBatches, log: Log): Promise<void> {
  const tables = new Map((await findTables(connection)).map((table) => [table.name, table]));
  const batches = tables.get(BATCHES);
  if (batches?.columns.includes('batch') === true) {
    await checkOrigin(connection, folder, batches.columns.includes('log'));
    if (batches.key !== BATCH_KEY) await keyByLog(connection, batches.columns, folder.logNumber, log);
  }
  if (tables.has(KEYED)) await connection.execute(`DROP TABLE IF EXISTS ${connection.table(KEYED)} SYNC`);
  for (const name of [EVENTS_TABLE, 'dead_letters']) {
    const columns = tables.get(name)?.columns ?? [];
    if (!columns.includes('_batch') || columns.includes('_log')) continue;
    const column = batchColumns().find((one) => one.name === '_log')!;
    const clause = columnClause({ ...column, defaultTo: String(folder.logNumber) });
    await connection.execute(`ALTER TABLE ${connection.table(name)} ADD COLUMN ${clause} FIRST`);
    log('info', 'rows name their log from now on', { table: name, log: folder.logNumber });
  }
}

/** The same on a connection of its own. */
export async function claimStoredTables(clickhouse: ClickHouse, folder: FolderBatches, log: Log): Promise<void> {
  const connection = new Connection({ clickhouse, log });
  try {
    await claimTables(connection, folder, log);
  } finally {
    await connection.close();
  }
}

async function findTables(connection: TableConnection): Promise<FoundTable[]> {
  const database = quoteText(connection.database);
  return connection.rows<FoundTable>(
    `SELECT t.name AS name, t.sorting_key AS key, groupArray(c.name) AS columns FROM system.tables AS t
     INNER JOIN system.columns AS c ON c.database = t.database AND c.table = t.name
     WHERE t.database = ${database} AND c.database = ${database}
       AND t.name IN (${[EVENTS_TABLE, 'dead_letters', BATCHES, KEYED].map(quoteText).join(', ')})
     GROUP BY name, key`,
  );
}

/**
 * Batch numbers begin anew in a new data folder. Tables that another folder filled hold batches of another log; old lines do
 * not say of which, and are known by their numbers: new batches would pass for them.
 */
async function checkOrigin(connection: TableConnection, folder: FolderBatches, hasLog: boolean): Promise<void> {
  const { logNumber, nextBatchId, sealedEpoch } = folder;
  const batches = connection.table(BATCHES);
  if (hasLog) {
    const [other] = await connection.rows<{ log: number }>(
      `SELECT log FROM ${batches} WHERE log != ${logNumber} LIMIT 1`,
    );
    if (other !== undefined) throw ofAnotherFolder(connection, `log=${other.log} folder_log=${logNumber}`);
  }
  const [last] = await connection.rows<{ batch: string; epoch: string }>(
    `SELECT max(batch) AS batch, max(last_epoch) AS epoch FROM ${batches} ${hasLog ? `WHERE log = ${logNumber}` : ''}`,
  );
  const { batch, epoch } = last!;
  if (Number(batch) < nextBatchId && reaches(sealedEpoch, positionOf(Number(epoch)))) return;
  const found = `batch=${batch} epoch=${epoch} folder_batch=${nextBatchId - 1} folder_epoch=${written(sealedEpoch)}`;
  throw ofAnotherFolder(connection, found);
}

function ofAnotherFolder({ database }: TableConnection, found: string): OperatingError {
  return new OperatingError(
    'tables_of_another_folder',
    `the tables hold batches that this data folder has not sent: database=${database} ${found}; ` +
      'start with the data folder that filled them, or with another database',
  );
}

/**
 * Nothing is inserted meanwhile. The exchange is one step; whatever breaks off before or after it leaves a table to drop.
 */
async function keyByLog(
  connection: TableConnection,
  columns: readonly string[],
  logNumber: number,
  log: Log,
): Promise<void> {
  const [batches, keyed] = [connection.table(BATCHES), connection.table(KEYED)];
  const own = columns.filter((name) => name !== 'log').map(quoteName);
  const kept = new Set(batchesTable().columns.map(({ name }) => quoteName(name)));
  const list = own.filter((name) => kept.has(name)).join(', ');
  await connection.execute(`DROP TABLE IF EXISTS ${keyed} SYNC`);
  await connection.execute(createStatement(connection.database, { ...batchesTable(), name: KEYED }, new Set()));
  await connection.execute(`INSERT INTO ${keyed} (log, ${list}) SELECT ${logNumber}, ${list} FROM ${batches}`);
  await connection.execute(`EXCHANGE TABLES ${batches} AND ${keyed}`);
  await connection.execute(`DROP TABLE ${keyed} SYNC`);
  log('info', 'batches are keyed by their log from now on', { log: logNumber });
}

/** Tells where ClickHouse has less than it had confirmed. */
export async function checkConfirmed(connection: TableConnection, folder: FolderBatches, log: Log): Promise<void> {
  const [last] = await connection.rows<{ epoch: string }>(
    `SELECT max(last_epoch) AS epoch FROM ${connection.table(BATCHES)} WHERE log = ${folder.logNumber}`,
  );
  const foundEpoch = positionOf(Number(last!.epoch));
  if (reaches(foundEpoch, folder.confirmedEpoch)) return;
  log(
    'error',
    'ClickHouse lacks batches that it had confirmed: its data was lost, or this is another ClickHouse; hunt audit names the gap',
    { database: connection.database, confirmedEpoch: folder.confirmedEpoch, foundEpoch },
  );
}
