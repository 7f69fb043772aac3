/**
 * Both compilers of expressions side by side: random expressions over random rows, in the core's emitter and in
 * ClickHouse, many expressions per query.
 */

import { expect } from 'vitest';
import type { Expression, Plan } from '../../../native-free-core/plan/plan.ts';
import { conditionSql, sqlOf } from '../../../native-free-core/language/sql/index.ts';
import { isApproximate, isFragile, randomExpression, type Random } from '../expression/random-expression.ts';
import { createWorld, fillWorld, pick, ROWS, type Value, type World } from '../expression/world.ts';
import { seeded } from '../../random.ts';
import type { EmbeddedServer } from '../../clickhouse-embedded/embedded-server.ts';
import { compileGroup } from './core-values.ts';
import { readRows, type Cell, type Rows } from './read-rows.ts';
import { rowBinary, sqlPlan, tableSql } from './sql-world.ts';

/** Expressions of one query, each a column over all rows. */
const GROUP = 200;
const TABLE = 'default.expression_rows';
/** Operators whose last bits are the library's. */
const RELATIVE_ERROR_MAX = 1e-12;
/** Below, doubles have fewer digits. */
const SMALLEST_NORMAL = 2 ** -1022;
const TYPES = ['bool', 'bool', 'int', 'int', 'double', 'string', 'bytes'] as const;

export interface Seen {
  absent: number;
  true: number;
  false: number;
  number: number;
  text: number;
}

export interface Session {
  readonly server: EmbeddedServer;
  readonly world: World;
  readonly plan: Plan;
}

/** Where the two compilers differ, or a type is not the promised one. */
interface Disagreement {
  readonly index: number;
  readonly row: number;
  readonly expected: string;
  readonly actual: string;
  readonly condition: Cell | undefined;
  readonly type: string;
  readonly expression: Expression;
}

const ENGINE = { asEngine: true, url: { max_query_size: '100000000', max_ast_elements: '10000000' } };

/** Compares that many random expressions; fails at the first disagreement. */
export async function compareExpressions(server: EmbeddedServer, count: number, seed: number): Promise<Seen> {
  const random = seeded(seed);
  const session = await openSession(server);
  const seen = nothingSeen();
  for (let done = 0; done < count; done += GROUP) {
    const expressions = Array.from({ length: Math.min(GROUP, count - done) }, () =>
      anyExpression(session.world, random),
    );
    await compareOverNewRows(session, expressions, random, seen, `seed=${seed} from=${done}`);
  }
  return seen;
}

export function nothingSeen(): Seen {
  return { absent: 0, true: 0, false: 0, number: 0, text: 0 };
}

export async function openSession(server: EmbeddedServer): Promise<Session> {
  const world = createWorld();
  const session: Session = { server, world, plan: sqlPlan(world) };
  await server.run(`DROP TABLE IF EXISTS ${TABLE}`, ENGINE);
  await server.run(tableSql(session.plan, TABLE), ENGINE);
  return session;
}

/** Fills the world anew and compares on all of its rows; fails at the first disagreement. */
export async function compareOverNewRows(
  session: Session,
  expressions: readonly Expression[],
  random: Random,
  seen: Seen,
  where: string,
): Promise<void> {
  const { server, world, plan } = session;
  fillWorld(world, random);
  await server.run(`TRUNCATE TABLE ${TABLE}`, ENGINE);
  const body = rowBinary(world, plan, 0, ROWS);
  await server.run(`INSERT INTO ${TABLE} FORMAT RowBinary`, { ...ENGINE, body });
  const found = await compareGroup(session, expressions, seen);
  if (found === null) return;
  // The smallest part that differs says most.
  const smallest = (await compareGroup(session, partsOf(found.expression), nothingSeen())) ?? found;
  const shown = JSON.stringify({ ...smallest, operands: operandValues(session, smallest) });
  expect.fail(`${where} expression=${found.index} ${shown}\n${sqlOf(plan, smallest.expression)}`);
}

/** The expression's parts that have a value of their own, smaller ones first. */
function partsOf(expression: Expression): Expression[] {
  if (expression.node !== 'call') return [];
  return [...expression.operands.flatMap(partsOf), expression];
}

function operandValues({ world, plan }: Session, { expression, row }: Disagreement): string[] {
  const operands = expression.node === 'call' ? expression.operands.filter(({ node }) => node === 'call') : [];
  const values: (Value | undefined)[] = [];
  compileGroup(world, plan, operands)(row, values);
  return values.map(String);
}

function anyExpression(world: World, random: Random): Expression {
  for (;;) {
    const expression = randomExpression(world, random, pick(random, TYPES), Math.floor(random() * 5));
    if (!isFragile(expression)) return expression;
  }
}

async function compareGroup(
  session: Session,
  expressions: readonly Expression[],
  seen: Seen,
): Promise<Disagreement | null> {
  const { types, rows } = await askClickHouse(session, expressions);
  const evaluator = compileGroup(session.world, session.plan, expressions);
  const disagreements: Disagreement[] = [];
  for (let row = 0; row < ROWS; row++) {
    const values: (Value | undefined)[] = [];
    evaluator(row, values);
    let at = 0;
    expressions.forEach((expression, index) => {
      const expected = values[index] ?? null;
      const type = types[at]!;
      const actual = rows[row]![at++]!;
      const condition = expression.type === 'bool' ? rows[row]![at++] : undefined;
      count(seen, expected);
      const agrees =
        same(expected, actual, isApproximate(expression)) &&
        PROMISED[expression.type]!.test(type) &&
        (condition === undefined || condition === (expected === true));
      if (agrees) return;
      const shown = { expected: String(expected), actual: String(actual), condition, type };
      disagreements.push({ index, row, ...shown, expression });
    });
  }
  return disagreements.sort((a, b) => a.index - b.index)[0] ?? null;
}

async function askClickHouse({ server, plan }: Session, expressions: readonly Expression[]): Promise<Rows> {
  const selected = expressions.flatMap((expression) =>
    expression.type === 'bool' ? [sqlOf(plan, expression), conditionSql(plan, expression)] : [sqlOf(plan, expression)],
  );
  const body = `SELECT ${selected.join(',\n')} FROM ${TABLE} ORDER BY _r FORMAT RowBinaryWithNamesAndTypes`;
  const response = await server.fetch('', { ...ENGINE, body });
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (response.status !== 200) throw new Error(new TextDecoder().decode(bytes).slice(0, 2000));
  return readRows(bytes);
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
  const error = Math.abs(Number(plain) - Number(expected));
  return inexact && (error <= RELATIVE_ERROR_MAX * Math.abs(Number(expected)) || error < SMALLEST_NORMAL);
}

const PROMISED: Readonly<Record<string, RegExp>> = {
  bool: /^(Nullable\()?(Bool|UInt8)\b/,
  int: /^(Nullable\()?U?Int64\b/,
  time: /^(Nullable\()?Int64\b/,
  double: /^(Nullable\()?Float64\b/,
  string: /^(Nullable\()?String\b/,
  bytes: /^(Nullable\()?String\b/,
};
