/**
 * Brings a table to what a plan needs while rows of older plans stay and still come in: columns are added beside their
 * neighbours, widened in place, and a renamed one goes on under the name that it was created with, with the new name as an
 * alias. All of it is checked before anything is changed, and done in one statement. Main thread, at start and at every
 * deploy.
 *
 *   a wanted column   is there, stored           its type holds both, or is widened
 *                     is an alias of one         so is that one
 *                     is not there, but renamed  an alias of what it was
 *                     is not there               it is added
 */

import type { ColumnRename } from '../../../native-free-core/plan/change-plan.ts';
import { OperatingError } from '../../errors.ts';
import { commonType, sameType } from './column-type.ts';
import { quoteName, quoteText } from '../../contract/sql-text.ts';
import type { ColumnDefinition, TableDefinition } from './definitions.ts';

export interface ExistingColumn {
  readonly name: string;
  readonly type: string;
  /** '', DEFAULT or ALIAS. */
  readonly kind: string;
  readonly expression: string;
  readonly comment: string;
}

export interface Migration {
  /** Clauses of one ALTER TABLE; none: nothing to do. */
  readonly clauses: readonly string[];
  readonly added: readonly string[];
  readonly widened: readonly string[];
}

/** What the clauses are gathered in. */
interface Work {
  readonly clauses: string[];
  readonly added: string[];
  readonly widened: string[];
  readonly conflicts: string[];
  /** Stored column -> the wanted one that is written into it. */
  readonly owners: Map<string, string>;
}

export function columnClause(column: ColumnDefinition): string {
  const defaultTo = column.alias ? ` ALIAS ${column.alias}` : column.defaultTo ? ` DEFAULT ${column.defaultTo}` : '';
  const codec = column.codec === '' ? '' : ` ${column.codec}`;
  return `${quoteName(column.name)} ${column.type}${defaultTo} COMMENT ${quoteText(column.comment)}${codec}`;
}

/** Names of renamed columns -> what they are stored as. */
export function storedNames(existing: readonly ExistingColumn[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const { name, kind, expression } of existing) {
    const stored = kind === 'ALIAS' ? plainName(expression) : null;
    if (stored !== null) names.set(name, stored);
  }
  return names;
}

/** An alias of nothing but another column. */
function plainName(expression: string): string | null {
  const quoted = /^`((?:[^`\\]|\\.)+)`$/.exec(expression);
  if (quoted !== null) return quoted[1]!.replace(/\\(.)/g, '$1');
  return /^[A-Za-z_]\w*$/.test(expression) ? expression : null;
}

export function planMigration(
  database: string,
  table: TableDefinition,
  existing: readonly ExistingColumn[],
  renames: readonly ColumnRename[],
): Migration {
  const byName = new Map(existing.map((column) => [column.name, column]));
  checkOurs(database, table, byName);
  const stored = storedNames(existing);
  const former = new Map(renames.map(({ from, to }) => [to, stored.get(from) ?? from]));
  const work: Work = { clauses: [], added: [], widened: [], conflicts: [], owners: new Map() };
  for (const [i, column] of table.columns.entries()) {
    const has = byName.get(column.name);
    const before = table.columns[i - 1];
    const after = before === undefined ? '' : ` AFTER ${quoteName(before.name)}`;
    const target = stored.get(column.name) ?? (has === undefined ? former.get(column.name) : undefined);
    const source = target === undefined ? undefined : byName.get(target);
    if (column.alias !== undefined) placeView(column, has, after, work);
    else if (source !== undefined) placeRenamed(column, has, source, after, work);
    else if (has === undefined) add(column, after, work);
    else widen(column, has, work);
  }
  if (work.conflicts.length > 0) throw conflict(database, table, work.conflicts);
  return work;
}

function checkOurs(database: string, table: TableDefinition, existing: ReadonlyMap<string, ExistingColumn>): void {
  const first = table.columns[0]!;
  if (existing.has(first.name)) return;
  throw new OperatingError(
    'table_foreign',
    `the table is not one of the engine's: table=${database}.${table.name} missing column=${first.name}; rename that table, or start with another database`,
  );
}

