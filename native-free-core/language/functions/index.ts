/**
 * The functions and operators of the language, each with everything that is known of it. A new one is a file beside this
 * one, a name in plan/expression-plan.ts and a line here; without one of its parts it does not compile.
 */

import type { ExpressionOperator } from '../../plan/plan.ts';
import { abs } from './absolute.ts';
import { add, mul, neg, sub } from './arithmetic.ts';
import { eq, ge, gt, le, lt, ne } from './comparison.ts';
import { conditional } from './conditional.ts';
import { duration, timestamp } from './constants.ts';
import { toDouble, toInt } from './conversion.ts';
import { div, mod, ratio } from './division.ts';
import { exp, log, pow } from './exponential.ts';
import { maxFunction, minFunction } from './extreme.ts';
import type { ExpressionFunction, WrittenForm } from './function.ts';
import { geoDistanceFunction } from './geo-distance.ts';
import { geoTileFunction } from './geo-tile.ts';
import { has } from './has.ts';
import { hash } from './hash.ts';
import { inList, inMembers } from './in.ts';
import { and, not, or } from './logic.ts';
import { matches } from './matches.ts';
import { ceil, floor } from './rounding.ts';
import { size } from './size.ts';
import { sqrt } from './square-root.ts';
import { contains, endsWithFunction, startsWithFunction } from './text-tests.ts';
import {
  dayOfMonthFunction,
  dayOfYearFunction,
  hour,
  localDay,
  minute,
  month,
  second,
  weekday,
  year,
} from './time-parts.ts';

export const FUNCTIONS: Readonly<Record<ExpressionOperator, ExpressionFunction>> = {
  or,
  and,
  not,
  conditional,
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  in: inMembers,
  in_list: inList,
  add,
  sub,
  mul,
  div,
  mod,
  neg,
  ratio,
  has,
  size,
  starts_with: startsWithFunction,
  ends_with: endsWithFunction,
  contains,
  matches,
  abs,
  min: minFunction,
  max: maxFunction,
  floor,
  ceil,
  sqrt,
  to_int: toInt,
  to_double: toDouble,
  log,
  exp,
  pow,
  geo_distance: geoDistanceFunction,
  geo_tile: geoTileFunction,
  hash,
  year,
  month,
  day_of_month: dayOfMonthFunction,
  day_of_year: dayOfYearFunction,
  weekday,
  hour,
  minute,
  second,
  local_day: localDay,
};

/** What the checker turns into constants, so that no operation is left. */
const CONSTANTS: readonly WrittenForm[] = [duration, timestamp];

/** Everything that can be written, in the order of the documentation. */
export const WRITTEN_FORMS: readonly WrittenForm[] = [
  ...Object.values(FUNCTIONS).flatMap(({ written }) => written),
  ...CONSTANTS,
];

const BY_NAME: ReadonlyMap<string, WrittenForm> = new Map(WRITTEN_FORMS.map((form) => [form.name, form]));

/** By the name that a pipeline calls, or the parser's sign of an operator. */
export function writtenForm(name: string): WrittenForm | undefined {
  return BY_NAME.get(name);
}
