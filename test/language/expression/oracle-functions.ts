/** The interpreter's functions: from the semantics, by means that the core does not use (bigints, Date, Intl, RegExp). */

import {
  UTC_TIME_END,
  UTC_TIME_START,
  ZONE_TIME_END,
  ZONE_TIME_START,
} from '../../../native-free-core/layout/limits.ts';
import type { ExpressionOperator, ExpressionType } from '../../../native-free-core/plan/plan.ts';
import { regExpOf } from './random-pattern.ts';
import { LISTS, type Value } from './world.ts';

const LIMIT = 2n ** 53n;
const DAY_MS = 86_400_000;
const decoder = new TextDecoder();

/** Operations whose value is of their operands' values alone, none of them absent. */
export type ValueOperator = Exclude<ExpressionOperator, 'has' | 'and' | 'or' | 'conditional' | 'in'>;

interface Operation {
  of(values: readonly Value[], type: ExpressionType): Value;
  /** Integers beyond 2^53 are taken, not absent. */
  readonly takesWide?: true;
}

export const VALUES: Readonly<Record<ValueOperator, Operation>> = {
  not: { of: ([a]) => !a },
  eq: comparison('eq'),
  ne: comparison('ne'),
  lt: comparison('lt'),
  le: comparison('le'),
  gt: comparison('gt'),
  ge: comparison('ge'),
  neg: arithmetic(
    (a) => -a,
    (a) => -a,
  ),
  add: arithmetic(
    (a, b) => a + b,
    (a, b) => a + b,
  ),
  sub: arithmetic(
    (a, b) => a - b,
    (a, b) => a - b,
  ),
  mul: arithmetic(
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  div: arithmetic(
    (a, b) => (b === 0n ? null : a / b),
    (a, b) => a / b,
  ),
  mod: arithmetic(
    (a, b) => (b === 0n ? null : a % b),
    (a, b) => a % b,
  ),
  ratio: { of: ([a, b]) => (Number(b) === 0 ? null : Number(a) / Number(b)) },
  starts_with: texts((a, b) => a.indexOf(b) === 0),
  ends_with: texts((a, b) => a.subarray(a.length - b.length).equals(b) && a.length >= b.length),
  contains: texts((a, b) => a.includes(b)),
  matches: texts((a, b) => regExpOf(decoder.decode(b)).test(decoder.decode(a))),
  in_list: {
    of: ([a, b]) => {
      const entry = a instanceof Uint8Array ? textOf(a) : String(a);
      return LISTS.find(({ name }) => name === textOf(b))!.entries.includes(entry);
    },
    takesWide: true,
  },
  size: { of: ([a]) => sizeOf(a), takesWide: true },
  hash: { of: ([a]) => hashOf(a), takesWide: true },
  abs: { of: ([a]) => (typeof a === 'bigint' ? (a < 0n ? -a : a) : Math.abs(Number(a))) },
  min: { of: (values, type) => extreme('min', type, values as (bigint | number)[]) },
  max: { of: (values, type) => extreme('max', type, values as (bigint | number)[]) },
  floor: ofDouble(Math.floor),
  ceil: ofDouble(Math.ceil),
  sqrt: ofDouble(Math.sqrt),
  log: ofDouble(Math.log),
  exp: ofDouble(Math.exp),
  pow: { of: ([a, b]) => Math.pow(Number(a), Number(b)) },
  to_double: ofDouble((x) => x),
  to_int: { of: ([a]) => (Math.abs(Number(a)) < Number(LIMIT) ? BigInt(Math.trunc(Number(a))) : null) },
  geo_distance: { of: (values) => distance(...(values.map(Number) as [number, number, number, number])) },
  geo_tile: { of: ([a, b, digits]) => tile(Number(a), Number(b), Number(digits)) },
  year: timePart(({ year }) => year),
  month: timePart(({ month }) => month),
  day_of_month: timePart(({ day }) => day),
  day_of_year: timePart(({ year, localDay }) => localDay - Date.UTC(year, 0, 1) / DAY_MS + 1),
  weekday: timePart(({ localDay }) => new Date(localDay * DAY_MS).getUTCDay()),
  hour: timePart(({ hour }) => hour),
  minute: timePart(({ minute }) => minute),
  second: timePart(({ second }) => second),
  local_day: timePart(({ localDay }) => localDay),
};

function ofDouble(of: (x: number) => number): Operation {
  return { of: ([a]) => of(Number(a)) };
}

function texts(holds: (a: Buffer, b: Buffer) => boolean): Operation {
  return { of: ([a, b]) => holds(Buffer.from(a as Uint8Array), Buffer.from(b as Uint8Array)) };
}

function comparison(operator: Comparison): Operation {
  return { of: ([a, b]) => compare(operator, a, b), takesWide: true };
}

/** Of integers alone by bigints, absent from 2^53 on. */
function arithmetic(
  integers: (a: bigint, b: bigint) => bigint | null,
  doubles: (a: number, b: number) => number,
): Operation {
  return {
    of: (values) => {
      const [a, b] = values;
      if (!values.every((value) => typeof value === 'bigint')) return doubles(Number(a), Number(b));
      const result = integers(a as bigint, b as bigint);
      return result === null || isWide(result) ? null : result;
    },
  };
}

type Comparison = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';

export function compare(operator: Comparison, a: Value, b: Value): boolean | null {
  if (a instanceof Uint8Array) return ordered(operator, Buffer.compare(a, b as Uint8Array), 0);
  if (typeof a === 'bigint' && typeof b === 'bigint') return ordered(operator, a, b);
  if (typeof a === 'boolean') return ordered(operator, Number(a), Number(b));
  if ((typeof a === 'bigint' && isWide(a)) || (typeof b === 'bigint' && isWide(b))) return null;
  return ordered(operator, Number(a), Number(b));
}

function ordered<T>(operator: Comparison, a: T, b: T): boolean {
  switch (operator) {
    case 'eq':
      return a === b;
    case 'ne':
      return a !== b;
    case 'lt':
      return a < b;
    case 'le':
      return a <= b;
    case 'gt':
      return a > b;
    case 'ge':
      return a >= b;
  }
}

function textOf(value: Value): string {
  return decoder.decode(value as Uint8Array);
}

export function isWide(value: bigint): boolean {
  return value >= LIMIT || value <= -LIMIT;
}

/** Lists are arrays, bytes and texts are told apart by the caller's type; WORDS hold no invalid UTF-8. */
function sizeOf(value: Value): bigint {
  return BigInt((value as { length: number }).length);
}

export function sizeOfText(value: Uint8Array): bigint {
  return BigInt(Array.from(decoder.decode(value)).length);
}

function extreme(operator: 'min' | 'max', type: ExpressionType, values: readonly (bigint | number)[]): bigint | number {
  const best = values.reduce((left, right) => ((operator === 'min' ? right < left : right > left) ? right : left));
  return type === 'double' ? Number(best) : best;
}

/** The same operations in the same order as the core: sines differ from library to library, sums from order to order. */
function distance(lat1: number, lon1: number, lat2: number, lon2: number): number {
  const radians = (degrees: number): number => degrees * (Math.PI / 180);
  const [y, x] = [Math.sin(radians(lat2 - lat1) / 2), Math.sin(radians(lon2 - lon1) / 2)];
  const square = y * y + Math.cos(radians(lat1)) * Math.cos(radians(lat2)) * x * x;
  return 2 * 6371008.8 * Math.asin(Math.min(1, Math.sqrt(square)));
}

/** The number of the interval among 2^bits that holds a coordinate, by halving numbers of intervals. */
function interval(value: number, limit: number, bits: number): bigint {
  let low = 0n;
  let high = 1n << BigInt(bits);
  const count = Number(high);
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (value >= (2 * limit * Number(middle)) / count - limit) low = middle;
    else high = middle;
  }
  return low;
}

