/**
 * Whether a field may change its type while producers of both versions send and rows of both are stored: the bytes must mean
 * the same number on the wire, and every stored value must fit the new column.
 */

import { lookup } from '../../../native-free-core/base/lookup.ts';
import type { FieldPlan } from '../../../native-free-core/plan/plan.ts';

/** To which types a scalar widens: same wire encoding, all values kept. */
export const WIDER: Readonly<Record<string, readonly string[]>> = {
  bool: ['uint32', 'uint64', 'int32', 'int64'],
  int32: ['int64'],
  uint32: ['uint64', 'int64'],
  sint32: ['sint64'],
};

/** How a type lies in the message's bytes. */
const WIRE: Readonly<Record<string, string>> = {
  bool: 'a varint',
  int32: 'a varint',
  int64: 'a varint',
  uint32: 'a varint',
  uint64: 'a varint',
  enum: 'a varint',
  sint32: 'a zigzag varint',
  sint64: 'a zigzag varint',
  fixed32: 'four bytes',
  sfixed32: 'four bytes',
  float: 'four bytes as a float',
  fixed64: 'eight bytes',
  sfixed64: 'eight bytes',
  double: 'eight bytes as a double',
};

const NARROWER: Readonly<Record<string, readonly string[]>> = {
  int64: ['int32', 'uint32', 'bool'],
  uint64: ['uint32', 'int32', 'bool'],
  int32: ['bool'],
  uint32: ['bool'],
  sint64: ['sint32'],
};

/** A type as the .proto has it. */
export function fieldTypeText(field: FieldPlan): string {
  const plain = field.type === 'message' ? (field.message?.name ?? 'message') : field.type;
  if (field.type === 'map') return `map<string, ${field.mapValue}>`;
  return field.repeated ? `repeated ${plain}` : plain;
}

export type Retype =
  | { readonly verdict: 'same' }
  | { readonly verdict: 'wider'; readonly note: string }
  | { readonly verdict: 'refused'; readonly reason: string };

export function retype(from: FieldPlan, to: FieldPlan): Retype {
  const shapes: readonly string[] = [shapeOf(from), shapeOf(to)];
  if (shapes[0] !== shapes[1])
    return refuse(`${fieldTypeText(from)} cannot become ${fieldTypeText(to)}: stored rows hold ${shapes[0]}`);
  const [a, b] = from.type === 'map' ? [from.mapValue!, to.mapValue!] : [from.type, to.type];
  if (a === b) return { verdict: 'same' };
  if (lookup(WIDER, a)?.includes(b)) {
    const note = a === 'bool' ? '; producers of JSON write 0 and 1 from now on, not true and false' : '';
    return { verdict: 'wider', note };
  }
  return refuse(reasonOf(a, b));
}

function shapeOf(field: FieldPlan): string {
  if (field.type === 'map') return 'a map';
  if (field.type === 'message') return 'a message';
  return field.repeated ? 'a list' : 'one value';
}

function refuse(reason: string): Retype {
  return { verdict: 'refused', reason };
}

function reasonOf(from: string, to: string): string {
  if (lookup(NARROWER, from)?.includes(to)) return `${from} is wider than ${to}: stored values would not fit`;
  const [was, becomes] = [lookup(WIRE, from), lookup(WIRE, to)];
  if (was !== undefined && becomes !== undefined && was !== becomes)
    return `${from} is ${was} on the wire, ${to} is ${becomes}: events of producers with the old schema would be misread`;
  if (was !== undefined && becomes !== undefined) return `some values of ${from} are others as ${to}`;
  return `${from} cannot be read as ${to}`;
}
