/** Random calls of the language's functions, well typed over the columns of world.ts. Used by random-expression.ts. */

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
}

function call(type: ExpressionType, operator: ExpressionOperator, ...operands: Expression[]): Expression {
  return { node: 'call', type, operator, operands };
}

function text(value: string): Expression {
  return { node: 'constant', type: 'string', value };
}

const PARTS: readonly ExpressionOperator[] = [
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

export function randomIntegerFunction(random: Random, of: Operands): Expression {
  const choice = random();
  if (choice < 0.15) return call('int', 'abs', of.number('int'));
  if (choice < 0.3) return extreme(random, of, 'int');
  if (choice < 0.45) return call('int', 'to_int', of.number(pick(random, ['int', 'double', 'double'] as const)));
  if (choice < 0.6) return call('int', 'size', pick(random, [of.text, of.text, of.bytes, of.list])());
  if (choice < 0.75) return call('int', 'hash', randomHashed(random, of));
  return call('int', pick(random, PARTS), randomTimeExpression(random, of), text(pick(random, ZONES)));
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

function randomTimeExpression(random: Random, of: Operands): Expression {
  const leaf = (): Expression =>
    random() < 0.2 ? { node: 'constant', type: 'time', value: Number(randomTime(random)) } : of.column('time');
  return random() < 0.2 ? call('time', 'conditional', of.condition(), leaf(), leaf()) : leaf();
}

function extreme(random: Random, of: Operands, type: 'int' | 'double'): Expression {
  const count = 2 + Math.floor(random() * 3);
  const operands = Array.from({ length: count }, (_, i) =>
    of.number(type === 'int' || (i > 0 && random() < 0.3) ? 'int' : 'double'),
  );
  if (random() < 0.5) operands.reverse();
  return call(type, pick(random, ['min', 'max'] as const), ...operands);
}

export function randomDoubleFunction(random: Random, of: Operands): Expression {
  const either = (): Expression => of.number(random() < 0.2 ? 'int' : 'double');
  const choice = random();
  if (choice < 0.1) return call('double', 'abs', of.number('double'));
  if (choice < 0.25) return extreme(random, of, 'double');
  if (choice < 0.85) {
    const operator = pick(random, ['floor', 'ceil', 'sqrt', 'to_double', 'log', 'exp'] as const);
    return call('double', operator, operator === 'to_double' ? of.number('int') : either());
  }
  if (choice < 0.92) return call('double', 'pow', either(), either());
  return call('double', 'geo_distance', either(), either(), either(), either());
}

export function randomTile(random: Random, of: Operands): Expression {
  const precision: Expression = { node: 'constant', type: 'int', value: 1 + Math.floor(random() * 12) };
  const degrees = (limit: number): Expression =>
    random() < 0.6 ? { node: 'constant', type: 'double', value: (random() * 2 - 1) * limit } : of.number('double');
  return call('string', 'geo_tile', degrees(90), degrees(180), precision);
}

export function randomTextCondition(random: Random, of: Operands): Expression {
  const choice = random();
  if (choice < 0.4) {
    const part = random() < 0.6 ? text(pick(random, [...WORDS, 's', 'u3', 'bc'])) : of.text();
    return call('bool', pick(random, ['starts_with', 'ends_with'] as const), of.text(), part);
  }
  if (choice < 0.55) return call('bool', 'contains', of.text(), text(pick(random, WORDS)));
  if (choice < 0.85) return call('bool', 'matches', of.text(), text(randomPattern(random)));
  return random() < 0.5
    ? call('bool', 'in_list', of.text(), text(LIST_WORDS))
    : call('bool', 'in_list', random() < 0.5 ? of.column('int') : of.number('int'), text(LIST_INTEGERS));
}
