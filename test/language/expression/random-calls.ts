/**
 * A random call of each operation, well typed over the columns of world.ts. An operation without one does not compile, so
 * the tests that go through all of them leave none out. Used by random-expression.ts.
 */

import type { Expression, ExpressionOperator, ExpressionType } from '../../../native-free-core/plan/plan.ts';
import { randomPattern } from './random-pattern.ts';
import type { Random } from './random-expression.ts';
import { LIST_INTEGERS, LIST_WORDS, pick, randomTime, WORDS, ZONES } from './world.ts';

/** How random-expression.ts makes operands. */
export interface Operands {
  number(type: 'int' | 'double'): Expression;
  /** A string, of a dictionary column too. */
  text(): Expression;
  bytes(): Expression;
  condition(): Expression;
  column(type: ExpressionType): Expression;
  list(): Expression;
  /** Two values that can be compared. */
  compared(operator: ExpressionOperator): readonly [Expression, Expression];
  /** Of a value among constants, or in a list. */
  membership(): Expression;
  /** What has() is asked of. */
  asked(): Expression;
}

/** `type`: of the operands, where the operation takes integers and doubles alike. */
type RandomCall = (random: Random, of: Operands, type: 'int' | 'double') => Expression;

export const CALLS: Readonly<Record<ExpressionOperator, RandomCall>> = {
  neg: (_, of, type) => call(type, 'neg', of.number(type)),
  not: (_, of) => call('bool', 'not', of.condition()),
  add: arithmetic('add'),
  sub: arithmetic('sub'),
  mul: arithmetic('mul'),
  div: arithmetic('div'),
  mod: (_, of) => call('int', 'mod', of.number('int'), of.number('int')),
  ratio: (random, of) => call('double', 'ratio', either(random, of), either(random, of)),
  eq: compared('eq'),
  ne: compared('ne'),
  lt: compared('lt'),
  le: compared('le'),
  gt: compared('gt'),
  ge: compared('ge'),
  and: (_, of) => call('bool', 'and', of.condition(), of.condition()),
  or: (_, of) => call('bool', 'or', of.condition(), of.condition()),
  conditional: (random, of, type) => randomChoice(random, of, type),
  in: (_, of) => of.membership(),
  in_list: (random, of) =>
    random() < 0.5
      ? call('bool', 'in_list', of.text(), text(LIST_WORDS))
      : call('bool', 'in_list', random() < 0.5 ? of.column('int') : of.number('int'), text(LIST_INTEGERS)),
  has: (_, of) => call('bool', 'has', of.asked()),
  abs: (_, of, type) => call(type, 'abs', of.number(type)),
  min: extreme('min'),
  max: extreme('max'),
  floor: ofEither('floor'),
  ceil: ofEither('ceil'),
  sqrt: ofEither('sqrt'),
  log: ofEither('log'),
  exp: ofEither('exp'),
  pow: (random, of) => call('double', 'pow', either(random, of), either(random, of)),
  to_int: (random, of) => call('int', 'to_int', of.number(pick(random, ['int', 'double', 'double'] as const))),
  to_double: (_, of) => call('double', 'to_double', of.number('int')),
  size: (random, of) => call('int', 'size', pick(random, [of.text, of.text, of.bytes, of.list])()),
  starts_with: textPair('starts_with'),
  ends_with: textPair('ends_with'),
  contains: (random, of) => call('bool', 'contains', of.text(), text(pick(random, WORDS))),
  matches: (random, of) => call('bool', 'matches', of.text(), text(randomPattern(random))),
  hash: (random, of) => call('int', 'hash', randomHashed(random, of)),
  geo_tile: (random, of) => {
    const precision: Expression = { node: 'constant', type: 'int', value: 1 + Math.floor(random() * 12) };
    return call('string', 'geo_tile', degrees(random, of, 90), degrees(random, of, 180), precision);
  },
  geo_distance: (random, of) =>
    call('double', 'geo_distance', ...[90, 180, 90, 180].map((limit) => degrees(random, of, limit))),
  year: timePart('year'),
  month: timePart('month'),
  day_of_month: timePart('day_of_month'),
  day_of_year: timePart('day_of_year'),
  weekday: timePart('weekday'),
  hour: timePart('hour'),
  minute: timePart('minute'),
  second: timePart('second'),
  local_day: timePart('local_day'),
};

function call(type: ExpressionType, operator: ExpressionOperator, ...operands: readonly Expression[]): Expression {
  return { node: 'call', type, operator, operands };
}

function text(value: string): Expression {
  return { node: 'constant', type: 'string', value };
}

function either(random: Random, of: Operands): Expression {
  return of.number(random() < 0.25 ? 'int' : 'double');
}

/** Of doubles one may be an integer. */
function arithmetic(operator: ExpressionOperator): RandomCall {
  return (random, of, type) =>
    call(type, operator, of.number(type), type === 'int' ? of.number('int') : either(random, of));
}

function compared(operator: ExpressionOperator): RandomCall {
  return (_, of) => call('bool', operator, ...of.compared(operator));
}

function ofEither(operator: ExpressionOperator): RandomCall {
  return (random, of) => call('double', operator, either(random, of));
}

function textPair(operator: ExpressionOperator): RandomCall {
  return (random, of) => {
    const part = random() < 0.6 ? text(pick(random, [...WORDS, 's', 'u3', 'bc'])) : of.text();
    return call('bool', operator, of.text(), part);
  };
}

function extreme(operator: 'min' | 'max'): RandomCall {
  return (random, of, type) => {
    const count = 2 + Math.floor(random() * 3);
    const operands = Array.from({ length: count }, (_, i) =>
      of.number(type === 'int' || (i > 0 && random() < 0.3) ? 'int' : 'double'),
    );
    if (random() < 0.5) operands.reverse();
    return call(type, operator, ...operands);
  };
}

function randomChoice(random: Random, of: Operands, type: 'int' | 'double'): Expression {
  const side = pick(random, [() => of.number(type), of.text, of.bytes, of.condition]);
  const [a, b] = [side(), side()];
  return call(a.type === 'time' ? 'int' : a.type, 'conditional', of.condition(), a, b);
}

function randomHashed(random: Random, of: Operands): Expression {
  const choice = random();
  if (choice < 0.3) return of.text();
  if (choice < 0.4) return of.bytes();
  if (choice < 0.5) return of.condition();
  return choice < 0.7
    ? of.column(pick(random, ['int', 'double', 'time'] as const))
    : of.number(pick(random, ['int', 'double'] as const));
}

function timePart(operator: ExpressionOperator): RandomCall {
  return (random, of) => {
    const leaf = (): Expression =>
      random() < 0.2 ? { node: 'constant', type: 'time', value: Number(randomTime(random)) } : of.column('time');
    const time = random() < 0.2 ? call('time', 'conditional', of.condition(), leaf(), leaf()) : leaf();
    return call('int', operator, time, text(pick(random, ZONES)));
  };
}

function degrees(random: Random, of: Operands, limit: number): Expression {
  return random() < 0.6 ? { node: 'constant', type: 'double', value: (random() * 2 - 1) * limit } : of.number('double');
}
