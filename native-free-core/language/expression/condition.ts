/**
 * What functions that are true or false are made of: a test that holds or not where its operands are present. On a
 * dictionary column a test with constants is decided once per distinct string and remembered by its id.
 */

import type { Expression } from '../../plan/plan.ts';
import type { ConditionPart } from '../functions/function.ts';
import type { Call } from '../../plan/expression-plan.ts';
import { isDictionary, whenPresent, type EmitContext } from './emit-context.ts';
import type { TextCode } from './emitted-code.ts';

export interface Test {
  readonly holds: string;
  readonly absent: readonly string[];
}

type Kernel = Pick<ConditionPart, 'kernel' | 'neverAbsent' | 'compound'>;

/** The kernel of a function that is a test. */
export function testKernel(test: (context: EmitContext, call: Call) => Test): Kernel {
  return {
    kernel: (context, call, wanted) => decided(test(context, call), wanted),
    neverAbsent: (context, call) =>
      call.operands[0].type === 'bool' ? operandsNeverAbsent(context, call) : test(context, call).absent.length === 0,
    compound: null,
  };
}

export function decided(test: Test, wanted: boolean): string {
  return `(${whenPresent(test.absent, wanted ? `(${test.holds})` : `!(${test.holds})`)})`;
}

export function operandsNeverAbsent(context: EmitContext, { operands }: Call): boolean {
  return operands.every((operand) => context.neverAbsent(operand));
}

/** Names for where a condition is true and where it is false. */
export function bothSides(context: EmitContext, expression: Expression): [string, string] {
  return [context.named(context.truth(expression)), context.named(context.falsehood(expression))];
}

/** A test of the text of `subject`; one with constants alone is remembered where the text is of the dictionary. */
export function onText(
  context: EmitContext,
  subject: Expression,
  constant: boolean,
  otherAbsent: readonly string[],
  holds: (text: TextCode) => string,
): Test {
  if (constant && isDictionary(context.access, subject)) {
    const id = context.number(subject);
    return { holds: context.access.remembered(id.value, holds), absent: [...id.absent, ...otherAbsent] };
  }
  const text = context.text(subject);
  return { holds: holds(text), absent: [...text.absent, ...otherAbsent] };
}

export function argumentsOf(text: TextCode): string {
  return `${text.heap}, ${text.start}, ${text.length}`;
}

export function constantText(expression: Expression): string {
  if (expression.node !== 'constant') throw new Error('a constant is needed here');
  return String(expression.value);
}
