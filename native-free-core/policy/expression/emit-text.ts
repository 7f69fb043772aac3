/** Emits strings and bytes: constants, columns, and the choice between two of them. */

import type { Expression } from '../../layout/plan.ts';
import { nullCondition, type EmitContext, type TextCode } from './context.ts';
import { chosenAbsent } from './emit-number.ts';

export function emitText(context: EmitContext, expression: Expression): TextCode {
  const { access } = context;
  if (expression.node === 'constant') return access.constantText(String(expression.value));
  if (expression.node === 'column') {
    return {
      heap: access.array(expression.column, 'heap'),
      start: `${access.array(expression.column, 'starts')}[r]`,
      length: `${access.array(expression.column, 'lengths')}[r]`,
      absent: nullCondition(access, expression.column),
    };
  }
  if (expression.operator !== 'conditional') throw new Error(`no text comes of operator=${expression.operator}`);
  const [condition, first, second] = expression.operands;
  const yes = context.named(context.truth(condition));
  const no = context.named(context.falsehood(condition));
  const a = context.text(first);
  const b = context.text(second);
  return {
    heap: `(${yes} ? ${a.heap} : ${b.heap})`,
    start: `(${yes} ? ${a.start} : ${b.start})`,
    length: `(${yes} ? ${a.length} : ${b.length})`,
    absent: chosenAbsent(yes, no, a.absent, b.absent),
  };
}
