/**
 * Random expressions of the whole language that are well typed over the columns of world.ts. How to use it:
 *
 *     const random = seeded(seed);                       // test/random.ts; print the seed
 *     const world = createWorld();                       // one plan, with zones and lists, and empty columns
 *     const expression = randomExpression(world, random, 'bool', depth);
 *     fillWorld(world, random);                          // new rows: world.columns for the core, world.rows as plain values
 *     evaluate(expression, world.rows[r])                // oracle.ts: null is absent
 *
 * The types are 'bool', 'int', 'double', 'string' and 'bytes'. `isApproximate` tells expressions that hold an operator
 * whose last bits libraries disagree about: compare those within a relative tolerance, and leave out the ones where
 * `isFragile` says that a last bit may have turned a comparison.
 */

import type { Expression, ExpressionOperator, ExpressionType } from '../../../native-free-core/plan/plan.ts';
import { FUNCTIONS } from '../../../native-free-core/language/functions/index.ts';
import { CALLS, type Operands } from './random-calls.ts';
import { doubleFor, integerFor, pick, typeOf, WORDS, type World } from './world.ts';

export type Random = () => number;

type Number_ = 'int' | 'double' | 'time';

export function randomExpression(world: World, random: Random, type: ExpressionType, depth: number): Expression {
  switch (type) {
    case 'bool':
      return randomCondition(world, random, depth);
    case 'int':
    case 'double':
    case 'time':
      return randomNumber(world, random, type === 'time' ? 'int' : type, depth);
    default:
      return randomText(world, random, type, depth);
  }
}

/** A call of one operation, whose operands are expressions of that depth. */
export function randomCall(world: World, random: Random, operator: ExpressionOperator, depth: number): Expression {
  return CALLS[operator](random, operandsOf(world, random, depth + 1), pick(random, ['int', 'double'] as const));
}

/** Whether libraries disagree about the last bits of the value, or of a value within. */
export function isApproximate(expression: Expression): boolean {
  return (
    expression.node === 'call' &&
    (FUNCTIONS[expression.operator].repeats === 'inexact' ||
      expression.operands.some((operand) => isApproximate(operand)))
  );
}

/** Whether anything stands above an approximate operator: there a last bit can change everything. */
export function isFragile(expression: Expression): boolean {
  return expression.node === 'call' && expression.operands.some((operand) => isApproximate(operand));
}

function operandsOf(world: World, random: Random, depth: number): Operands {
  const below = Math.max(0, depth - 1);
  return {
    number: (type) => randomNumber(world, random, type, below),
    text: () => randomText(world, random, 'string', below),
    bytes: () => randomText(world, random, 'bytes', below),
    condition: () => randomCondition(world, random, below),
    column: (type) => columnOf(world, random, type),
    list: () => randomList(world, random),
    compared: (operator) => comparedSides(world, random, operator, below),
    membership: () => randomMembership(world, random, below + 1),
    asked: () => randomHas(world, random, below + 1),
  };
}

function randomList(world: World, random: Random): Expression {
  const list = pick(
    random,
    world.plan.columns.filter((column) => column.shape === 'list'),
  );
  return { node: 'column', type: typeOf(list), column: list.index };
}

function call(type: ExpressionType, operator: ExpressionOperator, ...operands: Expression[]): Expression {
  return { node: 'call', type, operator, operands };
}

function columnOf(world: World, random: Random, type: ExpressionType, dictionary = false): Expression {
  const fitting = world.plan.columns.filter(
    (column) => column.shape === 'scalar' && typeOf(column) === type && (column.kind === 'dictionary') === dictionary,
  );
  return { node: 'column', type, column: pick(random, fitting).index };
}

function integerConstant(value: bigint): Expression {
  const number = Number(value);
  return Number.isSafeInteger(number)
    ? { node: 'constant', type: 'int', value: number }
    : { node: 'constant', type: 'int', value: number, exact: String(value) };
}

/** Constants beyond 2^53 stand in comparisons only. */
function smallInteger(random: Random): Expression {
  return { node: 'constant', type: 'int', value: Math.floor(random() * 20) - 5 };
}

const INTEGER_FUNCTIONS = ['abs', 'min', 'max', 'to_int', 'size', 'hash'] as const;
const TIME_PARTS: readonly ExpressionOperator[] = [
  'year',
  'month',
  'day_of_month',
  'day_of_year',
  'weekday',
  'hour',
  'minute',
  'second',
  'local_day',
];
const DOUBLE_FUNCTIONS: readonly ExpressionOperator[] = [
  'abs',
  'min',
  'max',
  'floor',
  'ceil',
  'sqrt',
  'to_double',
  'log',
  'exp',
  'pow',
  'geo_distance',
];

function randomNumber(world: World, random: Random, type: Number_, depth: number): Expression {
  if (depth === 0 || random() < 0.2) return randomLeaf(world, random, type);
  const side = (): Expression =>
    randomNumber(world, random, type === 'double' && random() < 0.3 ? 'int' : type, depth - 1);
  if (random() < 0.15) return call(type, 'conditional', randomCondition(world, random, depth - 1), side(), side());
  if (random() < 0.1) return call(type, 'neg', randomNumber(world, random, type, depth - 1));
  if (random() < 0.35) {
    const of = operandsOf(world, random, depth);
    return type === 'double'
      ? CALLS[pick(random, DOUBLE_FUNCTIONS)](random, of, 'double')
      : CALLS[pick(random, random() < 0.3 ? TIME_PARTS : INTEGER_FUNCTIONS)](random, of, 'int');
  }
  if (type === 'double' && random() < 0.2) return call('double', 'ratio', side(), side());
  const operators: ExpressionOperator[] = ['add', 'sub', 'mul', 'div'];
  if (type === 'int') return call('int', pick(random, [...operators, 'mod']), side(), side());
  return call('double', pick(random, operators), randomNumber(world, random, 'double', depth - 1), side());
}

