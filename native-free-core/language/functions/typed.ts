/** An expression with what is known about its value beyond its type: whose names it takes, how it may be compared. */

import type { Expression, ExpressionOperator, ExpressionType } from '../../plan/plan.ts';

/** The closed set of names that an enum or the event type takes. */
export interface LabelSet {
  /** What it is, for messages; the same name means the same set. */
  readonly name: string;
  readonly codes: ReadonlyMap<string, number>;
}

export interface Typed {
  readonly expression: Expression;
  /** Set where the value is a code of this set: it compares with names only. */
  readonly labels?: LabelSet;
  /** A dictionary column: compared by id, with constants and other dictionary columns. */
  readonly dictionary?: boolean;
  /** A repeated field: stands on the right of `in`, and in has(). */
  readonly list?: boolean;
}

export function isNumber(typed: Typed): boolean {
  const { type } = typed.expression;
  return typed.labels === undefined && (type === 'int' || type === 'double' || type === 'time');
}

/** An integer literal that no double holds. */
export function isWideLiteral(typed: Typed): boolean {
  return typed.expression.node === 'constant' && typed.expression.exact !== undefined;
}

export function kindText(typed: Typed): string {
  if (typed.list === true) return 'a list';
  if (typed.labels !== undefined) return `one of the names of ${typed.labels.name}`;
  return expressionTypeText(typed.expression.type);
}

export function expressionTypeText(type: ExpressionType): string {
  return {
    bool: 'true or false',
    int: 'an integer',
    double: 'a number',
    string: 'a string',
    bytes: 'bytes',
    time: 'a time',
  }[type];
}

export function call(type: ExpressionType, operator: ExpressionOperator, operands: readonly Expression[]): Expression {
  return { node: 'call', type, operator, operands };
}
