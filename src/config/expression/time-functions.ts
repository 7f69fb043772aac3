/** Times in expressions: duration('5m'), timestamp('2024-…Z'), event.time.getHours('Europe/Berlin'). */

import { lookup } from '../../../native-free-core/base/lookup.ts';
import type { Expression, ExpressionOperator } from '../../../native-free-core/plan/plan.ts';
import { zonePlan, zoneProblem } from '../zones.ts';
import type { Checking } from './checking.ts';
import type { ASTNode } from './syntax.ts';
import { call, kindText, type Typed } from './typed.ts';

/** Operator and what to take off: CEL counts months and days of the year from 0, the plan from 1. */
const PARTS: Readonly<Record<string, { readonly operator: ExpressionOperator; readonly less: number }>> = {
  getFullYear: { operator: 'year', less: 0 },
  getMonth: { operator: 'month', less: 1 },
  getDate: { operator: 'day_of_month', less: 0 },
  getDayOfMonth: { operator: 'day_of_month', less: 1 },
  getDayOfYear: { operator: 'day_of_year', less: 1 },
  getDayOfWeek: { operator: 'weekday', less: 0 },
  getHours: { operator: 'hour', less: 0 },
  getMinutes: { operator: 'minute', less: 0 },
  getSeconds: { operator: 'second', less: 0 },
};

export const TIME_METHODS: readonly string[] = Object.keys(PARTS);

/** `operands`: the time, and perhaps a zone. */
export function checkTimePart(c: Checking, node: ASTNode, name: string, operands: readonly ASTNode[]): Typed | null {
  const [time, zone] = operands;
  if (time === undefined || operands.length > 2)
    return c.refuse(node, `${name} takes a zone or nothing: event.time.${name}('Europe/Berlin')`);
  const of = c.any(time);
  const zoneName = zone === undefined ? 'UTC' : checkZone(c, zone);
  if (of === null || zoneName === null) return null;
  if (of.expression.type !== 'time' || of.list === true)
    return c.refuse(time, `${name} is for times, this is ${kindText(of)}`);
  const { operator, less } = lookup(PARTS, name)!;
  const part = call('int', operator, [of.expression, text(zoneName)]);
  return { expression: less === 0 ? part : call('int', 'sub', [part, { node: 'constant', type: 'int', value: less }]) };
}

function text(value: string): Expression {
  return { node: 'constant', type: 'string', value };
}

function checkZone(c: Checking, node: ASTNode): string | null {
  if (node.op !== 'value' || typeof node.args !== 'string')
    return c.refuse(node, `a time zone is a name in quotes: 'Europe/Berlin'`);
  const problem = zoneProblem(node.args);
  if (problem !== null) return c.refuse(node, problem.message, problem.suggestion);
  if (node.args !== 'UTC') c.scope.zones.set(node.args, zonePlan(node.args));
  return node.args;
}

const UNITS_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** An integer of milliseconds. As CEL writes it (1h30m), with days too. */
export function checkDuration(c: Checking, node: ASTNode, operands: readonly ASTNode[]): Typed | null {
  const [operand] = operands;
  if (operand?.op !== 'value' || typeof operand.args !== 'string' || operands.length !== 1)
    return c.refuse(node, `duration takes a text: duration('5m')`);
  const written = operand.args;
  const negative = written.startsWith('-');
  const body = negative ? written.slice(1) : written;
  const wrong = (): null => c.refuse(operand, `no duration: write '90s', '5m', '1h30m' or '30d', whole milliseconds`);
  if (!/^(\d{1,12}(\.\d{1,9})?(ms|d|h|m|s))+$/.test(body)) return wrong();
  let sum = 0;
  for (const [, digits, , unit] of body.matchAll(/(\d+(\.\d+)?)(ms|d|h|m|s)/g))
    sum += Number(digits) * lookup(UNITS_MS, unit!)!;
  if (!Number.isSafeInteger(sum)) return wrong();
  return { expression: { node: 'constant', type: 'int', value: negative && sum !== 0 ? -sum : sum } };
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:\d\d)$/;

export function checkTimestamp(c: Checking, node: ASTNode, operands: readonly ASTNode[]): Typed | null {
  const [operand] = operands;
  if (operand?.op !== 'value' || typeof operand.args !== 'string' || operands.length !== 1)
    return c.refuse(node, `timestamp takes a text: timestamp('2024-12-31T00:00:00Z')`);
  const value = RFC_3339.test(operand.args) ? dateOf(operand.args) : NaN;
  if (Number.isNaN(value))
    return c.refuse(operand, `no time: write it as 2024-12-31T23:59:59Z, with Z or an offset such as +01:00`);
  return { expression: { node: 'constant', type: 'time', value } };
}

/** Date.parse takes February 30th for March 1st. */
function dateOf(written: string): number {
  const days = new Date(`${written.slice(0, 10)}T00:00:00Z`);
  const exists = !Number.isNaN(days.getTime()) && days.toISOString().slice(0, 10) === written.slice(0, 10);
  return exists ? Date.parse(written) : NaN;
}