function tile(latitude: number, longitude: number, precision: number): Uint8Array | null {
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) return null;
  const bits = 5 * precision;
  const x = interval(longitude, 180, Math.ceil(bits / 2))
    .toString(2)
    .padStart(Math.ceil(bits / 2), '0');
  const y = interval(latitude, 90, Math.floor(bits / 2))
    .toString(2)
    .padStart(Math.floor(bits / 2), '0');
  const mixed = Array.from(x, (bit, i) => bit + (y[i] ?? '')).join('');
  const digits = mixed.match(/.{5}/g)!.map((five) => '0123456789bcdefghjkmnpqrstuvwxyz'[parseInt(five, 2)]);
  return Buffer.from(digits.join(''));
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Year, month, day, hour, minute, second of the local clock. */
function localParts(zone: string, time: number): number[] {
  const fixed = /^([+-])(\d\d):(\d\d)$/.exec(zone);
  if (fixed !== null) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3]);
    return localParts('UTC', time + Number(`${fixed[1]}1`) * minutes * 60_000);
  }
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
    formats.set(zone, format);
  }
  return format.format(time).match(/\d+/g)!.map(Number);
}

interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly localDay: number;
}

function timePart(part: (local: LocalTime) => number): Operation {
  return {
    of: ([at, zoneValue]) => {
      const time = Number(at);
      const zone = zoneValue instanceof Uint8Array ? textOf(zoneValue) : 'UTC';
      const [start, end] = zone === 'UTC' ? [UTC_TIME_START, UTC_TIME_END] : [ZONE_TIME_START, ZONE_TIME_END];
      if (time < start || time >= end) return null;
      const [year, month, day, hour, minute, second] = localParts(zone, time);
      const localDay = Date.UTC(year, month - 1, day) / DAY_MS;
      return BigInt(part({ year, month, day, hour, minute, second, localDay }));
    },
  };
}

