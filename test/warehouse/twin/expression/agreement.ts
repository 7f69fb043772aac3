/**
 * Both compilers of expressions side by side: random expressions over random rows, in the core's emitter and in
 * ClickHouse, many expressions per query.
 */

import { expect } from 'vitest';
import type { Column } from '../../../../native-free-core/layout/column.ts';
import type { Expression, Plan } from '../../../../native-free-core/layout/plan.ts';
import { createEmitter } from '../../../../native-free-core/policy/expression/emitter.ts';
import { conditionSql, sqlOf } from '../../../../src/warehouse/twin/expression/index.ts';
import { evaluate } from '../../../policy/expression/oracle.ts';
import { randomExpression } from '../../../policy/expression/random-expression.ts';
import { createWorld, fillWorld, pick, ROWS, type Value, type World } from '../../../policy/expression/world.ts';
import { seeded } from '../../../random.ts';
import type { EmbeddedServer } from '../../embedded/embedded-server.ts';
import { readRows, type Cell } from './read-rows.ts';
import { rowBinary, sqlPlan, tableSql } from './sql-world.ts';

/** Expressions of one query, each a column over all rows. */
const GROUP = 200;
const TABLE = 'default.expression_rows';
/** Operators whose last bits are the library's. */
const RELATIVE_ERROR_MAX = 1e-12;
const INEXACT: ReadonlySet<string> = new Set(['log', 'exp', 'pow', 'geo_distance']);
const TYPES = ['bool', 'bool', 'int', 'int', 'double', 'string', 'bytes'] as const;

export interface Seen {
  absent: number;
  true: number;
  false: number;
  number: number;
  text: number;
}

/** Compares that many expressions; throws at the first disagreement. */
export async function compareExpressions(server: EmbeddedServer, count: number, seed: number): Promise<Seen> {
  const random = seeded(seed);
  const world = createWorld();
  const plan = sqlPlan(world);
  const seen: Seen = { absent: 0, true: 0, false: 0, number: 0, text: 0 };
  const engine = { asEngine: true, url: { max_query_size: '100000000', max_ast_elements: '10000000' } };
  await server.run(`DROP TABLE IF EXISTS ${TABLE}`, engine);
  await server.run(tableSql(plan, TABLE), engine);
  for (let done = 0; done < count; done += GROUP) {
    const expressions = Array.from({ length: Math.min(GROUP, count - done) }, () =>
      randomExpression(world, random, pick(random, TYPES), Math.floor(random() * 5)),
    );
    fillWorld(world, random);
    await server.run(`TRUNCATE TABLE ${TABLE}`, engine);
    await server.run(`INSERT INTO ${TABLE} FORMAT RowBinary`, { ...engine, body: rowBinary(world, plan, 0, ROWS) });
    const where = { seed, from: done };
    await compareGroup(server, world, plan, expressions, seen, where, engine);
  }
  return seen;
}

async function compareGroup(
  server: EmbeddedServer,
  world: World,
  plan: Plan,
  expressions: readonly Expression[],
  seen: Seen,
  where: { readonly seed: number; readonly from: number },
  engine: { asEngine: boolean; url: Record<string, string> },
): Promise<void> {
  const selected = expressions.flatMap((expression) =>
    expression.type === 'bool' ? [sqlOf(plan, expression), conditionSql(plan, expression)] : [sqlOf(plan, expression)],
  );
  const sql = `SELECT ${selected.join(',\n')} FROM ${TABLE} ORDER BY _r FORMAT RowBinaryWithNamesAndTypes`;
  const response = await server.fetch('', { ...engine, body: sql });
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (response.status !== 200) {
    expect.fail(`${JSON.stringify(where)} ${new TextDecoder().decode(bytes).slice(0, 2000)}`);
  }
  const { types, rows } = readRows(bytes);
  const evaluator = compileGroup(world, expressions);
  for (let r = 0; r < ROWS; r++) {
    const values: unknown[] = [];
    evaluator(r, values);
    let at = 0;
    expressions.forEach((expression, i) => {
      const isText = expression.type === 'string' || expression.type === 'bytes';
      const expected = isText ? evaluate(expression, world.rows[r]!) : (values[i] as Value | undefined);
      const type = types[at]!;
      const actual = rows[r]![at++]!;
      const condition = expression.type === 'bool' ? rows[r]![at++] : undefined;
      const agrees =
        same(expected ?? null, actual, isInexact(expression)) &&
        typeFits(expression, type) &&
        (condition === undefined || condition === (expected === true));
      if (!agrees) {
        const shown = { expected: String(expected), actual: String(actual), type, condition, expression };
        expect.fail(
          `seed=${where.seed} expression=${where.from + i} row=${r} ${JSON.stringify(shown)}\n${sqlOf(plan, expression)}`,
        );
      }
      count(seen, expected ?? null);
    });
  }
}

