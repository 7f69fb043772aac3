/**
 * JavaScript for reading one value from the wire and for storing it in a column. Used by emit-message.ts; runs when a
 * pipeline is loaded, on each worker.
 *
 * Names in emitted code: `bytes view p end row`, scratch `v b n r lo hi`; column i is `k<i>`, its arrays `c<i>_<array>`, its
 * text heap `t<i>`, its dictionary cache `d<i>`. For elements of lists and maps an `e` follows the number, for keys of maps
 * a `k`. Sums are written `(p + 1) | 0`, so that the compiler need not check each for overflow: 5% of the decoder's time.
 */

import { KINDS } from '../language/kinds/index.ts';
import { fail } from '../base/fail.ts';
import { EVENT_MALFORMED, EVENT_STRING_TOO_LONG } from '../base/outcomes.ts';
import { STRING_BYTES_MAX } from '../layout/limits.ts';
import type { ColumnKind, FieldPlan } from '../plan/plan.ts';
import { WIRE_BYTES, WIRE_FIXED32, WIRE_FIXED64, WIRE_VARINT } from './wire.ts';

export type ValueType = Exclude<FieldPlan['type'], 'message' | 'map'>;

/** What reading leaves behind: `v`; or `lo` and `hi`; or bytes[p, p + n), not yet read past. */
export type ValueForm = 'number' | 'long' | 'text';

export interface ValueCode {
  readonly wire: number;
  readonly form: ValueForm;
  readonly code: string;
}

const MALFORMED = `return ${EVENT_MALFORMED};`;

/** One and two byte varints stay in the emitted code; longer ones are a call. */
const VARINT = `v = bytes[p]; p = (p + 1) | 0;
if (v > 127) {
  b = bytes[p]; p = (p + 1) | 0;
  if (b < 128) v = (v & 127) | (b << 7);
  else { p = readLong(bytes, p - 2); if (p < 0) ${MALFORMED} v = W[0]; }
}`;

const LONG = `lo = bytes[p]; p = (p + 1) | 0; hi = 0;
if (lo > 127) { p = readLong(bytes, p - 1); if (p < 0) ${MALFORMED} lo = W[0]; hi = W[1]; }`;

/** Any bit of the ten bytes makes it true, those beyond the 64th too, as in protobufjs. */
const BOOL = `v = bytes[p]; p = (p + 1) | 0;
if (v > 127) { b = p - 1; p = readLong(bytes, b); if (p < 0) ${MALFORMED} v = W[0] | W[1] | (p - b === 10 ? bytes[p - 1] : 0); }
v = v === 0 ? 0 : 1;`;

export const LENGTH = `n = bytes[p]; p = (p + 1) | 0;
if (n > 127) { p = readLength(bytes, p - 1); if (p < 0) ${MALFORMED} n = W[0]; }
if (n > end - p) ${MALFORMED}`;

const TEXT = `${LENGTH}
if (n > ${STRING_BYTES_MAX}) return ${EVENT_STRING_TOO_LONG};`;

const ZIGZAG32 = 'v = (v >>> 1) ^ -(v & 1);';
const ZIGZAG64 = 'b = -(lo & 1); lo = ((lo >>> 1) | (hi << 31)) ^ b; hi = (hi >>> 1) ^ b;';
const FIXED64 = 'lo = view.getInt32(p, true); hi = view.getInt32(p + 4, true); p = (p + 8) | 0;';

/** `slot`: where a singular timestamp keeps what the event has brought so far; 0: elements of a list, which do not merge. */
export function emitRead(type: ValueType, depth: number, slot: number): ValueCode {
  switch (type) {
    case 'int32':
    case 'uint32':
    case 'enum':
      return { wire: WIRE_VARINT, form: 'number', code: VARINT };
    case 'sint32':
      return { wire: WIRE_VARINT, form: 'number', code: `${VARINT}\n${ZIGZAG32}` };
    case 'bool':
      return { wire: WIRE_VARINT, form: 'number', code: BOOL };
    case 'int64':
    case 'uint64':
      return { wire: WIRE_VARINT, form: 'long', code: LONG };
    case 'sint64':
      return { wire: WIRE_VARINT, form: 'long', code: `${LONG}\n${ZIGZAG64}` };
    case 'fixed32':
    case 'sfixed32':
      return { wire: WIRE_FIXED32, form: 'number', code: 'v = view.getInt32(p, true); p = (p + 4) | 0;' };
    case 'fixed64':
    case 'sfixed64':
      return { wire: WIRE_FIXED64, form: 'long', code: FIXED64 };
    case 'float':
      return { wire: WIRE_FIXED32, form: 'number', code: 'f = view.getFloat32(p, true); p = (p + 4) | 0;' };
    case 'double':
      return { wire: WIRE_FIXED64, form: 'number', code: 'f = view.getFloat64(p, true); p = (p + 8) | 0;' };
    case 'string':
    case 'bytes':
      return { wire: WIRE_BYTES, form: 'text', code: TEXT };
    case 'timestamp':
      return {
        wire: WIRE_BYTES,
        form: 'long',
        code: `${LENGTH}
r = readTimestamp(S, ${slot}, bytes, view, p, p + n, ${depth + 1});
if (r < 0) return r;
p = (p + n) | 0; lo = W[0]; hi = W[1];`,
      };
  }
}

/** Stores what `emitRead` left behind into element or row `at` of column `column` (`7`, `7e`). Text is read past. */
export function emitStore(type: ValueType, kind: ColumnKind, column: string, at: string, element: boolean): string {
  return KINDS[kind].decode.store({ type, form: emitRead(type, 0, 0).form, column, at, element }) ?? refuse(type, kind);
}

/** src/config gives each field a column that can hold it. */
function refuse(type: string, kind: string): never {
  throw new Error(`no column of kind=${kind} holds a field of type=${type}`);
}

export function wireOf(type: ValueType): number {
  return emitRead(type, 0, 0).wire;
}

/** Types whose repeated fields may be packed. */
export function isPackable(type: ValueType): boolean {
  return wireOf(type) !== WIRE_BYTES;
}

export function checkNumber(number: number): void {
  if (!(number >= 1 && number <= 536870911)) fail('field_number', number);
}