function randomLeaf(world: World, random: Random, type: Number_): Expression {
  if (random() < 0.4) {
    if (type === 'int') return smallInteger(random);
    const value = doubleFor(random);
    return { node: 'constant', type: 'double', value: Number.isFinite(value) ? value : 2.5 };
  }
  return columnOf(world, random, type === 'int' && random() < 0.2 ? 'time' : type);
}

function randomText(world: World, random: Random, type: 'string' | 'bytes', depth: number): Expression {
  if (depth > 0 && random() < 0.3) {
    const side = (): Expression => randomText(world, random, type, depth - 1);
    return call(type, 'conditional', randomCondition(world, random, depth - 1), side(), side());
  }
  if (type === 'string' && depth > 0 && random() < 0.15)
    return CALLS.geo_tile(random, operandsOf(world, random, depth), 'double');
  if (type === 'string' && random() < 0.2) return columnOf(world, random, 'string', true);
  if (type === 'string' && random() < 0.4) return { node: 'constant', type, value: pick(random, WORDS) };
  return columnOf(world, random, type);
}

const COMPARISONS: readonly ExpressionOperator[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'];

function randomCondition(world: World, random: Random, depth: number): Expression {
  if (depth === 0)
    return random() < 0.1 ? { node: 'constant', type: 'bool', value: random() < 0.5 } : columnOf(world, random, 'bool');
  const below = (): Expression => randomCondition(world, random, depth - 1);
  const choice = random();
  if (choice < 0.3) return call('bool', pick(random, ['and', 'or'] as const), below(), below());
  if (choice < 0.4) return call('bool', 'not', below());
  if (choice < 0.45) return call('bool', 'conditional', below(), below(), below());
  if (choice < 0.55) return call('bool', 'has', randomHas(world, random, depth));
  if (choice < 0.68) return randomMembership(world, random, depth);
  const operator = pick(random, choice < 0.78 ? TEXT_CONDITIONS : COMPARISONS);
  return CALLS[operator](random, operandsOf(world, random, depth), 'int');
}

const TEXT_CONDITIONS = ['starts_with', 'ends_with', 'contains', 'matches', 'matches', 'in_list'] as const;

function randomHas(world: World, random: Random, depth: number): Expression {
  if (random() < 0.2) return randomList(world, random);
  if (random() < 0.1) return columnOf(world, random, 'string', true);
  return randomExpression(
    world,
    random,
    pick(random, ['bool', 'int', 'double', 'string', 'bytes'] as const),
    depth - 1,
  );
}

function comparedSides(
  world: World,
  random: Random,
  operator: ExpressionOperator,
  depth: number,
): readonly [Expression, Expression] {
  const equality = operator === 'eq' || operator === 'ne';
  const choice = random();
  if (equality && choice < 0.15) return [randomCondition(world, random, depth), randomCondition(world, random, depth)];
  if (choice < 0.55) return numberSides(world, random, depth);
  return equality && choice < 0.7 ? dictionarySides(world, random) : textSides(world, random, depth);
}

function numberSides(world: World, random: Random, depth: number): readonly [Expression, Expression] {
  const side = (): Expression => randomNumber(world, random, pick(random, ['int', 'double'] as const), depth);
  return [side(), random() < 0.3 ? integerConstant(integerFor(random, 64, random() < 0.5)) : side()];
}

function dictionarySides(world: World, random: Random): readonly [Expression, Expression] {
  const column = (): Expression => columnOf(world, random, 'string', true);
  const constant: Expression = { node: 'constant', type: 'string', value: pick(random, [...WORDS, 'never']) };
  const other = random() < 0.7 ? constant : column();
  return random() < 0.3 ? [other, column()] : [column(), other];
}

function textSides(world: World, random: Random, depth: number): readonly [Expression, Expression] {
  const type = pick(random, ['string', 'string', 'bytes'] as const);
  return [randomText(world, random, type, depth), randomText(world, random, type, depth)];
}

function randomMembership(world: World, random: Random, depth: number): Expression {
  if (random() < 0.5) return randomListMembership(world, random, depth);
  const count = 1 + Math.floor(random() * 4);
  const texts = (): Expression[] =>
    Array.from({ length: count }, () => ({ node: 'constant', type: 'string', value: pick(random, WORDS) }));
  const choice = random();
  if (choice < 0.3) return call('bool', 'in', columnOf(world, random, 'string', true), ...texts());
  if (choice < 0.5) return call('bool', 'in', randomText(world, random, 'string', depth - 1), ...texts());
  const numbers = Array.from({ length: count }, () => integerConstant(integerFor(random, 64, random() < 0.5)));
  return call('bool', 'in', randomNumber(world, random, 'int', depth - 1), ...numbers);
}

function randomListMembership(world: World, random: Random, depth: number): Expression {
  const list = pick(
    random,
    world.plan.columns.filter((column) => column.shape === 'list'),
  );
  const type = typeOf(list);
  const column: Expression = { node: 'column', type, column: list.index };
  if (type === 'string') return call('bool', 'in', randomText(world, random, 'string', depth - 1), column);
  const value =
    random() < 0.5
      ? integerConstant(integerFor(random, 64, random() < 0.5))
      : randomNumber(world, random, type as Number_, depth - 1);
  return call('bool', 'in', value, column);
}