function count(seen: Seen, value: Value): void {
  if (value === null) seen.absent++;
  else if (typeof value === 'boolean') seen[value ? 'true' : 'false']++;
  else seen[typeof value === 'number' || typeof value === 'bigint' ? 'number' : 'text']++;
}

function same(expected: Value, actual: Cell, inexact: boolean): boolean {
  if (expected === null || actual === null) return expected === actual;
  if (expected instanceof Uint8Array) return actual instanceof Uint8Array && Buffer.compare(expected, actual) === 0;
  if (typeof expected === 'boolean') return expected === actual;
  // The core hands wide integers out rounded; their halves are compared where expressions compare them.
  const plain = typeof actual === 'bigint' ? Number(actual) : actual;
  const isZero = expected === 0 && plain === 0 && typeof actual === 'bigint';
  if (Object.is(expected, plain) || isZero) return true;
  return inexact && Math.abs(Number(plain) - Number(expected)) <= RELATIVE_ERROR_MAX * Math.abs(Number(expected));
}

function isInexact(expression: Expression): boolean {
  return expression.node === 'call' && (INEXACT.has(expression.operator) || expression.operands.some(isInexact));
}

const PROMISED: Readonly<Record<string, RegExp>> = {
  bool: /^(Nullable\()?(Bool|UInt8)\b/,
  int: /^(Nullable\()?U?Int64\b/,
  time: /^(Nullable\()?Int64\b/,
  double: /^(Nullable\()?Float64\b/,
  string: /^(Nullable\()?String\b/,
  bytes: /^(Nullable\()?String\b/,
};

function typeFits(expression: Expression, type: string): boolean {
  return PROMISED[expression.type]!.test(type);
}

type Evaluator = (row: number, values: unknown[]) => void;

/** Values as the core emits them; `undefined` where absent. Texts have none. */
function compileGroup(world: World, expressions: readonly Expression[]): Evaluator {
  const emitter = createEmitter(world.plan, world.columns, world.dictionary);
  const pieces = expressions.map((expression, i) => {
    if (expression.type === 'string' || expression.type === 'bytes') return '';
    const { setup, value, absent } = emitter(expression);
    return `{ ${setup.join('\n')} values[${i}] = ${absent === null ? value : `(${absent}) ? undefined : (${value})`}; }`;
  });
  const body = `${emitter.declarations()}\nreturn (r, values) => {\n${pieces.join('\n')}\n};`;
  const names = new Set([...body.matchAll(/\bc(\d+)_([a-zA-Z0-9]+)\b/g)].map(([name]) => name));
  const columns = [...names].map((name) => `const ${name} = columns[${name.slice(1).replace('_', '].')};`);
  const make = new Function('columns', 'runtime', `'use strict';\n${columns.join('\n')}\n${body}`) as (
    columns: readonly Column[],
    runtime: unknown,
  ) => Evaluator;
  return make(world.columns, emitter.runtime);
}
