/**
 * What functions of numbers are made of: operands that are absent where they are beyond 2^53 or no finite number, and where
 * a choice between two values is absent.
 */

import { EXACT_LIMIT } from '../exact-limit.ts';
import type { Expression } from '../../plan/plan.ts';
import type { EmitContext } from './emit-context.ts';
import type { NumberCode } from './emitted-code.ts';

/** An operand of arithmetic: beyond 2^53 it is absent, and where it is no finite number. */
export function emitOperand(context: EmitContext, expression: Expression): NumberCode {
  return guarded(context, context.number(expression));
}

/** An operand of what gives no finite number where the operand is none: it is asked of the result. */
export function emitLoose(context: EmitContext, expression: Expression): NumberCode {
  const code = context.number(expression);
  return code.integer ? guarded(context, code) : code;
}

/** A double that is absent where it is no finite number; anything else as it is. */
export function present(context: EmitContext, code: NumberCode): NumberCode {
  if (!code.wild) return code;
  const value = context.named(code.value);
  return { ...code, value, absent: [...code.absent, `!(${value} - ${value} === 0)`], wild: false };
}

export function guarded(context: EmitContext, code: NumberCode): NumberCode {
  if (!code.integer) return present(context, code);
  if (code.bound < EXACT_LIMIT) return code;
  const value = context.named(code.value);
  const beyond = `!(${value} < ${EXACT_LIMIT} && ${value} > -${EXACT_LIMIT})`;
  return { ...code, value, absent: [...code.absent, beyond], bound: EXACT_LIMIT - 1, words: null };
}

/** Where a conditional is absent: its condition is, or the operand that it chooses. */
export function chosenAbsent(yes: string, no: string, a: readonly string[], b: readonly string[]): string[] {
  const absent = [`!${yes} && !${no}`];
  if (a.length > 0) absent.push(`${yes} && (${a.join(' || ')})`);
  if (b.length > 0) absent.push(`${no} && (${b.join(' || ')})`);
  return absent;
}

export function integerCode(value: string, absent: readonly string[], bound: number): NumberCode {
  return { value, absent, bound, integer: true, wild: false, words: null };
}

export function doubleCode(value: string, absent: readonly string[], wild: boolean): NumberCode {
  return { value, absent, bound: Infinity, integer: false, wild, words: null };
}
