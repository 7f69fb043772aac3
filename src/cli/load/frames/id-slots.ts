/**
 * Event ids of the load generator: unique over frames, connections and runs, and computable in SQL from where the row came
 * from, so that the proof at the end needs no memory of what was sent.
 *
 *   text, bytes   6 characters of run and connection · 10 hex digits of seq * 8192 + index
 *   64-bit        2^62 + run * 2^41 + (seq * events per frame + index) * connections + connection
 *   32-bit        (run * a constant + the same number) mod 2^31
 */
// hot path: no allocation

import type { FieldPlan } from '../../../../native-free-core/plan/plan.ts';
import { WIRE_VARINT } from '../../../../native-free-core/codec/wire.ts';
import { EVENTS_PER_SEQ, type FrameInProgress, type Slot } from './slot.ts';
import { wireTypeOf } from '../../../../native-free-core/codec/wire-types.ts';
import { fieldWithRoom } from './field-with-room.ts';

export const TEXT_ID_BYTES = 16;
const HEX = '0123456789abcdef';
const WORD = 4294967296;
/** 2^41 event numbers a run, more than a year of a million events a second; in words of 32 bits. */
const RUN_SHIFT_HIGH = 9;
/** Bit 62: ids have nine bytes as varints, and the sign stays clear. */
const WIDE_HIGH = 0x40000000;
/** Spreads runs over the 31 bits (2^32 over the golden ratio). */
const NARROW_RUN_FACTOR = 0x9e3779b1;
const NARROW_MASK = 0x7fffffff;
const VARINT_BYTES_WIDE = 10;
const VARINT_BYTES_NARROW = 5;

/** Two hex digits of each byte, as they lie in memory. */
export function createDigits(): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, byte) => HEX.charCodeAt(byte >> 4) | (HEX.charCodeAt(byte & 15) << 8));
}

const DIGITS = createDigits();

/** `connections`: of the run. */
export function createIdSlot(field: FieldPlan, connections: number): Slot {
  return field.type === 'string' || field.type === 'bytes' ? new TextIds(field) : new NumberIds(field, connections);
}

class TextIds implements Slot {
  readonly placeholder: Uint8Array;
  readonly valueAt: number;

  constructor(field: FieldPlan) {
    const { bytes, valueAt } = fieldWithRoom(field, TEXT_ID_BYTES);
    this.placeholder = bytes;
    this.valueAt = valueAt;
  }

  fill(frame: FrameInProgress, places: Int32Array): void {
    const { view, at, firstEvent, events, seq, stream } = frame;
    const first = stream.prefixLow;
    // The upper 24 bits of the 40 are the frame's: 3 bytes, 6 digits.
    const upper = Math.floor((seq * EVENTS_PER_SEQ) / 65536);
    const second = stream.prefixHigh | (DIGITS[upper >>> 16]! << 16);
    const third = DIGITS[(upper >>> 8) & 255]! | (DIGITS[upper & 255]! << 16);
    const lower = (seq * EVENTS_PER_SEQ) & 65535;
    for (let i = 0; i < events; i++) {
      const place = places[firstEvent + i]!;
      if (place < 0) continue;
      const p = at + place;
      const number = lower + i;
      view.setUint32(p, first, true);
      view.setUint32(p + 4, second, true);
      view.setUint32(p + 8, third, true);
      view.setUint32(p + 12, DIGITS[number >>> 8]! | (DIGITS[number & 255]! << 16), true);
    }
  }
}

class NumberIds implements Slot {
  readonly placeholder: Uint8Array;
  readonly valueAt: number;
  readonly #connections: number;
  readonly #isWide: boolean;
  readonly #isVarint: boolean;
  readonly #isZigzag: boolean;

