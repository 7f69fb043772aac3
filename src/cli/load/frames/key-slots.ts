/**
 * Keys of entities in frames of the load generator, drawn by Zipf's law. They are drawn in advance, as they lie in memory:
 * drawing for each event would wait for memory twice, since the tables of a large population do not stay in caches that a
 * whole engine uses too.
 */
// hot path: no allocation

import type { FieldPlan } from '../../../../native-free-core/plan/plan.ts';
import { OperatingError } from '../../../errors.ts';
import { createZipf, drawZipf } from '../zipf.ts';
import { KEYS_MAX, keyLayout } from './key-layouts.ts';
import type { FrameInProgress, Slot } from './slot.ts';
import { fieldWithRoom } from './field-with-room.ts';

const WORD = 4294967296;
/** So many draws for each key that even the rarest come, within bounds of memory. */
const DRAWS_PER_KEY = 40;
const DRAWS_MIN = 1 << 18;
const DRAWS_BYTES_MAX = 1 << 25;

/**
 * Whether a field can be filled with any number of keys: enums and booleans have too few, and stay as the template has them.
 */
export function isKeySlot({ type, repeated }: FieldPlan): boolean {
  return (
    !repeated && type !== 'enum' && type !== 'bool' && type !== 'timestamp' && type !== 'map' && type !== 'message'
  );
}

/** `keys`: how many different ones there are. */
export function createKeySlot(field: FieldPlan, keys: number, exponent: number, random: () => number): Slot {
  if (keys > KEYS_MAX)
    throw new OperatingError('bad_option', `too many keys: ${field.name}=${keys} max=${KEYS_MAX}; see --keys`);
  const layout = keyLayout(field, keys);
  const room = fieldWithRoom(field, layout.bytes);
  const zipf = createZipf(keys, exponent, random);
  const words = layout.bytes <= 4 ? 1 : 2;
  const wanted = 2 ** Math.ceil(Math.log2(keys * DRAWS_PER_KEY));
  const count = Math.min(DRAWS_BYTES_MAX / (4 * words), Math.max(DRAWS_MIN, wanted));
  const draws = new Uint32Array(count * words);
  // Three bytes are written as a word that begins with the byte before them, the field's tag.
  const tag = room.bytes[room.valueAt - 1]!;
  for (let d = 0; d < draws.length; d += words) {
    const k = drawZipf(zipf, random() * WORD, random() * WORD);
    draws[d] = layout.bytes === 3 ? (layout.first(k) << 8) | tag : layout.first(k);
    if (words === 2) draws[d + 1] = layout.second(k);
  }
  return new KeySlot(room, layout.bytes, draws, count - 1);
}

class KeySlot implements Slot {
  readonly placeholder: Uint8Array;
  readonly valueAt: number;
  readonly #bytes: number;
  readonly #draws: Uint32Array;
  readonly #mask: number;

  constructor(room: { bytes: Uint8Array; valueAt: number }, bytes: number, draws: Uint32Array, mask: number) {
    this.placeholder = room.bytes;
    this.valueAt = room.valueAt;
    this.#bytes = bytes;
    this.#draws = draws;
    this.#mask = mask;
  }

  fill(frame: FrameInProgress, places: Int32Array): void {
    switch (this.#bytes) {
      case 8:
        return fillTwoWords(frame, places, this.#draws, this.#mask);
      case 4:
        return fillWord(frame, places, this.#draws, this.#mask, 0);
      case 3:
        return fillWord(frame, places, this.#draws, this.#mask, 1);
      case 2:
        return fillHalfWord(frame, places, this.#draws, this.#mask);
      default:
        return fillByte(frame, places, this.#draws, this.#mask);
    }
  }
}

/** `shift`: how many bytes before its value a draw begins. */
function fillWord(frame: FrameInProgress, places: Int32Array, draws: Uint32Array, mask: number, shift: number): void {
  const { view, at, firstEvent, events, drawFrom } = frame;
  for (let i = 0; i < events; i++) {
    const place = places[firstEvent + i]!;
    if (place >= 0) view.setUint32(at + place - shift, draws[(drawFrom + i) & mask]!, true);
  }
}

function fillTwoWords(frame: FrameInProgress, places: Int32Array, draws: Uint32Array, mask: number): void {
  const { view, at, firstEvent, events, drawFrom } = frame;
  for (let i = 0; i < events; i++) {
    const place = places[firstEvent + i]!;
    if (place < 0) continue;
    const draw = 2 * ((drawFrom + i) & mask);
    view.setUint32(at + place, draws[draw]!, true);
    view.setUint32(at + place + 4, draws[draw + 1]!, true);
  }
}

function fillHalfWord(frame: FrameInProgress, places: Int32Array, draws: Uint32Array, mask: number): void {
  const { view, at, firstEvent, events, drawFrom } = frame;
  for (let i = 0; i < events; i++) {
    const place = places[firstEvent + i]!;
    if (place >= 0) view.setUint16(at + place, draws[(drawFrom + i) & mask]!, true);
  }
}

function fillByte(frame: FrameInProgress, places: Int32Array, draws: Uint32Array, mask: number): void {
  const { view, at, firstEvent, events, drawFrom } = frame;
  for (let i = 0; i < events; i++) {
    const place = places[firstEvent + i]!;
    if (place >= 0) view.setUint8(at + place, draws[(drawFrom + i) & mask]!);
  }
}
