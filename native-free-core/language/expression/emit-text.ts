/** Emits strings and bytes: constants, columns, entries of the dictionary, and what functions make. */

import type { Expression } from '../../plan/plan.ts';
import { FUNCTIONS } from '../functions/index.ts';
import { isDictionary, nullCondition, type EmitContext } from './emit-context.ts';
import type { TextCode } from './emitted-code.ts';

export function emitText(context: EmitContext, expression: Expression): TextCode {
  const { access } = context;
  if (expression.node === 'constant') return access.constantText(String(expression.value));
  if (isDictionary(access, expression)) {
    const id = context.number(expression);
    return entryText(context.named(id.value), id.absent);
  }
  if (expression.node === 'column') {
    return {
      heap: access.array(expression.column, 'heap'),
      start: `${access.array(expression.column, 'starts')}[r]`,
      length: `${access.array(expression.column, 'lengths')}[r]`,
      absent: nullCondition(access, expression.column),
    };
  }
  const part = FUNCTIONS[expression.operator].text;
  if (part === undefined) throw new Error(`no text comes of operator=${expression.operator}`);
  return part.kernel(context, expression);
}

/** The text of a dictionary id. */
export function entryText(id: string, absent: readonly string[]): TextCode {
  return { heap: '$dictionary.bytes', start: `$entryAt(${id})`, length: `$entryBytes(${id})`, absent };
}
