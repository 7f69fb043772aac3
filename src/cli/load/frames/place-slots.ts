/**
 * Makes an event into a template: where a field is a slot, its value gives way to a placeholder of fixed width; slots that
 * every event needs are added where the event has none. All other fields stay as they came, their lengths written as short
 * as they can be.
 */

import { fail } from '../../../../native-free-core/base/fail.ts';
import {
  createByteWriter,
  makeRoom,
  putBlockOf,
  putTag,
  type ByteWriter,
} from '../../../../native-free-core/codec/byte-writer.ts';
import { WIRE_BYTES, readLength, readTag, readWords, skipField } from '../../../../native-free-core/codec/wire.ts';
import { NESTING_MAX } from '../../../../native-free-core/layout/limits.ts';
import type { FieldPlan, MessagePlan } from '../../../../native-free-core/plan/plan.ts';
import type { FieldPath } from './key-fields.ts';
import type { Slot } from './slot.ts';

/** A message with the slots in it and in messages within it, by field number. */
export interface SlotTree {
  /** Of the field that holds it; 0: the event itself. */
  readonly number: number;
  readonly slots: Map<number, SlotPlace>;
  readonly messages: Map<number, SlotTree>;
  hasSlots: boolean;
  /** Whether a slot in it is needed by every event. */
  isRequired: boolean;
}

interface SlotPlace {
  readonly slot: Slot;
  /** Index among all slots. */
  readonly index: number;
  readonly field: FieldPlan;
  readonly isRequired: boolean;
}

export interface SlotField {
  readonly slot: Slot;
  readonly path: FieldPath;
  readonly isRequired: boolean;
}

export interface PlacedEvent {
  readonly bytes: Uint8Array;
  /** By slot: where its value begins, or -1. */
  readonly places: readonly number[];
}

export function slotTree(message: MessagePlan, fields: readonly SlotField[]): SlotTree {
  const root = treeOf(message, 0);
  fields.forEach(({ slot, path, isRequired }, index) => {
    let tree = root;
    // A branch of a oneof is never added: it would take the place of the one that the event has.
    const isAdded = isRequired && path.every(({ branch, oneof }) => branch < 0 && oneof < 0);
    for (const field of path.slice(0, -1)) {
      tree = tree.messages.get(field.number)!;
      tree.hasSlots = true;
      tree.isRequired ||= isAdded;
    }
    const field = path.at(-1)!;
    tree.slots.set(field.number, { slot, index, field, isRequired: isAdded });
  });
  return root;
}

function treeOf(message: MessagePlan, number: number): SlotTree {
  const inside = message.fields.filter(({ type }) => type === 'message');
  return {
    number,
    slots: new Map(),
    hasSlots: false,
    messages: new Map(inside.map((field) => [field.number, treeOf(field.message!, field.number)])),
    isRequired: false,
  };
}

/** `bytes[start, end)` is the event, READ_MARGIN bytes more are there; `slots`: how many there are in all. */
export function placeSlots(tree: SlotTree, bytes: Uint8Array, start: number, end: number, slots: number): PlacedEvent {
  const places = Array.from({ length: slots }, () => -1);
  const out = placeMessage(tree, { bytes, places }, start, end, 0);
  return { bytes: out.bytes.slice(0, out.end), places };
}

interface Placing {
  readonly bytes: Uint8Array;
  readonly places: number[];
}

/** One for each depth, so that what lies within is whole before its length is written. */
const writers = Array.from({ length: NESTING_MAX + 2 }, () => createByteWriter(1 << 10));

function placeMessage(tree: SlotTree, placing: Placing, start: number, end: number, depth: number): ByteWriter {
  const { bytes, places } = placing;
  const out = writers[depth]!;
  out.end = 0;
  for (const place of tree.slots.values()) {
    const { number, implicit } = place.field;
    if (place.isRequired || hasField(bytes, start, end, number, implicit === true)) putPlaceholder(out, place, places);
  }
  for (const inside of tree.messages.values()) {
    if (inside.isRequired && !hasField(bytes, start, end, inside.number, false))
      putMessage(out, inside, placing, 0, 0, depth);
  }
  for (let p = start; p < end;) {
    const tagAt = p;
    const valueAt = readTag(bytes, p);
    const tag = readWords[0]!;
    p = valueAt < 0 ? -1 : skipField(bytes, valueAt, end, tag, depth);
    if (p < 0) return fail('load_event_bytes', tagAt - start);
    const number = tag >>> 3;
    const inside = tree.messages.get(number);
    const place = tree.slots.get(number);
    if (place !== undefined && places[place.index]! >= 0) continue;
    if ((tag & 7) !== WIRE_BYTES) putRaw(out, bytes, tagAt, p);
    else {
      const contentAt = readLength(bytes, valueAt);
      if (inside !== undefined) putMessage(out, inside, placing, contentAt, p, depth);
      else {
        putTag(out, number, WIRE_BYTES);
        putBlockOf(out, bytes, contentAt, p);
      }
    }
  }
  return out;
}

function putPlaceholder(out: ByteWriter, { slot, index }: SlotPlace, places: number[]): void {
  places[index] = out.end + slot.valueAt;
  putRaw(out, slot.placeholder, 0, slot.placeholder.length);
}

function putMessage(
  out: ByteWriter,
  inside: SlotTree,
  placing: Placing,
  start: number,
  end: number,
  depth: number,
): void {
  const { places } = placing;
  const before = inside.hasSlots ? [...places] : places;
  const content = placeMessage(inside, placing, start, end, depth + 1);
  putTag(out, inside.number, WIRE_BYTES);
  putBlockOf(out, content.bytes, 0, content.end);
  if (!inside.hasSlots) return;
  const contentAt = out.end - content.end;
  places.forEach((place, i) => {
    if (place !== before[i]) places[i] = place + contentAt;
  });
}

function putRaw(out: ByteWriter, bytes: Uint8Array, start: number, end: number): void {
  makeRoom(out, end - start);
  out.bytes.set(bytes.subarray(start, end), out.end);
  out.end += end - start;
}

/** `isImplicit`: absence and the default are one, and the default counts as absence. */
function hasField(bytes: Uint8Array, start: number, end: number, number: number, isImplicit: boolean): boolean {
  let isThere = false;
  for (let p = start; p < end;) {
    const valueAt = readTag(bytes, p);
    const tag = readWords[0]!;
    p = valueAt < 0 ? -1 : skipField(bytes, valueAt, end, tag, 0);
    if (p < 0) return false;
    if (tag >>> 3 === number) isThere = !isImplicit || bytes.subarray(valueAt, p).some((byte) => byte !== 0);
  }
  return isThere;
}
