/**
 * Parts of a time for emitted code: offsets of time zones, years and months from day numbers. The zones are the plan's
 * tables; a cursor for each remembers the interval of the last time asked for, since neighbouring rows lie close together.
 */
// hot path: no allocation

export interface ZoneCursor {
  /** ms UTC, ascending. */
  readonly changes: Float64Array;
  /** ms; one more than changes. */
  readonly offsets: Float64Array;
  /** The interval that `offset` holds for. */
  from: number;
  to: number;
  offset: number;
}

/** Local time minus UTC, in ms. */
export function zoneOffset(zone: ZoneCursor, time: number): number {
  if (time >= zone.from && time < zone.to) return zone.offset;
  const changes = zone.changes;
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (changes[middle] <= time) low = middle + 1;
    else high = middle;
  }
  zone.from = low === 0 ? -Infinity : changes[low - 1];
  zone.to = low === changes.length ? Infinity : changes[low];
  zone.offset = zone.offsets[low];
  return zone.offset;
}

const ERA_DAYS = 146097;
const CENTURY_DAYS = 36524;
const FOUR_YEARS_DAYS = 1461;
/** From 0000-03-01 to 1970-01-01: years begin in March here, so that a leap day is the last one. */
const EPOCH_DAYS = 719468;

/** Days since 1970-01-01 as packed year * 512 + month * 32 + day of the month, both from 1 (Hinnant, civil_from_days). */
function packedDate(day: number): number {
  const shifted = day + EPOCH_DAYS;
  const era = Math.floor(shifted / ERA_DAYS);
  const ofEra = shifted - era * ERA_DAYS;
  const fours = Math.floor(ofEra / (FOUR_YEARS_DAYS - 1));
  const leaps = fours - Math.floor(ofEra / CENTURY_DAYS) + Math.floor(ofEra / (ERA_DAYS - 1));
  const year = Math.floor((ofEra - leaps) / 365);
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const shiftedMonth = Math.floor((5 * ofYear + 2) / 153);
  const date = ofYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return (year + era * 400 + (month <= 2 ? 1 : 0)) * 512 + month * 32 + date;
}

export function yearOf(day: number): number {
  return Math.floor(packedDate(day) / 512);
}

/** From 1. */
export function monthOf(day: number): number {
  return (packedDate(day) >> 5) & 15;
}

/** From 1. */
export function dayOfMonth(day: number): number {
  return packedDate(day) & 31;
}

/** Day number of January 1st of a year. */
function yearStart(year: number): number {
  const before = year - 1;
  const leaps = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400);
  return before * 365 + leaps - 719162;
}

/** From 1. */
export function dayOfYear(day: number): number {
  return day - yearStart(yearOf(day)) + 1;
}
