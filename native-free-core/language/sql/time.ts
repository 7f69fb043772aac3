/**
 * Parts of a time: hour, weekday, local day and the like, in UTC or in a zone of the plan, from whose table the offset
 * is taken, since ClickHouse's own tables may be of another year. NULL outside the table, in UTC before 1900 and from
 * 2300 on, which is ClickHouse's range of dates, too.
 */

import { UTC_TIME_END, UTC_TIME_START, ZONE_TIME_END, ZONE_TIME_START } from '../../layout/limits.ts';
import type { Expression, ExpressionOperator } from '../../plan/plan.ts';
import type { SqlContext, SqlNumber } from './context.ts';
import { emitOperand, integerCode } from './operands.ts';

const UTC = 'UTC';
const DAY_MS = 86_400_000;

interface TimePart {
  readonly bound: number;
  /** From local time, ms. */
  sql(local: string): string;
}

const dayOf = (local: string): string => `toInt64(floor(${local} / ${DAY_MS}))`;
const dateOf = (local: string): string => `toDate32(toInt32(floor(${local} / ${DAY_MS})))`;
const within = (local: string, wholeMs: number, unitMs: number): string =>
  `toInt64(intDiv(positiveModulo(${local}, ${wholeMs}), ${unitMs}))`;

const TIME_PARTS: Readonly<Partial<Record<ExpressionOperator, TimePart>>> = {
  year: { bound: 2300, sql: (local) => `toInt64(toYear(${dateOf(local)}))` },
  month: { bound: 12, sql: (local) => `toInt64(toMonth(${dateOf(local)}))` },
  day_of_month: { bound: 31, sql: (local) => `toInt64(toDayOfMonth(${dateOf(local)}))` },
  day_of_year: { bound: 366, sql: (local) => `toInt64(toDayOfYear(${dateOf(local)}))` },
  // 1970-01-01 was a Thursday.
  weekday: { bound: 6, sql: (local) => `toInt64(positiveModulo(${dayOf(local)} + 4, 7))` },
  hour: { bound: 23, sql: (local) => within(local, DAY_MS, 3_600_000) },
  minute: { bound: 59, sql: (local) => within(local, 3_600_000, 60_000) },
  second: { bound: 59, sql: (local) => within(local, 60_000, 1000) },
  local_day: { bound: UTC_TIME_END / DAY_MS, sql: dayOf },
};

/** null: the operator is no part of a time. */
export function timePart(
  context: SqlContext,
  operator: ExpressionOperator,
  operands: readonly Expression[],
): SqlNumber | null {
  const part = TIME_PARTS[operator];
  if (part === undefined) return null;
  const zone = operands[1];
  const name = zone?.node === 'constant' ? String(zone.value) : UTC;
  const time = emitOperand(context, operands[0]!).sql;
  const local = name === UTC ? between(time, UTC_TIME_START, UTC_TIME_END) : zoneLocal(context, time, name);
  return integerCode(part.sql(local), true, part.bound);
}

/** NULL outside. Wherever a NULL goes through `least` and `greatest`, it comes out as NULL. */
function between(time: string, start: number, end: number): string {
  const [below, above] = [`toInt64(${start - 1})`, `toInt64(${end})`];
  return `nullIf(nullIf(least(greatest(${time}, ${below}), ${above}), ${above}), ${below})`;
}

function zoneLocal(context: SqlContext, time: string, name: string): string {
  const { changes, offsets } = context.zone(name);
  const inside = between(time, ZONE_TIME_START, ZONE_TIME_END);
  if (changes.length === 0) return `(${inside} + ${offsets[0] ?? 0})`;
  const passed = (at: string): string => `arrayCount(_c -> ifNull(_c <= ${at}, false), [${changes.join(', ')}])`;
  return context.bind(inside, (at) => `(${at} + [${offsets.join(', ')}][1 + ${passed(at)}])`);
}
