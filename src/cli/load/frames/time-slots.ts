/**
 * The event time in frames of the load generator: a google.protobuf.Timestamp, or whole milliseconds in a 64-bit integer.
 * All events of a frame have the same, so that its words are computed once.
 *
 *   Timestamp   08 seconds, 5 bytes · 10 nanos, 5 bytes        varint   8 bytes, padded        fixed   8 bytes
 */
// hot path: no allocation

import type { FieldPlan } from '../../../../native-free-core/plan/plan.ts';
import { WIRE_VARINT } from '../../../../native-free-core/codec/wire.ts';
import type { FrameInProgress, Slot } from './slot.ts';
import { wireTypeOf } from '../../../../native-free-core/codec/wire-types.ts';
import { fieldWithRoom } from './field-with-room.ts';

const TIMESTAMP_BYTES = 12;
const INTEGER_BYTES = 8;
const WORD = 4294967296;

export function createTimeSlot(field: FieldPlan): Slot {
  return field.type === 'timestamp' ? new Timestamps(field) : new Milliseconds(field);
}

class Timestamps implements Slot {
  readonly placeholder: Uint8Array;
  readonly valueAt: number;

  constructor(field: FieldPlan) {
    const { bytes, valueAt } = fieldWithRoom(field, TIMESTAMP_BYTES);
    this.placeholder = bytes;
    this.valueAt = valueAt;
  }

  fill(frame: FrameInProgress, places: Int32Array): void {
    const { view, at, firstEvent, events, timeMs } = frame;
    const seconds = Math.floor(timeMs / 1000);
    const nanos = (timeMs - seconds * 1000) * 1000000;
    // 08 and the first three bytes of the seconds; the other two, 10 and the first of the nanos; the other four.
    const first =
      0x08 | ((continued(seconds) | (continued(seconds >>> 7) << 8) | (continued(seconds >>> 14) << 16)) << 8);
    const second =
      continued(seconds >>> 21) | (Math.floor(seconds / 268435456) << 8) | 0x100000 | (continued(nanos) << 24);
    const third =
      continued(nanos >>> 7) |
      (continued(nanos >>> 14) << 8) |
      (continued(nanos >>> 21) << 16) |
      ((nanos >>> 28) << 24);
    for (let i = 0; i < events; i++) {
      const place = places[firstEvent + i]!;
      if (place < 0) continue;
      const p = at + place;
      view.setInt32(p, first, true);
      view.setInt32(p + 4, second, true);
      view.setInt32(p + 8, third, true);
    }
  }
}

class Milliseconds implements Slot {
  readonly placeholder: Uint8Array;
  readonly valueAt: number;
  readonly #isVarint: boolean;
  readonly #scale: number;

  constructor(field: FieldPlan) {
    const { bytes, valueAt } = fieldWithRoom(field, INTEGER_BYTES);
    this.placeholder = bytes;
    this.valueAt = valueAt;
    this.#isVarint = wireTypeOf(field) === WIRE_VARINT;
    // Zigzag: a number that is not negative is doubled.
    this.#scale = field.type === 'sint64' ? 2 : 1;
  }

  fill(frame: FrameInProgress, places: Int32Array): void {
    const { view, at, firstEvent, events, timeMs } = frame;
    const value = timeMs * this.#scale;
    const upper = Math.floor(value / 268435456);
    const first = this.#isVarint ? fourContinued(value % 268435456) : (value % WORD) | 0;
    // The last of eight bytes ends the varint.
    const second = this.#isVarint ? fourContinued(upper) & NOT_CONTINUED : Math.floor(value / WORD);
    for (let i = 0; i < events; i++) {
      const place = places[firstEvent + i]!;
      if (place < 0) continue;
      view.setInt32(at + place, first, true);
      view.setInt32(at + place + 4, second, true);
    }
  }
}

const NOT_CONTINUED = 0x7fffffff;

/** The lowest seven bits, with the sign that more follow. */
function continued(value: number): number {
  return (value & 127) | 128;
}

/** 28 bits as four such bytes. */
function fourContinued(value: number): number {
  return (
    continued(value) | (continued(value >>> 7) << 8) | (continued(value >>> 14) << 16) | (continued(value >>> 21) << 24)
  );
}
