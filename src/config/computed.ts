/**
 * Computed columns (`Plan.computed`): derived values, local days of calendar windows, what SQL cannot repeat to the last bit
 * where keys, inputs and conditions of features read it (docs/semantics.md §7), and what rules and models read of lists.
 */

import { createHash } from 'node:crypto';
import { FUNCTIONS } from '../../native-free-core/language/functions/index.ts';
import type { ComputedPlan, Expression } from '../../native-free-core/plan/plan.ts';
import type { Compilation } from './compilation.ts';
import type { Path } from './source.ts';
import { zonePlan, zoneProblem } from './zones.ts';

const UTC = 'UTC';
const HASH_DIGITS = 8;

/** Whether ClickHouse may say something else than the core. */
export function isInexact(expression: Expression): boolean {
  if (expression.node !== 'call') return false;
  const [, zone] = expression.operands;
  const { repeats } = FUNCTIONS[expression.operator];
  switch (repeats) {
    case 'exact':
      return false;
    case 'inexact':
    case 'list':
      return true;
    case 'zoned':
      return zone?.node === 'constant' && zone.value !== UTC;
  }
}

/** The same expression, reading what is inexact from columns of its own; these are computed before state moves. */
export function setAside(c: Compilation, expression: Expression, path: Path): Expression {
  if (expression.node !== 'call') return expression;
  if (isInexact(expression)) return storedCall(c, expression, true, path);
  return { ...expression, operands: expression.operands.map((operand) => setAside(c, operand, path)) };
}

/**
 * The same expression of a rule or a model, reading `in list.…` from columns of its own: lists are replaced while the engine
 * runs, so an explanation can only say what was read where the row keeps it.
 */
export function storeListReads(c: Compilation, expression: Expression, path: Path): Expression {
  if (expression.node !== 'call') return expression;
  if (FUNCTIONS[expression.operator].repeats === 'list')
    return storedCall(c, expression, !readsState(c, expression), path);
  return { ...expression, operands: expression.operands.map((operand) => storeListReads(c, operand, path)) };
}

/** Whether features or scores must be known. */
function readsState(c: Compilation, expression: Expression): boolean {
  if (expression.node === 'constant') return false;
  if (expression.node === 'call') return expression.operands.some((operand) => readsState(c, operand));
  const { column } = expression;
  if (c.computed.some((one) => one.column === column && !one.before)) return true;
  return [...c.features.values()].some((one) => one.column === column) || [...c.models.values()].includes(column);
}

/** The same call written twice is one column; its name stays what it is when other parts of the pipeline change. */
function storedCall(
  c: Compilation,
  call: Extract<Expression, { node: 'call' }>,
  before: boolean,
  path: Path,
): Expression {
  const text = canonicalText(c, call);
  const digits = createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS);
  const name = `_${call.operator}_${digits}`;
  const known = c.computed.find(({ column }) => c.columns.columns[column]!.name === name);
  const column = known?.column ?? addComputed(c, { name, expression: call, before, comment: text }, path);
  return { node: 'column', type: call.type, column };
}

/** Text of an expression by the names of its columns, for messages and comments. */
function canonicalText(c: Compilation, expression: Expression): string {
  if (expression.node === 'constant') return JSON.stringify(expression.exact ?? expression.value);
  if (expression.node === 'column') return c.columns.at(expression.column).name;
  return `${expression.operator}(${expression.operands.map((operand) => canonicalText(c, operand)).join(', ')})`;
}

interface ComputedRequest {
  /** Of the column. */
  readonly name: string;
  /** As expressions name it; '' (absent) where the compiler made it. */
  readonly plainName?: string;
  readonly expression: Expression;
  readonly before: boolean;
  readonly comment: string;
}

/** Adds a column for an expression's value; returns its index. Numbers are stored as doubles, conditions as Bool. */
export function addComputed(c: Compilation, request: ComputedRequest, path: Path): number {
  const { name, plainName = '', expression, before, comment } = request;
  const isBool = expression.type === 'bool';
  const column = c.columns.add(
    { name, kind: isBool ? 'u8' : 'f64', bool: isBool, nullable: true, comment },
    plainName === '' ? 'the engine' : plainName,
    path,
  );
  c.computed.push({ name: plainName, column, expression, before });
  return column;
}

/**
 * The i32 column that holds each event's day on a zone's own calendar, for calendar windows: one per zone, however many
 * features ask. Returns null after a complaint at `path`.
 */
export function dayColumn(c: Compilation, zone: string, path: Path): number | null {
  const problem = zoneProblem(zone);
  if (problem !== null) {
    c.problems.add(path, problem.message, problem.suggestion);
    return null;
  }
  const name = `_day_${zone
    .toLowerCase()
    .replace('+', '_plus_')
    .replace(/[^a-z0-9]+/g, '_')}`;
  const known = c.computed.find(({ column }) => c.columns.columns[column]!.name === name);
  if (known !== undefined) return known.column;
  if (zone !== UTC) c.zones.set(zone, zonePlan(zone));
  const time: Expression = { node: 'column', type: 'time', column: c.effectiveTimeColumn };
  const text: Expression = { node: 'constant', type: 'string', value: zone };
  const expression: Expression = { node: 'call', type: 'int', operator: 'local_day', operands: [time, text] };
  const comment = `day of effective_time in ${zone}, since 1970-01-01`;
  const column = c.columns.add({ name, kind: 'i32', comment }, 'the engine', path);
  c.computed.push({ name: '', column, expression, before: true } satisfies ComputedPlan);
  return column;
}
