/**
 * Creates the engine's tables and brings existing ones up to the plan: new columns are added, comments follow, and what cannot
 * be reconciled (a column of another type) stops the start with a message that says what to do. Columns of earlier pipelines
 * stay. Main thread, at start and at every deploy, before the first row of the plan is inserted.
 */

import type { Plan } from '../../../native-free-core/layout/plan.ts';
import { OperatingError } from '../../errors.ts';
import {
  batchesTable,
  deadLettersTable,
  eventsTable,
  pipelinesTable,
  quoteName,
  quoteText,
  watermarkView,
  type ColumnDefinition,
  type TableDefinition,
} from './definitions.ts';

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
}

interface ExistingColumn {
  readonly name: string;
  readonly type: string;
  /** '', DEFAULT or ALIAS. */
  readonly kind: string;
  readonly comment: string;
}

export const DATABASE = 'hunt';

/** `syncs`: each insert is synced before it is confirmed; without it the caller syncs the file system before it relies on that. */
export async function createTables(
  plan: Plan,
  connection: TableConnection,
  database = DATABASE,
  syncs = true,
): Promise<TableChanges> {
  await connection.execute(`CREATE DATABASE IF NOT EXISTS ${quoteName(database)}`);
  const known = await connection.rows<{ name: string }>('SELECT name FROM system.merge_tree_settings');
  const settings = new Set(known.map((row) => row.name));
  const created: string[] = [];
  const added: string[] = [];
  for (const table of [eventsTable(plan, syncs), deadLettersTable(syncs), batchesTable(), pipelinesTable()]) {
    const existing = await describe(connection, database, table.name);
    if (existing.length === 0) {
      await connection.execute(createStatement(database, table, settings));
      created.push(table.name);
    } else added.push(...(await migrate(connection, database, table, existing)));
  }
  await connection.execute(watermarkView(database));
  return { created, added };
}

/** An activation of a version (table `pipelines`). */
export interface PipelineRecord {
  readonly plan: Plan;
  readonly previous: Plan | null;
  readonly kind: string;
  readonly actor: string;
  readonly reason: string;
  readonly afterEpoch: number;
  /** ms UTC */
  readonly at: number;
  readonly diff: object;
}

/** Records that from then on this version decides. */
export async function recordPipeline(
  record: PipelineRecord,
  connection: { insert(query: string, body: Iterable<Uint8Array>, settings: object): Promise<number> },
  database = DATABASE,
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
    after_epoch: afterEpoch,
    diff: JSON.stringify(diff),
    plan: JSON.stringify({ ...plan, lists, source: '' }),
  };
  const body = [new TextEncoder().encode(`${JSON.stringify(row)}\n`)];
  await connection.insert(`INSERT INTO ${quoteName(database)}.pipelines FORMAT JSONEachRow`, body, {});
}

async function describe(connection: TableConnection, database: string, table: string): Promise<ExistingColumn[]> {
  return connection.rows<ExistingColumn>(
    `SELECT name, type, default_kind AS kind, comment FROM system.columns WHERE database = ${quoteText(database)} AND table = ${quoteText(table)} ORDER BY position`,
  );
}

function columnClause(column: ColumnDefinition): string {
  const defaultTo = column.alias ? ` ALIAS ${column.alias}` : column.defaultTo ? ` DEFAULT ${column.defaultTo}` : '';
  const codec = column.codec === '' ? '' : ` ${column.codec}`;
  return `${quoteName(column.name)} ${column.type}${defaultTo} COMMENT ${quoteText(column.comment)}${codec}`;
}

export function createStatement(database: string, table: TableDefinition, knownSettings: ReadonlySet<string>): string {
  const lines = [...table.columns.map(columnClause), ...table.indexes];
  const settings = Object.entries(table.settings).filter(([name]) => knownSettings.has(name));
  const clause =
    settings.length === 0 ? '' : `\nSETTINGS ${settings.map(([name, value]) => `${name} = ${value}`).join(', ')}`;
  return `CREATE TABLE IF NOT EXISTS ${quoteName(database)}.${quoteName(table.name)}
(
  ${lines.join(',\n  ')}
)
ENGINE = ${table.engine}${clause}
COMMENT ${quoteText(table.comment)}`;
}

/** Returns what it added. All of the table is checked before anything is changed. */
async function migrate(
  connection: TableConnection,
  database: string,
  table: TableDefinition,
  existing: readonly ExistingColumn[],
): Promise<string[]> {
  const byName = new Map(existing.map((column) => [column.name, column]));
  checkTypes(database, table, byName);
  const missing = table.columns.filter((column) => !byName.has(column.name));
  const renamed = table.columns.filter(
    (column) => byName.has(column.name) && byName.get(column.name)!.comment !== column.comment,
  );
  const clauses = [
    ...missing.map((column) => `ADD COLUMN ${columnClause(column)}`),
    ...renamed.map((column) => `COMMENT COLUMN ${quoteName(column.name)} ${quoteText(column.comment)}`),
  ];
  if (clauses.length > 0)
    await connection.execute(`ALTER TABLE ${quoteName(database)}.${quoteName(table.name)} ${clauses.join(', ')}`);
  return missing.map((column) => `${table.name}.${column.name}`);
}

function checkTypes(database: string, table: TableDefinition, existing: ReadonlyMap<string, ExistingColumn>): void {
  const first = table.columns[0]!;
  if (!existing.has(first.name)) {
    throw new OperatingError(
      'TABLE_FOREIGN',
      `the table is not one of the engine's: table=${database}.${table.name} missing column=${first.name}; rename that table, or start with another database`,
    );
  }
  const conflicts = table.columns.flatMap((column) => {
    const has = existing.get(column.name);
    if (has === undefined) return [];
    if ((has.kind === 'ALIAS') !== (column.alias !== undefined)) {
      const wants = column.alias === undefined ? 'own' : 'shared';
      return [`column=${column.name} has=${wants === 'own' ? 'shared' : 'own'} wants=${wants} (events.branch_columns)`];
    }
    return sameType(has.type, column.type) ? [] : [`column=${column.name} has=${has.type} wants=${column.type}`];
  });
  if (conflicts.length === 0) return;
  throw new OperatingError(
    'TABLE_TYPE_CONFLICT',
    `the pipeline does not fit the table: table=${database}.${table.name} ${conflicts.join(', ')}; ` +
      `give the field another name in the pipeline, or convert the column (ALTER TABLE ... MODIFY COLUMN), ` +
      `or move the old rows away (RENAME TABLE ${database}.${table.name} TO ${database}.${table.name}_before) and start again`,
  );
}

function sameType(a: string, b: string): boolean {
  return a.replaceAll(' ', '') === b.replaceAll(' ', '');
}
