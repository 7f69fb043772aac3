/**
 * Edits of a schema against the real ClickHouse: each is classed, and after each that passes, rows of the old version (from
 * before and from after the tables changed) and rows of the new version answer SQL under the new names, through the real
 * encoder.
 */

import { afterAll, describe, expect, test } from 'vitest';
import { createNativeEncoder } from '../../native-free-core/columns/native-encoder.ts';
import type { ColumnPlan, Plan } from '../../native-free-core/plan/plan.ts';
import { flatFields } from '../../src/config/change/fields.ts';
import { describeChange, type ChangeDescription } from '../../src/config/index.ts';
import { createTables, storedPlan, type TableConnection } from '../../src/warehouse/tables/index.ts';
import { createBlockWorld, type Row } from '../columns/block-world.ts';
import { bytesOf, openWarehouse } from '../columns/warehouse.ts';
import { utf8, type Scalar, type Value } from '../columns/write-value.ts';
import { changed, compileText } from '../config/pipelines.ts';
import { PASSING, PIPELINE, REFUSED, SCHEMA, SHARED, type SchemaEdit } from './schema-edits-cases.ts';
import { isLong } from '../long.ts';

const warehouse = openWarehouse();
afterAll(() => warehouse.close());

const connection: TableConnection = {
  execute: async (sql) => warehouse.run(sql),
  rows: async (sql) => warehouse.rows(sql),
};

const SHARING = changed('  type: action\n', '  type: action\n  branch_columns: shared\n', PIPELINE);

function compile(edit: Pick<SchemaEdit, 'schema' | 'pipeline'>, base = PIPELINE): Plan {
  const edited = (text: string, edits: readonly (readonly [string, string])[] = []): string =>
    edits.reduce((before, [from, to]) => changed(from, to, before), text);
  return compileText(edited(base, edit.pipeline), { 'events.proto': edited(SCHEMA, edit.schema) }).plan;
}

function scalar({ kind, labels }: ColumnPlan, row: number): Scalar {
  switch (kind) {
    case 'u64':
    case 'i64':
    case 'time':
      return BigInt(row + 1) * 1000n;
    case 'string':
    case 'dictionary':
      return `text ${row % 3}`;
    case 'bytes':
      return utf8(`bytes ${row}`);
    case 'f32':
    case 'f64':
      return row + 0.5;
    case 'u8':
      return 1;
    case 'code':
      return row % labels!.length;
    case 'enum':
      return [0, 1, 7][row % 3];
    default:
      return row + 1;
  }
}

/** One row without a branch and one for each, each with all that it can have, and one with as little as it can. */
function rowsOf(plan: Plan): Row[] {
  const type = plan.columns[plan.system.type]!;
  return [...type.labels!.keys(), 0].map((branch, r, all) => {
    const isBare = r === all.length - 1;
    const cells = plan.columns.map((column): [string, Value] => {
      if (column === type) return [column.name, branch];
      const isTheirs = column.branch < 0 || column.branch === branch;
      if (!isTheirs || (isBare && column.nullable)) return [column.name, undefined];
      const value = scalar(column, r);
      if (column.shape === 'scalar') return [column.name, value];
      return [column.name, column.shape === 'list' ? [value, value] : new Map([['key', value]])];
    });
    return Object.fromEntries(cells);
  });
}

/** Columns without a single value are not sent. */
const NOTHING: readonly Row[] = [{}];

function insert(database: string, plan: Plan, stored: Plan, batch: number, rows: readonly Row[] = rowsOf(plan)): void {
  const world = createBlockWorld(plan);
  world.writeRows(rows);
  const block = world.seal(rows.length);
  const native: Uint8Array[] = [];
  const encoder = createNativeEncoder(
    stored,
    { dictionary: world.textOf, utf8 },
    { sink: (b) => native.push(bytesOf(b)) },
  );
  encoder.begin(LOG, batch);
  encoder.appendBlock(block, batch);
  encoder.finish();
  const columns = ['_log', '_batch', '_row', '_epoch', '_pipeline', ...stored.columns.map(({ name }) => name)];
  warehouse.insert(
    `${database}.events (${columns.map((name) => `\`${name}\``).join(', ')})`,
    native,
    `events-${batch}`,
  );
}

type Cells = Record<string, string | null>;

/** As texts: what a wider column says of the same value. */
function answers(database: string, names: readonly string[], batch: number): Cells[] {
  const list = names.map((name) => `toString(\`${name}\`) AS \`_.${name}\``).join(', ');
  const rows = warehouse.rows<Cells>(`SELECT ${list} FROM ${database}.events WHERE _batch = ${batch} ORDER BY _row`);
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name.slice(2), value])));
}

/** Columns and views that SQL knows. */
function namesOf(plan: Plan): string[] {
  return [...plan.columns, ...(plan.views ?? [])].map(({ name }) => name);
}

/** A condition that becomes a number. */
function asNumber(value: string | null, before: string | null): string | null {
  return value === '1' && before === 'true' ? 'true' : value === '0' && before === 'false' ? 'false' : value;
}

