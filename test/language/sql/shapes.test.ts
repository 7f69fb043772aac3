/** What random expressions seldom or never hit: literals, memberships of doubles, nesting as deep as one likes. */

import { expect, test } from 'vitest';
import type {
  ColumnKind,
  Expression,
  ExpressionOperator,
  ExpressionType,
} from '../../../native-free-core/plan/plan.ts';
import { conditionSql, isNullable, sqlOf } from '../../../native-free-core/language/sql/index.ts';
import { doubleLiteral, textLiteral } from '../../../native-free-core/language/sql/sql-literal.ts';
import { typeOf } from '../expression/world.ts';
import { seeded } from '../../random.ts';
import { useEmbeddedServer } from '../../clickhouse-embedded/embedded-server.ts';
import { compareOverNewRows, nothingSeen, openSession, type Session } from './agreement.ts';

const SEED = Number(process.env['HUNT_SEED'] ?? 20261125);
const DEPTHS = [10, 20, 40];
const ENGINE = { asEngine: true, url: { max_query_size: '10000000' } };

const server = useEmbeddedServer();

const call = (type: ExpressionType, operator: ExpressionOperator, ...operands: Expression[]): Expression => ({
  node: 'call',
  type,
  operator,
  operands,
});
const int = (value: number): Expression => ({ node: 'constant', type: 'int', value });
const double = (value: number): Expression => ({ node: 'constant', type: 'double', value });
const wide = (exact: string): Expression => ({ node: 'constant', type: 'int', value: Number(exact), exact });

function columnOf({ plan }: Session, kind: ColumnKind, nullable: boolean, shape = 'scalar'): Expression {
  const column = plan.columns.find((one) => one.kind === kind && one.nullable === nullable && one.shape === shape)!;
  return { node: 'column', type: typeOf(column), column: column.index };
}

/** ClickHouse rewrites these as IN and NOT IN. */
function chain(logic: 'and' | 'or', operator: 'eq' | 'ne', value: Expression): Expression {
  const tests = [double(-0), double(0), int(0), double(1), int(3), double(7)].map((one) =>
    call('bool', operator, value, one),
  );
  return tests.reduce((a, b) => call('bool', logic, a, b));
}

test(`memberships and functions by hand agree in ClickHouse and in the core, seed=${SEED}`, async () => {
  const session = await openSession(server);
  const column = (kind: ColumnKind, nullable = true): Expression => columnOf(session, kind, nullable);
  const flags = [column('u8'), column('u8', false)];
  const sum = call('double', 'add', column('f64'), call('double', 'mul', column('f32'), column('f64', false)));
  const expressions: Expression[] = [
    call('bool', 'in', column('f64'), double(0), double(-2.5), int(3)),
    call('bool', 'in', column('f64', false), int(7), double(0.1)),
    call('bool', 'in', sum, double(1), int(0), double(7), double(1e300)),
    call('bool', 'in', column('i64'), double(0.5), int(3)),
    call('bool', 'in', column('i64'), wide('-9223372036854775808'), int(-1)),
    call('bool', 'in', column('u64', false), wide('18446744073709551615'), int(-1), int(5)),
    call('bool', 'in', column('code', false), int(1), int(3)),
    call('bool', 'in', column('enum'), int(1), int(255), int(-128), int(77)),
    call('bool', 'ne', column('enum'), int(-1)),
    call('bool', 'eq', column('enum'), column('enum', false)),
    call('bool', 'lt', column('enum'), int(3)),
    call('int', 'mul', column('enum'), column('code', false)),
    ...['eq', 'ne'].map((operator) => chain(operator === 'eq' ? 'or' : 'and', operator as 'eq' | 'ne', column('f64'))),
    ...flags.flatMap((flag) => [call('bool', 'eq', flag, flags[0]!), call('int', 'hash', flag)]),
    call('double', 'min', column('f64'), column('f32'), column('i32')),
    call('double', 'max', column('f64', false), sum, column('u64')),
    call('int', 'max', column('i64'), column('u64'), column('i32', false)),
    call('int', 'to_int', call('double', 'mul', column('f64'), double(2 ** 40))),
    call('double', 'ratio', column('u64'), column('i64')),
    call('double', 'neg', column('f64')),
    call('double', 'div', double(1), call('double', 'neg', column('f64', false))),
    call('int', 'conditional', call('bool', 'eq', column('code', false), int(2)), int(1), int(2)),
    call('int', 'size', columnOf(session, 'string', false, 'list')),
    call('bool', 'has', columnOf(session, 'u64', false, 'list')),
  ];
  const random = seeded(SEED);
  const seen = nothingSeen();
  for (let round = 0; round < 10; round++) {
    await compareOverNewRows(session, expressions, random, seen, `seed=${SEED} round=${round}`);
  }
});

