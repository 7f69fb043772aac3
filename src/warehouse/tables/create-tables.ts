/**
 * Creates the engine's tables and brings existing ones up to the plan (migrate.ts): columns are added and widened, comments
 * follow, and what cannot be reconciled stops the start with a message that says what to do. Columns of earlier pipelines
 * stay. Main thread, at start and at every deploy, before the first row of the plan is inserted.
 */

import type { ColumnRename } from '../../../native-free-core/plan/change-plan.ts';
import type { Plan } from '../../../native-free-core/plan/plan.ts';
import { EVENTS_TABLE } from '../../contract/events-source.ts';
import { written, type Position } from '../../contract/event-log.ts';
import { quoteName, quoteText } from '../../contract/sql-text.ts';
import {
  auditLogTable,
  batchesTable,
  deadLettersTable,
  eventsTable,
  pipelinesTable,
  watermarkView,
  type TableDefinition,
} from './definitions.ts';
import { columnClause, planMigration, type ExistingColumn, type Migration } from './migrate.ts';
import { storedColumns, type StoredColumns } from './stored-plan.ts';

/** A connection that may write; handed in by the caller. */
export interface TableConnection {
  execute(sql: string): Promise<void>;
  /** Rows of a SELECT, as JSONEachRow gives them. */
  rows<Row>(sql: string): Promise<Row[]>;
}

export interface TableChanges {
  /** Tables that were not there. */
  readonly created: readonly string[];
  /** `table.column` of those that were added to existing tables. */
  readonly added: readonly string[];
  /** `table.column` of those that take a wider type from now on. */
  readonly widened: readonly string[];
  /** Columns of `events` as they are stored, which is how inserts go (storedPlan). */
  readonly stored: StoredColumns;
}

export interface TableOptions {
  readonly database: string;
  /** Each insert is synced before it is confirmed; without it the caller syncs the file system before it relies on that. */
  readonly syncs: boolean;
  /** Of the log whose batches come in. */
  readonly logNumber: number;
  /** What the change that leads to this plan renamed (describeChange); once done, the table itself knows. */
  readonly renames?: readonly ColumnRename[];
}

export async function createTables(
  plan: Plan,
  connection: TableConnection,
  { database, syncs, logNumber, renames = [] }: TableOptions,
): Promise<TableChanges> {
  await connection.execute(`CREATE DATABASE IF NOT EXISTS ${quoteName(database)}`);
  const known = await connection.rows<{ name: string }>('SELECT name FROM system.merge_tree_settings');
  const settings = new Set(known.map((row) => row.name));
  const created: string[] = [];
  const added: string[] = [];
  const widened: string[] = [];
  for (const table of [
    eventsTable(plan, syncs),
    deadLettersTable(syncs),
    batchesTable(),
    pipelinesTable(),
    auditLogTable(syncs),
  ]) {
    const existing = await describe(connection, database, table.name);
    if (existing.length === 0) {
      await connection.execute(createStatement(database, table, settings));
      created.push(table.name);
      continue;
    }
    const migration = await migrate(connection, database, table, existing, table.name === EVENTS_TABLE ? renames : []);
    if (table.ttl !== undefined) await limitAge(connection, database, table, table.ttl);
    added.push(...migration.added.map((column) => `${table.name}.${column}`));
    widened.push(...migration.widened.map((column) => `${table.name}.${column}`));
  }
  await connection.execute(watermarkView(database, logNumber));
  return { created, added, widened, stored: storedColumns(await describe(connection, database, EVENTS_TABLE)) };
}

/** An activation of a version (table `pipelines`). */
export interface PipelineRecord {
  readonly plan: Plan;
  readonly previous: Plan | null;
  readonly kind: string;
  readonly actor: string;
  readonly reason: string;
  readonly afterEpoch: Position;
  /** ms UTC */
  readonly at: number;
  readonly diff: object;
}

/** Records that from then on this version decides. */
export async function recordPipeline(
  record: PipelineRecord,
  connection: { insert(query: string, body: Iterable<Uint8Array>, settings: object): Promise<number> },
  database: string,
): Promise<void> {
  const { plan, previous, kind, actor, reason, afterEpoch, at, diff } = record;
  const lists = (plan.lists ?? []).map((list) => ({ ...list, entries: [] }));
  const row = {
    number: plan.versionNumber,
    version: plan.version,
    name: plan.pipeline,
    owner: plan.owner,
    source: plan.source,
    activated_at: new Date(at).toISOString().replace('T', ' ').replace('Z', ''),
    kind,
    actor,
    reason,
    previous: previous?.version ?? '',
    after_epoch: written(afterEpoch),
    diff: JSON.stringify(diff),
    plan: JSON.stringify({ ...plan, lists, source: '' }),
  };
  const body = [new TextEncoder().encode(`${JSON.stringify(row)}\n`)];
  await connection.insert(`INSERT INTO ${quoteName(database)}.pipelines FORMAT JSONEachRow`, body, {});
}

async function describe(connection: TableConnection, database: string, table: string): Promise<ExistingColumn[]> {
  return connection.rows<ExistingColumn>(
    `SELECT name, type, default_kind AS kind, default_expression AS expression, comment FROM system.columns WHERE database = ${quoteText(database)} AND table = ${quoteText(table)} ORDER BY position`,
  );
}

export function createStatement(database: string, table: TableDefinition, knownSettings: ReadonlySet<string>): string {
  const lines = [...table.columns.map(columnClause), ...table.indexes];
  const settings = Object.entries(table.settings).filter(([name]) => knownSettings.has(name));
  const clause =
    settings.length === 0 ? '' : `\nSETTINGS ${settings.map(([name, value]) => `${name} = ${value}`).join(', ')}`;
  const ttl = table.ttl === undefined ? '' : `\nTTL ${table.ttl}`;
  return `CREATE TABLE IF NOT EXISTS ${quoteName(database)}.${quoteName(table.name)}
(
  ${lines.join(',\n  ')}
)
ENGINE = ${table.engine}${ttl}${clause}
COMMENT ${quoteText(table.comment)}`;
}

/** A table of an earlier version kept its rows for ever. */
async function limitAge(
  connection: TableConnection,
  database: string,
  table: TableDefinition,
  ttl: string,
): Promise<void> {
  const [found] = await connection.rows<{ statement: string }>(
    `SELECT create_table_query AS statement FROM system.tables WHERE database = ${quoteText(database)} AND name = ${quoteText(table.name)}`,
  );
  if (found?.statement.includes(' TTL ') !== false) return;
  const name = `${quoteName(database)}.${quoteName(table.name)}`;
  await connection.execute(`ALTER TABLE ${name} MODIFY SETTING ttl_only_drop_parts = 1`);
  await connection.execute(`ALTER TABLE ${name} MODIFY TTL ${ttl} SETTINGS materialize_ttl_after_modify = 0`);
}

/** Nothing waits for old parts: they are read as if they were rewritten, and rewritten in the background. */
async function migrate(
  connection: TableConnection,
  database: string,
  table: TableDefinition,
  existing: readonly ExistingColumn[],
  renames: readonly ColumnRename[],
): Promise<Migration> {
  const migration = planMigration(database, table, existing, renames);
  if (migration.clauses.length > 0) {
    const name = `${quoteName(database)}.${quoteName(table.name)}`;
    await connection.execute(`ALTER TABLE ${name} ${migration.clauses.join(', ')} SETTINGS alter_sync = 0`);
  }
  return migration;
}
