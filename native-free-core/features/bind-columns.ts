/**
 * Generated code names column arrays `c<index>_<array>`; this declares the ones that a piece of code uses, so that they
 * are constants of its closure. Used by every compiler of the core that emits code over columns.
 */

import type { Column } from '../layout/column.ts';
import type { ExpressionCode, TextValueCode } from '../language/expression/emit.ts';
import type { Expression } from '../plan/plan.ts';

/** The expression compiler, handed in by decide/: features and keys do not know how expressions are compiled. */
export interface EmitExpression {
  (expression: Expression): ExpressionCode;
  /** Whether the expression is true; never absent. */
  condition(expression: Expression): ExpressionCode;
  /** Bytes of a string or bytes expression: `length` bytes of `heap` from `start` on. */
  text(expression: Expression): TextValueCode;
  /** Constants that the emitted code refers to, as declarations; asked for after emitting. */
  declarations(): string;
  /** Bound to the name `runtime` in the emitted code. */
  readonly runtime: unknown;
}

export function bindColumns(columns: readonly Column[], code: string): { declarations: string } {
  const names = new Set<string>();
  for (const match of code.matchAll(/\bc(\d+)_([a-zA-Z0-9]+)\b/g)) names.add(`${match[1]}.${match[2]}`);
  const lines: string[] = [];
  for (const name of [...names].sort()) {
    const [index, array] = name.split('.');
    if (columns[Number(index)] === undefined) throw new Error(`code names a column that is not there: ${name}`);
    lines.push(`const c${index}_${array} = columns[${index}].${array};`);
  }
  return { declarations: lines.join('\n') };
}