test(`distances, tiles, logarithms and powers of everyday numbers agree, seed=${SEED}`, async () => {
  const session = await openSession(server);
  const random = seeded(SEED);
  const expressions: Expression[] = [];
  for (let i = 0; i < 300; i++) {
    const [latitude, longitude] = [random() * 180 - 90, random() * 360 - 180];
    // From a stone's throw to the other side of the globe; at its far end, the last bits of the distance mean nothing.
    const reach = 10 ** (random() * 6 - 6) * 60;
    const there = [latitude + (random() - 0.5) * reach, longitude + (random() - 0.5) * reach].map(double);
    const here = [latitude, longitude].map(double);
    const tile = call('string', 'geo_tile', ...here, int(1 + (i % 12)));
    const base = double(random() * 10 ** (random() * 20 - 10));
    expressions.push(call('double', 'geo_distance', ...here, ...there), tile, call('int', 'hash', tile));
    expressions.push(call('double', 'log', base), call('double', 'exp', double(random() * 200 - 100)));
    expressions.push(call('double', 'pow', base, double(random() * 20 - 10)), call('double', 'sqrt', base));
  }
  await compareOverNewRows(session, expressions, random, nothingSeen(), `seed=${SEED}`);
});

/** Each level needs the one below it more than once. */
function nested(session: Session, depth: number): Expression {
  const flag = columnOf(session, 'u8', true);
  let value = call('int', 'mul', columnOf(session, 'i64', true), columnOf(session, 'i64', false));
  for (let i = 0; i < depth; i++) {
    const grown = call('int', 'add', call('int', 'max', value, int(i), columnOf(session, 'u32', true)), int(1));
    const asked = call('bool', 'and', flag, call('bool', 'gt', grown, int(10 * i)));
    value = call('int', 'conditional', asked, int(i), columnOf(session, 'i32', true));
  }
  return value;
}

test('SQL grows with the expression and not faster, however deep it is nested', async () => {
  const session = await openSession(server);
  const lengths = DEPTHS.map((depth) => sqlOf(session.plan, nested(session, depth)).length);
  const perLevel = lengths.map((length, i) => length / DEPTHS[i]!);
  expect(Math.max(...perLevel)).toBeLessThan(Math.min(...perLevel) * 1.3);
  const deepest = nested(session, DEPTHS.at(-1)!);
  await compareOverNewRows(session, [deepest], seeded(SEED), nothingSeen(), `depth=${DEPTHS.at(-1)}`);
});

test(`literals come back as they were written, seed=${SEED}`, async () => {
  const random = seeded(SEED);
  const words = new Uint32Array(2);
  const doubles = Array.from({ length: 3000 }, () => {
    words.set([random() * 2 ** 32, random() * 2 ** 32]);
    return new Float64Array(words.buffer)[0]!;
  });
  doubles.push(0, -0, 1, -1, 0.1, 5e-324, -5e-324, 1.7976931348623157e308, 1e21, 123456789012345680000, 2 ** 53, NaN);
  doubles.push(Infinity, -Infinity);
  const selected = doubles.map((value) => `reinterpretAsUInt64(${doubleLiteral(value)})`);
  const answer = await server.run('', { ...ENGINE, body: `SELECT [${selected.join(', ')}] FORMAT TSV` });
  const bits = new BigUint64Array(Float64Array.from(doubles).buffer);
  const returned = answer.trim().slice(1, -1).split(',').map(BigInt);
  doubles.forEach((value, i) => {
    if (!Number.isNaN(value)) expect(returned[i], `literal=${doubleLiteral(value)}`).toBe(bits[i]);
  });
  const texts = ["it's", '\\', '\\n', 'a\nb\tc\rd', '\0', '猫\u{1f600}', '`"$;--', 'a\ud800b', '%s {x:String}'];
  const hexes = await server.run('', {
    ...ENGINE,
    body: `SELECT [${texts.map((t) => `hex(${textLiteral(t)})`).join(', ')}] FORMAT TSV`,
  });
  const expected = texts.map((one) => Buffer.from(new TextEncoder().encode(one)).toString('hex').toUpperCase());
  expect(hexes.trim()).toBe(`[${expected.map((hex) => `'${hex}'`).join(',')}]`);
});

test('SQL says NULL only where a value may be absent, and names columns as it is told', async () => {
  const session = await openSession(server);
  const [always, perhaps] = [columnOf(session, 'u32', false), columnOf(session, 'u32', true)];
  const more = (column: Expression): Expression => call('bool', 'gt', column, int(5));
  expect(isNullable(session.plan, more(always))).toBe(false);
  expect(isNullable(session.plan, more(perhaps))).toBe(true);
  expect(conditionSql(session.plan, more(always), (index) => `e.c${index}`)).toBe('(e.c2 > 5)');
  expect(conditionSql(session.plan, more(perhaps), (index) => `e.c${index}`)).toBe('ifNull((e.c3 > 5), false)');
});
