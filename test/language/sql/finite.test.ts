/** Doubles that are no finite numbers are absent, whichever way they came about: in the core and in ClickHouse. */

import { expect, test } from 'vitest';
import type { Expression, ExpressionOperator, ExpressionType } from '../../../native-free-core/plan/plan.ts';
import { conditionSql, sqlOf } from '../../../native-free-core/language/sql/index.ts';
import { createWorld, fillWorld } from '../expression/world.ts';
import { seeded } from '../../random.ts';
import { useEmbeddedServer } from '../../clickhouse-embedded/embedded-server.ts';
import { compileGroup } from './core-values.ts';
import { sqlPlan } from './sql-world.ts';

const server = useEmbeddedServer();

const call = (type: ExpressionType, operator: ExpressionOperator, ...operands: Expression[]): Expression => ({
  node: 'call',
  type,
  operator,
  operands,
});
const double = (value: number): Expression => ({ node: 'constant', type: 'double', value });
const int = (value: number): Expression => ({ node: 'constant', type: 'int', value });
const of = (operator: ExpressionOperator, ...operands: (number | Expression)[]): Expression =>
  call('double', operator, ...operands.map((one) => (typeof one === 'number' ? double(one) : one)));
const asks = (operator: ExpressionOperator, ...operands: (number | Expression)[]): Expression =>
  call('bool', operator, ...operands.map((one) => (typeof one === 'number' ? double(one) : one)));

const MAX = Number.MAX_VALUE;
const infinite = of('div', 1, 0);

/** undefined: absent. */
const CASES: [string, Expression, number | boolean | undefined][] = [
  ['1 / 0.0', of('div', 1, 0), undefined],
  ['1 / -0.0', of('div', 1, -0), undefined],
  ['0.0 / 0.0', of('div', 0, 0), undefined],
  ['0.0 / 5.0', of('div', 0, 5), 0],
  ['ratio(1, 0)', of('ratio', int(1), int(0)), undefined],
  ['ratio(1, 1e-320)', of('ratio', 1, 1e-320), undefined],
  ['1 / 1e-320', of('div', 1, 1e-320), undefined],
  ['MAX + MAX', of('add', MAX, MAX), undefined],
  ['-MAX - MAX', of('sub', -MAX, MAX), undefined],
  ['MAX * 2', of('mul', MAX, 2), undefined],
  ['MAX * 1', of('mul', MAX, 1), MAX],
  ['MAX + MAX - MAX', of('sub', of('add', MAX, MAX), MAX), undefined],
  ['1 / (1 / 0.0) is not 0', of('div', 1, infinite), undefined],
  ['ratio(1, 1 / 0.0) is not 0', of('ratio', 1, infinite), undefined],
  ['sqrt(-1)', of('sqrt', -1), undefined],
  ['sqrt(4)', of('sqrt', 4), 2],
  ['log(0)', of('log', 0), undefined],
  ['log(-1)', of('log', -1), undefined],
  ['exp(1000)', of('exp', 1000), undefined],
  ['exp(-1000)', of('exp', -1000), 0],
  ['exp(-(1 / 0.0)) is not 0', of('exp', of('neg', infinite)), undefined],
  ['pow(10, 400)', of('pow', 10, 400), undefined],
  ['pow(-8, 0.5)', of('pow', -8, 0.5), undefined],
  ['pow(1 / 0.0, 0) is not 1', of('pow', infinite, 0), undefined],
  ['min(1 / 0.0, 5) is not 5', of('min', infinite, 5), undefined],
  ['max(-1 / 0.0, 5) is not 5', of('max', of('neg', infinite), 5), undefined],
  ['floor(1 / 0.0)', of('floor', infinite), undefined],
  ['abs(-1 / 0.0)', of('abs', of('neg', infinite)), undefined],
  ['int(1e300)', call('int', 'to_int', double(1e300)), undefined],
  ['int(1 / 0.0)', call('int', 'to_int', infinite), undefined],
  ['hash(0.0 / 0.0)', call('int', 'hash', of('div', 0, 0)), undefined],
  ['1 / 0.0 > 5', asks('gt', infinite, 5), undefined],
  ['!(1 / 0.0 > 5)', asks('not', asks('gt', infinite, 5)), undefined],
  ['0.0 / 0.0 != 0.0', asks('ne', of('div', 0, 0), 0), undefined],
  ['1 / 0.0 == 1 / 0.0', asks('eq', infinite, infinite), undefined],
  ['has(1 / 0.0)', asks('has', infinite), false],
  ['has(1 / 2.0)', asks('has', of('div', 1, 2)), true],
  ['1 / 0.0 in [1, 2]', asks('in', infinite, 1, 2), undefined],
  ['true || 1 / 0.0 > 5', asks('or', { node: 'constant', type: 'bool', value: true }, asks('gt', infinite, 5)), true],
  ['chosen: 1 / 0.0', of('conditional', asks('lt', 1, 2), infinite, 3), undefined],
  ['not chosen: 1 / 0.0', of('conditional', asks('gt', 1, 2), infinite, 3), 3],
  ['distance to nowhere', of('geo_distance', 0, 0, infinite, 0), undefined],
  ['tile of nowhere', call('bool', 'has', call('string', 'geo_tile', infinite, double(0), int(5))), false],
];

function isTrue(cell: string): boolean {
  return cell === 'true' || cell === '1';
}

test('golden edges of doubles', async () => {
  const world = createWorld();
  fillWorld(world, seeded(1));
  const plan = sqlPlan(world);
  const expressions = CASES.map(([, expression]) => expression);
  const inCore: unknown[] = [];
  compileGroup(world, plan, expressions)(0, inCore as number[]);
  const texts = expressions.map((one) => `toString(${sqlOf(plan, one)})`);
  const conditions = expressions.map((one) => (one.type === 'bool' ? `toString(${conditionSql(plan, one)})` : "''"));
  const answer = await server.run('', {
    asEngine: true,
    body: `SELECT ${[...texts, ...conditions].join(', ')} FORMAT TSV`,
  });
  const cells = answer.replace(/\n$/, '').split('\t');
  CASES.forEach(([name, , expected], i) => {
    expect(inCore[i], `core: ${name}`).toBe(expected);
    const text = cells[i]!;
    const inSql = text === '\\N' ? undefined : typeof expected === 'boolean' ? isTrue(text) : Number(text);
    expect(inSql, `SQL: ${name}`).toBe(expected);
    if (expressions[i]!.type === 'bool') expect(isTrue(cells[CASES.length + i]!), name).toBe(expected === true);
  });
});
