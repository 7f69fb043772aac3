/**
 * From the exact state of a window to the value as served: the operations of SEMANTICS.md §6 in the kernel's order, so
 * that the last bit is the same.
 */

import type { FeaturePlan } from '../../../native-free-core/plan/plan.ts';
import { isText, scaleOf } from './contribution.ts';

const EXACT_MAX = '9007199254740992.';

/** Columns of the state: `events` that contribute, `total` and `squares` as wide integers. */
export function addedValue(feature: FeaturePlan): string {
  const scale = scaleOf(feature);
  switch (feature.aggregate) {
    case 'count':
      return 'toUInt32(events)';
    case 'count_distinct':
      return `toUInt32(least(events, ${feature.cap ?? 256}))`;
    case 'rate':
      return `toFloat64(events) / ${asDouble(feature.windowMs / 1000)}`;
    case 'sum':
      return bounded(divided(wideAsDouble('total'), scale));
    case 'avg':
      return `if(events = 0, NULL, ${bounded(`${wideAsDouble('total')} / (toFloat64(events) * ${asDouble(scale)})`)})`;
    case 'stddev_pop': {
      const spread = 'toInt256(events) * squares - toInt256(total) * total';
      return `if(events = 0, NULL, ${bounded(`sqrt(${roundedOnce(`(${spread})`)}) / (toFloat64(events) * ${asDouble(scale)})`)})`;
    }
    case 'ewma': {
      // Weighted, a sum may need more than two words.
      const total = `if(total < 0, -1., 1.) * ${roundedOnce('toInt256(abs(total))')}`;
      const weighted = `${total} / (toFloat64(events) * ${asDouble(scale)})`;
      return `if(events = 0, NULL, ${bounded(weighted)})`;
    }
    default:
      throw new Error(`no sum makes aggregate=${feature.aggregate}`);
  }
}

/** `state`: a value as it came in (an exact integer, a float or a text), NULL where the window holds none. */
export function keptValue(feature: FeaturePlan, state: string): string {
  if (isText(feature) || feature.decimals < 0) return state;
  return bounded(divided(`toFloat64(${state})`, scaleOf(feature)));
}

/** A final value of 2^53 or more is NULL. */
export function bounded(value: string): string {
  return `if(abs(${value}) < ${EXACT_MAX}, ${value}, NULL)`;
}

function divided(value: string, scale: number): string {
  return scale === 1 ? value : `${value} / ${asDouble(scale)}`;
}

function asDouble(value: number): string {
  return Number.isInteger(value) ? `${value}.` : String(value);
}

/** As the kernel reads its two words: both exact, one rounding. */
function wideAsDouble(wide: string): string {
  const [high, low] = [`toInt64(bitShiftRight(${wide}, 32))`, `toInt64(bitAnd(${wide}, 4294967295))`];
  return `(toFloat64(${high}) * 4294967296. + toFloat64(${low}))`;
}

/**
 * A non-negative wide integer as the nearest double. ClickHouse goes through a long double, which rounds twice; here the
 * upper 61 to 63 bits, with a bit that says whether anything lies below, are rounded once.
 */
function roundedOnce(wide: string): string {
  const lift = `_wide -> arrayMap(_shift -> toFloat64(toUInt64(bitOr(bitShiftRight(_wide, _shift), toInt256(bitShiftLeft(bitShiftRight(_wide, _shift), _shift) != _wide)))) * exp2(_shift), [toUInt8(greatest(0., floor(log2(greatest(1., toFloat64(_wide)))) - 61))])[1]`;
  return `arrayMap(${lift}, [${wide}])[1]`;
}
