/**
 * Expressions as the pipeline file would write them, by the names of their columns: so that each part of a rule can be shown
 * with its value. Names that the compiler replaced (`derived` constants, labels) come back as what they stand for.
 */

import {
  columnAt,
  type ColumnPlan,
  type Expression,
  type ExpressionOperator,
  type Plan,
} from '../../native-free-core/plan/plan.ts';
import type { Names } from './names.ts';

type Call = Extract<Expression, { node: 'call' }>;
type Constant = Extract<Expression, { node: 'constant' }>;

export type ExpressionText = (expression: Expression) => string;

/** Binding strength, weakest first. */
const CHOICE = 1;
const OR = 2;
const AND = 3;
const RELATION = 4;
const SUM = 5;
const PRODUCT = 6;
const UNARY = 7;
const PRIMARY = 8;

const UTC = 'UTC';

const INFIX: Readonly<Partial<Record<ExpressionOperator, readonly [string, number]>>> = {
  or: ['||', OR],
  and: ['&&', AND],
  eq: ['==', RELATION],
  ne: ['!=', RELATION],
  lt: ['<', RELATION],
  le: ['<=', RELATION],
  gt: ['>', RELATION],
  ge: ['>=', RELATION],
  add: ['+', SUM],
  sub: ['-', SUM],
  mul: ['*', PRODUCT],
  div: ['/', PRODUCT],
  mod: ['%', PRODUCT],
};
const FUNCTIONS: Readonly<Partial<Record<ExpressionOperator, string>>> = {
  geo_tile: 'geo.tile',
  geo_distance: 'geo.distance',
  to_int: 'int',
  to_double: 'double',
};
/** Written behind what they are of. */
const METHODS: Readonly<Partial<Record<ExpressionOperator, string>>> = {
  starts_with: 'startsWith',
  ends_with: 'endsWith',
  contains: 'contains',
  matches: 'matches',
  year: 'getFullYear',
  day_of_month: 'getDate',
  weekday: 'getDayOfWeek',
  hour: 'getHours',
  minute: 'getMinutes',
  second: 'getSeconds',
};
/** CEL counts these from 0, the plan from 1: the compiler wrote `part - 1`. */
const FROM_ZERO: Readonly<Partial<Record<ExpressionOperator, string>>> = {
  month: 'getMonth',
  day_of_month: 'getDayOfMonth',
  day_of_year: 'getDayOfYear',
};

export function expressionTexts(plan: Plan, names: Names): ExpressionText {
  const known = new Map<Expression, readonly [string, number]>();
  const columnText = (index: number): readonly [string, number] => {
    const name = names.columns.get(index);
    if (name !== undefined) return [name, PRIMARY];
    // What the compiler stored for itself reads as what it stored.
    const made = plan.computed?.find(({ column }) => column === index);
    return made === undefined ? [columnAt(plan, index).name, PRIMARY] : write(made.expression);
  };
  const write = (expression: Expression): readonly [string, number] => {
    let text = known.get(expression);
    if (text !== undefined) return text;
    if (expression.node === 'constant') text = [constantText(expression), PRIMARY];
    else if (expression.node === 'column') text = columnText(expression.column);
    else text = callText(plan, expression, (part, least) => bound(write(part), least));
    known.set(expression, text);
    return text;
  };
  return (expression) => write(expression)[0];
}

function bound([text, strength]: readonly [string, number], least: number): string {
  return strength < least ? `(${text})` : text;
}

type Write = (expression: Expression, least: number) => string;

function callText(plan: Plan, call: Call, write: Write): readonly [string, number] {
  const { operator } = call;
  const operands = withLabels(plan, call);
  const [a, b, c] = operands as readonly [Expression, Expression, Expression];
  switch (operator) {
    case 'neg':
      return [`-${write(a, UNARY)}`, UNARY];
    case 'not':
      return [`!${write(a, UNARY)}`, UNARY];
    case 'conditional':
      return [`${write(a, OR)} ? ${write(b, OR)} : ${write(c, CHOICE)}`, CHOICE];
    case 'in':
      return [
        `${write(a, SUM)} in ${b.node === 'constant' ? `[${list(operands.slice(1), write)}]` : write(b, SUM)}`,
        RELATION,
      ];
    case 'in_list':
      return [`${write(a, SUM)} in list.${String((b as Constant).value)}`, RELATION];
    default:
      return infixText(operator, a, b, write) ?? [functionText(operator, operands, write), PRIMARY];
  }
}

function list(parts: readonly Expression[], write: Write): string {
  return parts.map((part) => write(part, CHOICE)).join(', ');
}

function infixText(
  operator: ExpressionOperator,
  a: Expression,
  b: Expression,
  write: Write,
): readonly [string, number] | null {
  const part = a.node === 'call' && operator === 'sub' && isOne(b) ? FROM_ZERO[a.operator] : undefined;
  if (part !== undefined) return [methodText(part, (a as Call).operands, write), PRIMARY];
  const infix = INFIX[operator];
  if (infix === undefined) return null;
  const [sign, strength] = infix;
  return [`${write(a, strength)} ${sign} ${write(b, strength + 1)}`, strength];
}

function isOne(expression: Expression): boolean {
  return expression.node === 'constant' && expression.value === 1;
}

function functionText(operator: ExpressionOperator, operands: readonly Expression[], write: Write): string {
  const method = METHODS[operator];
  if (method !== undefined) return methodText(method, operands, write);
  return `${FUNCTIONS[operator] ?? operator}(${list(operands, write)})`;
}

/** UTC is what a part of a time is in when no zone is named. */
function methodText(name: string, [receiver, ...operands]: readonly Expression[], write: Write): string {
  const given = name.startsWith('get')
    ? operands.filter((zone) => zone.node !== 'constant' || zone.value !== UTC)
    : operands;
  return `${write(receiver!, PRIMARY)}.${name}(${list(given, write)})`;
}

/** Codes of event types, arms and enums as their names, where the other side of a comparison says which. */
function withLabels(plan: Plan, { operator, operands }: Call): readonly Expression[] {
  if (operator !== 'in' && INFIX[operator]?.[1] !== RELATION) return operands;
  const labelled = operands.flatMap((one) => (one.node === 'column' ? [columnAt(plan, one.column)] : []));
  const column = labelled.find(({ kind }) => kind === 'code' || kind === 'enum');
  if (column === undefined) return operands;
  return operands.map((one): Expression => {
    const label = one.node === 'constant' && one.type === 'int' ? labelOf(column, Number(one.value)) : undefined;
    return label === undefined ? one : { node: 'constant', type: 'string', value: label };
  });
}

function labelOf(column: ColumnPlan, code: number): string | undefined {
  if (column.kind === 'code') return column.labels![code];
  return column.enumNames?.find(([number]) => number === code)?.[1];
}

function constantText({ type, value, exact }: Constant): string {
  if (type === 'time') return `timestamp('${new Date(Number(value)).toISOString()}')`;
  if (typeof value === 'string') return `'${value.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n')}'`;
  if (type === 'double') return doubleText(Number(value));
  return exact ?? String(value);
}

function doubleText(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