function conflict(database: string, table: TableDefinition, conflicts: readonly string[]): OperatingError {
  return new OperatingError(
    'table_type_conflict',
    `the pipeline does not fit the table: table=${database}.${table.name} ${conflicts.join(', ')}; ` +
      `give the field another name in the pipeline, or convert the column (ALTER TABLE ... MODIFY COLUMN), ` +
      `or move the old rows away (RENAME TABLE ${database}.${table.name} TO ${database}.${table.name}_before) and start again`,
  );
}

function add(column: ColumnDefinition, after: string, work: Work): void {
  own(column.name, column.name, work);
  work.clauses.push(`ADD COLUMN ${columnClause(column)}${after}`);
  work.added.push(column.name);
}

/** A field of a branch, computed from the column that branches share. */
function placeView(column: ColumnDefinition, has: ExistingColumn | undefined, after: string, work: Work): void {
  if (has === undefined) {
    work.clauses.push(`ADD COLUMN ${columnClause(column)}${after}`);
    work.added.push(column.name);
  } else if (has.kind !== 'ALIAS' || plainName(has.expression) !== null) {
    work.conflicts.push(`column=${column.name} has=own wants=shared (events.branch_columns)`);
  } else if (sameType(has.type, column.type)) {
    comment(column, has, work);
  } else work.clauses.push(`MODIFY COLUMN ${columnClause(column)}`);
}

/** Its values lie in `source`, under whichever name older rows came. */
function placeRenamed(
  column: ColumnDefinition,
  has: ExistingColumn | undefined,
  source: ExistingColumn,
  after: string,
  work: Work,
): void {
  const type = typeFor(column, source, work);
  if (type === null || !own(source.name, column.name, work)) return;
  const alias = columnClause({ ...column, type, codec: '', alias: quoteName(source.name) });
  if (has === undefined) {
    work.clauses.push(`ADD COLUMN ${alias}${after}`);
    work.added.push(column.name);
  } else if (!sameType(has.type, type)) work.clauses.push(`MODIFY COLUMN ${alias}`);
  else comment(column, has, work);
}

function widen(column: ColumnDefinition, has: ExistingColumn, work: Work): void {
  if (has.kind === 'ALIAS') {
    work.conflicts.push(`column=${column.name} has=shared wants=own (events.branch_columns)`);
    return;
  }
  if (typeFor(column, has, work) !== null && own(column.name, column.name, work)) comment(column, has, work);
}

/** The type of the stored column from now on; null after a complaint. */
function typeFor(column: ColumnDefinition, source: ExistingColumn, work: Work): string | null {
  const type = commonType(source.type, column.type);
  if (type === null) work.conflicts.push(`column=${source.name} has=${source.type} wants=${column.type}`);
  else if (!sameType(type, source.type)) {
    // Codecs go with types: T64 takes no floats.
    const codec = column.codec === '' ? 'CODEC(Default)' : column.codec;
    work.clauses.push(`MODIFY COLUMN ${quoteName(source.name)} ${type} ${codec}`);
    work.widened.push(source.name);
  }
  return type;
}

/** Two columns of a plan cannot be stored in one, which can happen long after a rename, when its old name is taken again. */
function own(stored: string, column: string, work: Work): boolean {
  const owner = work.owners.get(stored);
  work.owners.set(stored, column);
  if (owner === undefined || owner === column) return true;
  work.conflicts.push(`column=${stored} would store both ${owner} and ${column}`);
  return false;
}

function comment(column: ColumnDefinition, has: ExistingColumn, work: Work): void {
  if (has.comment !== column.comment)
    work.clauses.push(`COMMENT COLUMN ${quoteName(column.name)} ${quoteText(column.comment)}`);
}
