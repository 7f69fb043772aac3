/**
 * Emits conditions in three-valued logic as two JavaScript conditions: where the expression is true, and where it is
 * false. Where neither holds it is absent. A rule only asks for truth, so most falsehoods are never emitted.
 */

import type { Expression } from '../../plan/plan.ts';
import type { ConditionPart } from '../functions/function.ts';
import type { Call } from '../../plan/expression-plan.ts';
import { FUNCTIONS } from '../functions/index.ts';
import { bothSides } from './condition.ts';
import { isDictionary, nullCondition, whenPresent, type EmitContext } from './emit-context.ts';
import { present } from './operand.ts';

export function emitTruth(context: EmitContext, expression: Expression, wanted: boolean): string {
  switch (expression.node) {
    case 'constant':
      return String(expression.value === wanted);
    case 'column': {
      const { access } = context;
      const flag = `${access.array(expression.column, 'u8')}[r] ${wanted ? '!==' : '==='} 0`;
      return `(${whenPresent(nullCondition(access, expression.column), flag)})`;
    }
    case 'call':
      return conditionPart(expression).kernel(context, expression, wanted);
  }
}

function conditionPart({ operator }: Call): ConditionPart {
  const part = FUNCTIONS[operator].condition;
  if (part === undefined) throw new Error(`no condition comes of operator=${operator}`);
  return part;
}

/** The condition under which any expression is absent; 'false' where it never is. */
export function absentCondition(context: EmitContext, expression: Expression): string {
  const { access } = context;
  if (expression.node === 'column' && access.column(expression.column).shape !== 'scalar') {
    return `${access.array(expression.column, 'counts')}[r] === 0`;
  }
  if (expression.type === 'bool') {
    if (neverAbsent(context, expression)) return 'false';
    const [yes, no] = bothSides(context, expression);
    return `!${yes} && !${no}`;
  }
  const absent = absentOf(context, expression);
  return absent.length === 0 ? 'false' : absent.join(' || ');
}

function absentOf(context: EmitContext, expression: Expression): readonly string[] {
  if (isDictionary(context.access, expression)) return context.number(expression).absent;
  const text = expression.type === 'string' || expression.type === 'bytes';
  return text ? context.text(expression).absent : present(context, context.number(expression)).absent;
}

/** Whether an expression has a value on every row. */
export function neverAbsent(context: EmitContext, expression: Expression): boolean {
  const { access } = context;
  if (expression.node === 'constant') return true;
  if (expression.node === 'column') {
    const { shape, nullable } = access.column(expression.column);
    if (shape !== 'scalar') return true;
    if (expression.type === 'bool') return !nullable;
  }
  if (expression.node === 'call' && expression.type === 'bool')
    return conditionPart(expression).neverAbsent(context, expression);
  return absentOf(context, expression).length === 0;
}