/** Fields of branches that share columns: new name and old name, by field number. */
function renamedViews(from: Plan, to: Plan): (readonly [string, string])[] {
  const before = new Map(flatFields(from).map(({ numbers, path }) => [numbers, path]));
  const views = new Set((to.views ?? []).map(({ name }) => name));
  const column = (path: string): string => path.replaceAll('.', '_');
  return flatFields(to)
    .filter(({ numbers, path }) => before.has(numbers) && views.has(column(path)))
    .map(({ numbers, path }) => [column(path), column(before.get(numbers)!)] as const);
}

let databases = 0;
const LOG = 7;

/** Old rows, the change, old rows that come late, new rows. */
async function goThrough(from: Plan, to: Plan, description: ChangeDescription): Promise<void> {
  const database = `edits_${databases++}`;
  const fresh = `${database}_fresh`;
  const options = { database, syncs: true, logNumber: LOG };
  await createTables(from, connection, options);
  insert(database, from, from, 1);
  insert(database, from, from, 11, NOTHING);
  const before = answers(database, namesOf(from), 1);
  const { stored } = await createTables(to, connection, { ...options, renames: description.renames });
  insert(database, from, storedPlan(from, stored), 2);
  insert(database, from, storedPlan(from, stored), 12, NOTHING);
  insert(database, to, storedPlan(to, stored), 3);
  insert(database, to, storedPlan(to, stored), 13, NOTHING);
  const again = await createTables(to, connection, options);
  expect(again, 'the second time changes nothing').toMatchObject({ created: [], added: [], widened: [] });

  await createTables(to, connection, { ...options, database: fresh });
  insert(fresh, to, to, 3);
  insert(fresh, to, to, 13, NOTHING);
  expect(answers(database, namesOf(to), 13), 'a new row of nothing').toEqual(answers(fresh, namesOf(to), 13));
  const both = [...namesOf(to), ...namesOf(from)];
  const bare = (batch: number): Cells[] =>
    answers(
      database,
      [...new Set(both)].filter((name) => !name.startsWith('_')),
      batch,
    );
  expect(bare(12), 'an old row of nothing, late').toEqual(bare(11));
  expect(answers(database, namesOf(to), 3), 'new rows').toEqual(answers(fresh, namesOf(to), 3));

  const formerViews = renamedViews(from, to);
  for (const batch of [1, 2]) {
    const shown = answers(database, [...new Set([...namesOf(to), ...namesOf(from)])], batch);
    for (const [r, row] of shown.entries()) {
      for (const name of namesOf(from))
        expect(asNumber(row[name], before[r][name]), `${name}, its old name`).toBe(before[r][name]);
      for (const [name, old] of formerViews) expect(row[name], `${name} of an old row`).toBe(before[r][old]);
      for (const [i, old] of description.change!.columns.entries()) {
        const { name, nullable, shape } = to.columns[i]!;
        const has = old < 0 ? null : before[r][from.columns[old]!.name];
        if (old >= 0) expect(asNumber(row[name], has), `${name} of an old row`).toBe(has);
        else if (!(nullable && shape === 'scalar'))
          expect(row[name], name).toMatch(/^(0|false||\[\]|\{\}|1970-01-01 .*)$/);
        else expect(row[name], name).toBeNull();
      }
    }
  }
  const [{ rows }] = warehouse.rows<{ rows: string }>(`SELECT toString(count()) AS rows FROM ${database}.events`);
  expect(Number(rows)).toBe(rowsOf(from).length * 2 + rowsOf(to).length + 3 * NOTHING.length);
  warehouse.run(`DROP DATABASE ${database} SYNC`);
  warehouse.run(`DROP DATABASE ${fresh} SYNC`);
}

function classOf(from: Plan, to: Plan, edit: SchemaEdit): ChangeDescription {
  const description = describeChange(from, to);
  const texts = description.edits.map((one) => `${one.class} ${one.path}: ${one.text}`);
  if (edit.says === null) expect(texts).toEqual([]);
  else expect(texts.join('\n')).toMatch(edit.says);
  expect(description.class, texts.join('\n')).toBe(edit.class);
  expect(description.change === null).toBe(edit.class === 'refused');
  return description;
}

/** Each edit is described; a table goes through all of them in the long form, through every fifth in the short one. */
function isTried(number: number): boolean {
  return isLong || number % 5 === 0;
}

function numbered<T extends object>(edits: readonly T[]): (T & { readonly number: number })[] {
  return edits.map((edit, number) => ({ ...edit, number }));
}

describe('edits that pass', () => {
  const from = compile({});
  test.each(numbered(PASSING))('$name', async ({ number, ...edit }) => {
    const to = compile(edit);
    const description = classOf(from, to, edit);
    if (isTried(number)) await goThrough(from, to, description);
  });
});

describe('edits that are refused', () => {
  const from = compile({});
  test.each(REFUSED)('$name', (edit) => {
    classOf(from, compile(edit), edit);
  });
});

describe('branches that share columns', () => {
  const from = compile({}, SHARING);
  test.each(numbered(SHARED))('$name', async ({ number, ...edit }) => {
    const to = compile(edit, SHARING);
    const description = classOf(from, to, edit);
    if (edit.class !== 'refused' && isTried(number)) await goThrough(from, to, description);
  });
});
