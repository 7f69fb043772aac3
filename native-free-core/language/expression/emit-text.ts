/** Emits strings and bytes: constants, columns, tiles of the globe, and the choice between two of them. */

import type { Expression } from '../../plan/plan.ts';
import { isDictionary, nullCondition, type EmitContext, type TextCode } from './context.ts';
import { chosenAbsent, emitLoose } from './emit-number.ts';

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
  if (expression.operator === 'geo_tile') return emitTile(context, expression.operands);
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

/** The text of a dictionary id. */
export function entryText(id: string, absent: readonly string[]): TextCode {
  return { heap: '$dictionary.bytes', start: `$entryAt(${id})`, length: `$entryBytes(${id})`, absent };
}

/** The tile is written when `start` is asked for; a point that is none on the globe has no tile. */
function emitTile(context: EmitContext, [latitude, longitude, precision]: readonly Expression[]): TextCode {
  const lat = emitLoose(context, latitude);
  const lon = emitLoose(context, longitude);
  const digits = precision.node === 'constant' ? Number(precision.value) : 0;
  const at = context.access.scratch(digits);
  const [y, x] = [context.named(lat.value), context.named(lon.value)];
  const start = context.named(`$geoTile(${y}, ${x}, ${digits}, ${at})`);
  const outside = `!(${y} >= -90 && ${y} <= 90 && ${x} >= -180 && ${x} <= 180)`;
  return { heap: '$scratch', start, length: String(digits), absent: [...lat.absent, ...lon.absent, outside] };
}