const MASK = 2n ** 64n - 1n;

function hashOf(value: Value): bigint | null {
  if (value instanceof Uint8Array) return murmur(value);
  const bytes = Buffer.alloc(8);
  if (typeof value === 'number') {
    bytes.writeDoubleLE(value + 0);
  } else bytes.writeBigUInt64LE(BigInt(value as bigint | boolean) & MASK);
  return murmur(bytes);
}

/** MurmurHash3 x64_128, its halves XORed, 53 bits of it. */
function murmur(bytes: Uint8Array): bigint {
  const rotate = (x: bigint, by: bigint): bigint => ((x << by) | (x >> (64n - by))) & MASK;
  const [c1, c2] = [0x87c37b91114253d5n, 0x4cf5ad432745937fn];
  const mix1 = (k: bigint): bigint => (rotate((k * c1) & MASK, 31n) * c2) & MASK;
  const mix2 = (k: bigint): bigint => (rotate((k * c2) & MASK, 33n) * c1) & MASK;
  const word = (from: number): bigint => {
    const block = Buffer.alloc(8);
    block.set(bytes.subarray(from, from + 8));
    return block.readBigUInt64LE();
  };
  let [h1, h2] = [0n, 0n];
  let at = 0;
  for (; at + 16 <= bytes.length; at += 16) {
    h1 = ((rotate(h1 ^ mix1(word(at)), 27n) + h2) * 5n + 0x52dce729n) & MASK;
    h2 = ((rotate(h2 ^ mix2(word(at + 8)), 31n) + h1) * 5n + 0x38495ab5n) & MASK;
  }
  if (bytes.length - at > 8) h2 ^= mix2(word(at + 8));
  if (bytes.length > at) h1 ^= mix1(word(at));
  const finish = (x: bigint): bigint => {
    let k = ((x ^ (x >> 33n)) * 0xff51afd7ed558ccdn) & MASK;
    k = ((k ^ (k >> 33n)) * 0xc4ceb9fe1a85ec53n) & MASK;
    return k ^ (k >> 33n);
  };
  const length = BigInt(bytes.length);
  h1 = ((h1 ^ length) + (h2 ^ length)) & MASK;
  h2 = ((h2 ^ length) + h1) & MASK;
  h1 = finish(h1);
  h2 = finish(h2);
  h1 = (h1 + h2) & MASK;
  return (h1 ^ ((h2 + h1) & MASK)) >> 11n;
}