  constructor(field: FieldPlan, connections: number) {
    this.#connections = connections;
    this.#isWide = isWideInteger(field.type);
    this.#isVarint = wireTypeOf(field) === WIRE_VARINT;
    this.#isZigzag = field.type === 'sint32' || field.type === 'sint64';
    const varintBytes = this.#isWide ? VARINT_BYTES_WIDE : VARINT_BYTES_NARROW;
    const { bytes, valueAt } = fieldWithRoom(field, this.#isVarint ? varintBytes : this.#isWide ? 8 : 4);
    this.placeholder = bytes;
    this.valueAt = valueAt;
  }

  fill(frame: FrameInProgress, places: Int32Array): void {
    const { view, at, firstEvent, events, seq, stream } = frame;
    const base = narrowBase(stream.run);
    const runHigh = (WIDE_HIGH | (stream.run << RUN_SHIFT_HIGH)) >>> 0;
    for (let i = 0; i < events; i++) {
      const place = places[firstEvent + i]!;
      if (place < 0) continue;
      const number = (seq * events + i) * this.#connections + stream.connection;
      let high = this.#isWide ? (Math.floor(number / WORD) + runHigh) | 0 : 0;
      let low = this.#isWide ? number | 0 : ((number | 0) + base) & NARROW_MASK;
      if (this.#isZigzag) {
        high = (high << 1) | (low >>> 31);
        low <<= 1;
      }
      this.#put(view, at + place, low, high);
    }
  }

  #put(view: DataView, at: number, low: number, high: number): void {
    if (this.#isVarint) {
      putPaddedVarint(view, at, low, high, this.#isWide ? VARINT_BYTES_WIDE : VARINT_BYTES_NARROW);
      return;
    }
    view.setInt32(at, low, true);
    if (this.#isWide) view.setInt32(at + 4, high, true);
  }
}

function isWideInteger(type: FieldPlan['type']): boolean {
  return type === 'int64' || type === 'uint64' || type === 'sint64' || type === 'fixed64' || type === 'sfixed64';
}

function narrowBase(run: number): number {
  return Math.imul(run, NARROW_RUN_FACTOR) & NARROW_MASK;
}

/** A varint of exactly so many bytes, which every parser takes. */
function putPaddedVarint(view: DataView, at: number, low: number, high: number, bytes: number): void {
  const last = at + bytes - 1;
  let lo = low >>> 0;
  let hi = high >>> 0;
  for (let p = at; p < last; p++) {
    view.setUint8(p, (lo & 127) | 128);
    lo = ((lo >>> 7) | (hi << 25)) >>> 0;
    hi >>>= 7;
  }
  view.setUint8(last, lo & 127);
}

/** What the id of a row must be, in SQL: from its frame and index, and from the number of its connection (`connection`). */
export interface IdOrigin {
  readonly run: string;
  readonly seq: string;
  readonly index: string;
  /** The two characters of the connection; and its number. */
  readonly connectionText: string;
  readonly connection: string;
  readonly connections: number;
  readonly eventsPerFrame: number;
}

/** A condition that holds where the column `id` is what was sent. */
export function createIdCondition(field: FieldPlan, id: string, origin: IdOrigin): string {
  const { run, seq, index } = origin;
  if (field.type === 'string' || field.type === 'bytes') {
    const number = `leftPad(lower(hex(${seq} * ${EVENTS_PER_SEQ} + ${index})), 10, '0')`;
    return `${id} = concat('${run}', ${origin.connectionText}, ${number})`;
  }
  const number = `(${seq} * ${origin.eventsPerFrame} + ${index}) * ${origin.connections} + ${origin.connection}`;
  const runNumber = Number.parseInt(run, 36);
  if (!isWideInteger(field.type))
    return `toUInt32(${id}) = bitAnd(${narrowBase(runNumber)} + ${number}, ${NARROW_MASK})`;
  const base = WIDE_HIGH * WORD + runNumber * 2 ** RUN_SHIFT_HIGH * WORD;
  return `toUInt64(${id}) = toUInt64('${base.toFixed(0)}') + ${number}`;
}
