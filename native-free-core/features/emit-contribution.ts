/**
 * Emits what an event brings to a feature: `add<i>` (does it count) and `x<i>` (its input as the exact integer that
 * docs/semantics.md §6 asks for, the float as it came, or a text's number); `xl<i>`, `xh<i>`: 64 bits that tell values
 * apart. Called by kernel.ts.
 */

import { isWide, KINDS } from '../language/kinds/index.ts';
import { columnAt, slotOf, type Expression, type FeaturePlan, type Plan } from '../plan/plan.ts';
import type { EmitExpression } from './bind-columns.ts';
import { aggregateOf } from '../language/aggregates/index.ts';
import { isDictionaryText, scaleOf } from '../language/aggregates/serve.ts';

/** Beyond this a double no longer tells neighbouring integers apart. */
const EXACT_MAX = 9007199254740992;
const DISTINCT_SEED = 5;

export function emitContribution(plan: Plan, feature: FeaturePlan, i: number, emit: EmitExpression): string {
  const isDistinct = aggregateOf(feature).check.input.kind === 'anything';
  const lines: string[] = [`let add${i} = true, x${i} = 0${isDistinct ? `, xl${i} = 0, xh${i} = 0` : ''};`];
  if (feature.where !== null) {
    const where = emit.condition(feature.where);
    lines.push(`{ ${where.setup.join(' ')} add${i} = ${where.value}; }`);
  }
  const input = (): string =>
    isDistinct
      ? emitDistinctInput(plan, feature.of!, i, emit)
      : isDictionaryText(feature, plan)
        ? emitStored(plan, feature.of!, i, emit, (c) => `x${i} = ${c}_u32[r];`)
        : feature.isEnum === true
          ? emitStored(plan, feature.of!, i, emit, (c) => `x${i} = ${c}_i32[r];`)
          : emitInput(feature, i, emit);
  if (feature.of !== null) lines.push(`if (add${i}) { ${input()} }`);
  return lines.join('\n    ');
}

function emitInput(feature: FeaturePlan, i: number, emit: EmitExpression): string {
  const of = emit(feature.of!);
  const value = feature.of!.type === 'bool' ? `(${of.value} ? 1 : 0)` : of.value;
  const read = `${of.setup.join(' ')} ${of.absent === null ? '' : `if (${of.absent}) add${i} = false; else`} {
      const v = ${value};`;
  if (feature.decimals < 0) return `${read} x${i} = v; }`;
  const whole = feature.of!.type === 'double' ? emitRounded(scaleOf(feature)) : 'const q = v;';
  return `${read} ${whole}
      if (q < ${EXACT_MAX} && q > -${EXACT_MAX}) x${i} = q + 0; else { add${i} = false; flow = 1; } }`;
}

/** Half away from zero, on the scaled product: the rounding that SQL can repeat. `+ 0` turns -0 into 0. */
function emitRounded(scale: number): string {
  return `const p = v * ${scale}; let q = Math.trunc(p); if (Math.abs(p - q) >= 0.5) q += Math.sign(p);`;
}

/** A column's own content, where the row has it. */
function emitStored(
  plan: Plan,
  of: Expression,
  i: number,
  emit: EmitExpression,
  take: (column: string) => string,
): string {
  if (of.node !== 'column') throw new Error('only a column has content of its own');
  const store = take(`c${slotOf(plan, of.column)}`);
  if (!columnAt(plan, of.column).nullable) return store;
  const has = emit.condition({ node: 'call', type: 'bool', operator: 'has', operands: [of] });
  return `${has.setup.join(' ')} if (${has.value}) { ${store} } else add${i} = false;`;
}

/** 64 bits of any scalar: its own where it has no more, otherwise a hash of its bytes. */
function emitDistinctInput(plan: Plan, of: Expression, i: number, emit: EmitExpression): string {
  const kind = of.node === 'column' ? columnAt(plan, of.column).kind : null;
  if (kind !== null && isWide(kind)) {
    return emitStored(plan, of, i, emit, (c) => `xl${i} = ${c}_i32[2 * r]; xh${i} = ${c}_i32[2 * r + 1];`);
  }
  if (kind !== null && KINDS[kind].isInterned) return emitStored(plan, of, i, emit, (c) => `xl${i} = ${c}_u32[r];`);
  if (of.type === 'string' || of.type === 'bytes') {
    const { setup, heap, start, length, absent } = emit.text(of);
    const hash = `hashBytes(${heap}, ${start}, ${length}, ${DISTINCT_SEED}, part, 0); xl${i} = part[0]; xh${i} = part[1];`;
    return `${setup.join(' ')} ${absent === null ? hash : `if (${absent}) add${i} = false; else { ${hash} }`}`;
  }
  const { setup, value, absent } = emit(of);
  const number = of.type === 'bool' ? `(${value} ? 1 : 0)` : value;
  const bits = `bits[0] = ${number} + 0; xl${i} = bitWords[0]; xh${i} = bitWords[1];`;
  return `${setup.join(' ')} ${absent === null ? `{ ${bits} }` : `if (${absent}) add${i} = false; else { ${bits} }`}`;
}
