/**
 * What the parts of the expression compiler share: how a value looks in the emitted JavaScript, and where statements,
 * constants and temporaries go. Emitted code works on row `r`; it allocates nothing and has no side effects, so a
 * temporary may be computed whether or not it will be needed.
 */

import type { ColumnPlan, Expression } from '../../plan/plan.ts';
import { KINDS } from '../kinds/index.ts';
import type { NumberCode, TextCode } from './emitted-code.ts';

/** Names of what generated code reads; the same for kernels, keys and rules. */
export interface ColumnAccess {
  column(index: number): ColumnPlan;
  /** Of a view: the condition under which the row holds another branch's field; null of a column of its own. */
  elsewhere(index: number): string | null;
  /** The JavaScript name of one of a column's arrays. */
  array(index: number, array: string): string;
  /** A name that no other piece of this generated function uses. */
  temporary(): string;
  /** Where a text constant lies in the constants' heap. */
  constantText(text: string): TextCode;
  /** Number of the slot that holds the dictionary id of a text constant. */
  dictionarySlot(text: string): number;
  /** Number of the cursor over a list column. */
  listCursor(column: number): number;
  /** Number of the cursor over a time zone's table. */
  zone(name: string): number;
  /** Number of a regular expression's automaton. */
  automaton(pattern: string): number;
  /** Number of a list that an operator keeps. */
  keyList(name: string): number;
  /** Where so many bytes lie in which emitted code may put a text together. */
  scratch(bytes: number): number;
  /** A condition on the text of a dictionary id that is decided once for each id. */
  remembered(id: string, holds: (text: TextCode) => string): string;
}

/** One expression under way. `truth` and `falsehood` differ from each other's negation where the value is absent. */
export interface EmitContext {
  readonly access: ColumnAccess;
  readonly setup: string[];
  truth(expression: Expression): string;
  falsehood(expression: Expression): string;
  number(expression: Expression): NumberCode;
  text(expression: Expression): TextCode;
  /** The condition under which any expression is absent; 'false' where it never is. */
  absence(expression: Expression): string;
  /** Whether it has a value on every row. */
  neverAbsent(expression: Expression): boolean;
  /** Gives a value a name, so that it is computed once. */
  named(value: string): string;
}

/** `code`, where none of `absent` holds. */
export function whenPresent(absent: readonly string[], code: string): string {
  return absent.length === 0 ? code : `${absent.map((condition) => `!(${condition})`).join(' && ')} && ${code}`;
}

export function nullCondition(access: ColumnAccess, index: number): string[] {
  const { nullable } = access.column(index);
  const elsewhere = access.elsewhere(index);
  if (elsewhere !== null) return [elsewhere, `${access.array(index, 'nulls')}[r] !== 0`];
  return nullable ? [`${access.array(index, 'nulls')}[r] !== 0`] : [];
}

/** A dictionary column: its values are ids, compared with constants through slots. */
export function isDictionary(access: ColumnAccess, expression: Expression): boolean {
  return expression.node === 'column' && KINDS[access.column(expression.column).kind].isInterned;
}
