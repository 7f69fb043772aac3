/**
 * Emits what an event brings to a feature: `add<i>` (does it count) and `x<i>` (its input as the exact integer that
 * SEMANTICS.md §6 asks for, or the float as it came). Called by kernel.ts.
 */

import type { FeaturePlan } from '../layout/plan.ts';
import type { EmitExpression } from './bind-columns.ts';

/** Beyond this a double no longer tells neighbouring integers apart. */
const EXACT_MAX = 9007199254740992;

export function scaleOf(feature: FeaturePlan): number {
  return feature.decimals > 0 ? 10 ** feature.decimals : 1;
}

export function emitContribution(feature: FeaturePlan, i: number, emit: EmitExpression): string {
  const lines: string[] = [`let add${i} = true, x${i} = 0;`];
  if (feature.where !== null) {
    const where = emit.condition(feature.where);
    lines.push(`{ ${where.setup.join(' ')} add${i} = ${where.value}; }`);
  }
  if (feature.of !== null) lines.push(`if (add${i}) { ${emitInput(feature, i, emit)} }`);
  return lines.join('\n    ');
}

function emitInput(feature: FeaturePlan, i: number, emit: EmitExpression): string {
  const of = emit(feature.of!);
  const value = feature.of!.type === 'bool' ? `(${of.value} ? 1 : 0)` : of.value;
  const read = `${of.setup.join(' ')} ${of.absent === null ? '' : `if (${of.absent}) add${i} = false; else`} {
      const v = ${value};`;
  if (feature.decimals < 0) return `${read} if (v !== v) add${i} = false; else x${i} = v; }`;
  const whole = feature.of!.type === 'double' ? emitRounded(scaleOf(feature)) : 'const q = v;';
  return `${read} ${whole}
      if (q < ${EXACT_MAX} && q > -${EXACT_MAX}) x${i} = q + 0; else { add${i} = false; if (v === v) flow = 1; } }`;
}

/** Half away from zero, on the scaled product: the rounding that SQL can repeat. `+ 0` turns -0 into 0. */
function emitRounded(scale: number): string {
  return `const p = v * ${scale}; let q = Math.trunc(p); if (Math.abs(p - q) >= 0.5) q += Math.sign(p);`;
}
