/** Emits parts of a time: hour, weekday, local day and the like, in UTC or in a zone of the plan. */

import { UTC_TIME_END, UTC_TIME_START, ZONE_TIME_END, ZONE_TIME_START } from '../../layout/limits.ts';
import type { Expression, ExpressionOperator } from '../../plan/plan.ts';
import type { EmitContext, NumberCode } from './context.ts';

const UTC = 'UTC';
const DAY_MS = 86_400_000;

interface TimePart {
  readonly bound: number;
  /** From local time and local day, both JavaScript names. */
  emit(local: string, day: string): string;
}

/** Within a day the remainder is never negative, so it may be divided as it is. */
const withinDay = (local: string, day: string, unitMs: number): string =>
  `Math.floor((${local} - ${day} * ${DAY_MS}) / ${unitMs})`;

export const TIME_PARTS: Readonly<Partial<Record<ExpressionOperator, TimePart>>> = {
  year: { bound: 2300, emit: (_, day) => `$yearOf(${day})` },
  month: { bound: 12, emit: (_, day) => `$monthOf(${day})` },
  day_of_month: { bound: 31, emit: (_, day) => `$dayOfMonth(${day})` },
  day_of_year: { bound: 366, emit: (_, day) => `$dayOfYear(${day})` },
  // 1970-01-01 was a Thursday. The remainder of a negative day lies between -6 and 0.
  weekday: { bound: 6, emit: (_, day) => `((${day} % 7 + 11) % 7)` },
  hour: { bound: 23, emit: (local, day) => withinDay(local, day, 3_600_000) },
  minute: { bound: 59, emit: (local, day) => `(${withinDay(local, day, 60_000)} % 60)` },
  second: { bound: 59, emit: (local, day) => `(${withinDay(local, day, 1000)} % 60)` },
  local_day: { bound: UTC_TIME_END / DAY_MS, emit: (_, day) => day },
};

/** `time`: below 2^53 where it is present. */
export function emitTimePart(
  context: EmitContext,
  part: TimePart,
  time: NumberCode,
  zone: Expression | undefined,
): NumberCode {
  const name = zone?.node === 'constant' ? String(zone.value) : UTC;
  const at = context.named(time.value);
  const isUtc = name === UTC;
  const [start, end] = isUtc ? [UTC_TIME_START, UTC_TIME_END] : [ZONE_TIME_START, ZONE_TIME_END];
  const local = isUtc ? at : context.named(`(${at} + $zoneOffset(${context.access.zone(name)}, ${at}))`);
  const day = context.named(`Math.floor(${local} / ${DAY_MS})`);
  return {
    value: part.emit(local, day),
    absent: [...time.absent, `!(${at} >= ${start} && ${at} < ${end})`],
    bound: part.bound,
    integer: true,
    wild: false,
    words: null,
  };
}
