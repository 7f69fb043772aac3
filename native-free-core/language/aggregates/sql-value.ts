/**
 * From the exact state of a window to the value as served, in SQL: the operations of docs/semantics.md §6 in the kernel's
 * order, so that the last bit is the same.
 */

import { WORD } from '../../base/words.ts';
import type { FeaturePlan } from '../../plan/plan.ts';
import { scaleOf } from './serve.ts';

const EXACT_MAX = '9007199254740992.';

/** Whether the input is text in ClickHouse: strings, and names of enums. */
export function isTextInput(feature: FeaturePlan): boolean {
  if (feature.isEnum === true) return true;
  return feature.of !== null && (feature.of.type === 'string' || feature.of.type === 'bytes');
}

/** `state`: a value as it came in (an exact integer, a float or a text), NULL where the window holds none. */
export function keptValue(feature: FeaturePlan, state: string): string {
  if (isTextInput(feature) || feature.decimals < 0) return state;
  return bounded(divided(`toFloat64(${state})`, scaleOf(feature)));
}

/** A final value of 2^53 or more is NULL. */
export function bounded(value: string): string {
  return `if(abs(${value}) < ${EXACT_MAX}, ${value}, NULL)`;
}

export function divided(value: string, scale: number): string {
  return scale === 1 ? value : `${value} / ${doubleLiteralSql(scale)}`;
}

export function doubleLiteralSql(value: number): string {
  return Number.isInteger(value) ? `${value}.` : String(value);
}

/** As the kernel reads its two words: both exact, one rounding. */
export function wideAsDouble(wide: string): string {
  const [high, low] = [`toInt64(bitShiftRight(${wide}, 32))`, `toInt64(bitAnd(${wide}, 4294967295))`];
  return `(toFloat64(${high}) * ${WORD}. + toFloat64(${low}))`;
}

/**
 * A non-negative wide integer as the nearest double. ClickHouse goes through a long double, which rounds twice; here the
 * upper 61 to 63 bits, with a bit that says whether anything lies below, are rounded once.
 */
export function roundedOnce(wide: string): string {
  const lift = `_wide -> arrayMap(_shift -> toFloat64(toUInt64(bitOr(bitShiftRight(_wide, _shift), toInt256(bitShiftLeft(bitShiftRight(_wide, _shift), _shift) != _wide)))) * exp2(_shift), [toUInt8(greatest(0., floor(log2(greatest(1., toFloat64(_wide)))) - 61))])[1]`;
  return `arrayMap(${lift}, [${wide}])[1]`;
}
