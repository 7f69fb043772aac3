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

/** undefined: the operator is no function. No value is null; integers may be wide. */
export function callFunction(
  operator: ExpressionOperator,
  type: ExpressionType,
  values: readonly Value[],
): Value | undefined {
  const [a, b] = values;
  switch (operator) {
    case 'starts_with':
      return Buffer.from(a as Uint8Array).indexOf(Buffer.from(b as Uint8Array)) === 0;
    case 'ends_with':
      return Buffer.compare((a as Uint8Array).slice(-(b as Uint8Array).length || Infinity), b as Uint8Array) === 0;
    case 'contains':
      return Buffer.from(a as Uint8Array).includes(Buffer.from(b as Uint8Array));
    case 'matches':
      return regExpOf(textOf(b)).test(textOf(a));
    case 'in_list': {
      const entry = a instanceof Uint8Array ? textOf(a) : String(a);
      return LISTS.find(({ name }) => name === textOf(b))!.entries.includes(entry);
    }
    case 'size':
      return sizeOf(a);
    case 'hash':
      return hashOf(a);
    default:
      if (values.some((value) => typeof value === 'bigint' && isWide(value))) return null;
      return ofNumbers(operator, type, values);
  }
}

function textOf(value: Value): string {
  return decoder.decode(value as Uint8Array);
}

function isWide(value: bigint): boolean {
  return value >= LIMIT || value <= -LIMIT;
}

/** Lists are arrays, bytes and texts are told apart by the caller's type; WORDS hold no invalid UTF-8. */
function sizeOf(value: Value): bigint {
  return BigInt((value as { length: number }).length);
}

export function sizeOfText(value: Uint8Array): bigint {
  return BigInt(Array.from(decoder.decode(value)).length);
}

function ofNumbers(operator: ExpressionOperator, type: ExpressionType, values: readonly Value[]): Value | undefined {
  const [a, b] = values;
  const [x, y, z, w] = values.map(Number);
  switch (operator) {
    case 'abs':
      return typeof a === 'bigint' ? (a < 0n ? -a : a) : Math.abs(x);
    case 'min':
    case 'max':
      return extreme(operator, type, values as (bigint | number)[]);
    case 'floor':
      return Math.floor(x);
    case 'ceil':
      return Math.ceil(x);
    case 'sqrt':
      return Math.sqrt(x);
    case 'log':
      return Math.log(x);
    case 'exp':
      return Math.exp(x);
    case 'pow':
      return Math.pow(x, y);
    case 'to_double':
      return x;
    case 'to_int':
      return Math.abs(x) < Number(LIMIT) ? BigInt(Math.trunc(x)) : null;
    case 'geo_distance':
      return distance(x, y, z, w);
    case 'geo_tile':
      return tile(x, y, Number(values[2]));
    default:
      return timePart(operator, x, b);
  }
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

const PARTS: ReadonlySet<ExpressionOperator> = new Set([
  'year',
  'month',
  'day_of_month',
  'day_of_year',
  'weekday',
  'hour',
  'minute',
  'second',
  'local_day',
]);

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

function timePart(operator: ExpressionOperator, time: number, zoneValue: Value): bigint | null | undefined {
  if (!PARTS.has(operator)) return undefined;
  const zone = zoneValue instanceof Uint8Array ? textOf(zoneValue) : 'UTC';
  const [start, end] = zone === 'UTC' ? [UTC_TIME_START, UTC_TIME_END] : [ZONE_TIME_START, ZONE_TIME_END];
  if (time < start || time >= end) return null;
  const [year, month, day, hour, minute, second] = localParts(zone, time);
  const localDay = Date.UTC(year, month - 1, day) / DAY_MS;
  const parts: Partial<Record<ExpressionOperator, number>> = {
    year,
    month,
    day_of_month: day,
    day_of_year: localDay - Date.UTC(year, 0, 1) / DAY_MS + 1,
    weekday: new Date(localDay * DAY_MS).getUTCDay(),
    hour,
    minute,
    second,
    local_day: localDay,
  };
  return BigInt(parts[operator]!);
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
