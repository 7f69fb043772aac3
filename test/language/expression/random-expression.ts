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
import {
  randomDoubleFunction,
  randomIntegerFunction,
  randomTextCondition,
  randomTile,
  type Operands,
} from './random-functions.ts';
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

const APPROXIMATE: ReadonlySet<ExpressionOperator> = new Set(['log', 'exp', 'pow', 'geo_distance']);

/** Whether libraries disagree about the last bits of the value, or of a value within. */
export function isApproximate(expression: Expression): boolean {
  return (
    expression.node === 'call' &&
    (APPROXIMATE.has(expression.operator) || expression.operands.some((operand) => isApproximate(operand)))
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

function randomNumber(world: World, random: Random, type: Number_, depth: number): Expression {
  if (depth === 0 || random() < 0.2) return randomLeaf(world, random, type);
  const side = (): Expression =>
    randomNumber(world, random, type === 'double' && random() < 0.3 ? 'int' : type, depth - 1);
  if (random() < 0.15) return call(type, 'conditional', randomCondition(world, random, depth - 1), side(), side());
  if (random() < 0.1) return call(type, 'neg', randomNumber(world, random, type, depth - 1));
  if (random() < 0.35) {
    const of = operandsOf(world, random, depth);
    return type === 'double' ? randomDoubleFunction(random, of) : randomIntegerFunction(random, of);
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
  if (type === 'string' && depth > 0 && random() < 0.15) return randomTile(random, operandsOf(world, random, depth));
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
  if (choice < 0.5) return call('bool', pick(random, ['eq', 'ne'] as const), below(), below());
  if (choice < 0.6) return call('bool', 'has', randomHas(world, random, depth));
  if (choice < 0.72) return randomMembership(world, random, depth);
  if (choice < 0.82) return compareNumbers(world, random, depth);
  if (choice < 0.91) return randomTextCondition(random, operandsOf(world, random, depth));
  return compareTexts(world, random, depth);
}

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

function compareNumbers(world: World, random: Random, depth: number): Expression {
  const type = (): Number_ => pick(random, ['int', 'double'] as const);
  const left = randomNumber(world, random, type(), depth - 1);
  const right =
    random() < 0.3
      ? integerConstant(integerFor(random, 64, random() < 0.5))
      : randomNumber(world, random, type(), depth - 1);
  return call('bool', pick(random, COMPARISONS), left, right);
}

function compareTexts(world: World, random: Random, depth: number): Expression {
  if (random() < 0.3) {
    const other: Expression =
      random() < 0.7
        ? { node: 'constant', type: 'string', value: pick(random, [...WORDS, 'never']) }
        : columnOf(world, random, 'string', true);
    const sides = [columnOf(world, random, 'string', true), other];
    if (random() < 0.3) sides.reverse();
    return call('bool', pick(random, ['eq', 'ne'] as const), ...sides);
  }
  const type = pick(random, ['string', 'string', 'bytes'] as const);
  return call(
    'bool',
    pick(random, COMPARISONS),
    randomText(world, random, type, depth - 1),
    randomText(world, random, type, depth - 1),
  );
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
