/**
 * Whether a field may change its type while producers of both versions send and rows of both are stored: the bytes must mean
 * the same number on the wire, and every stored value must fit the new column.
 */

import type { FieldPlan, ProtoScalar } from '../../../native-free-core/plan/plan.ts';

type FieldType = FieldPlan['type'];

/** To which types a scalar widens: same wire encoding, all values kept. */
export const WIDER: Readonly<Partial<Record<FieldType, readonly ProtoScalar[]>>> = {
  bool: ['uint32', 'uint64', 'int32', 'int64'],
  int32: ['int64'],
  uint32: ['uint64', 'int64'],
  sint32: ['sint64'],
};

/** How a type lies in the message's bytes; null: not as one number. */
const WIRE: Readonly<Record<FieldType, string | null>> = {
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
  string: null,
  bytes: null,
  message: null,
  timestamp: null,
  map: null,
};

const NARROWER: Readonly<Partial<Record<FieldType, readonly FieldType[]>>> = {
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
  const [a, b]: readonly [FieldType, FieldType] =
    from.type === 'map' ? [from.mapValue!, to.mapValue!] : [from.type, to.type];
  if (a === b) return { verdict: 'same' };
  if (isAmong(WIDER[a], b)) {
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

function isAmong(types: readonly FieldType[] | undefined, type: FieldType): boolean {
  return types?.includes(type) === true;
}

function reasonOf(from: FieldType, to: FieldType): string {
  if (isAmong(NARROWER[from], to)) return `${from} is wider than ${to}: stored values would not fit`;
  const [was, becomes] = [WIRE[from], WIRE[to]];
  if (was === null || becomes === null) return `${from} cannot be read as ${to}`;
  if (was !== becomes)
    return `${from} is ${was} on the wire, ${to} is ${becomes}: events of producers with the old schema would be misread`;
  return `some values of ${from} are others as ${to}`;
}
