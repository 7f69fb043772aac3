/** How a field's value lies on the wire, as far as the load generator's slots and templates must know. */

import type { FieldPlan } from '../../../../native-free-core/plan/plan.ts';
import { writeVarint } from '../../../../native-free-core/codec/wire-write.ts';
import { WIRE_BYTES, WIRE_FIXED32, WIRE_FIXED64, WIRE_VARINT } from '../../../../native-free-core/codec/wire.ts';

export function wireType({ type }: Pick<FieldPlan, 'type'>): number {
  switch (type) {
    case 'fixed32':
    case 'sfixed32':
    case 'float':
      return WIRE_FIXED32;
    case 'fixed64':
    case 'sfixed64':
    case 'double':
      return WIRE_FIXED64;
    case 'string':
    case 'bytes':
    case 'message':
    case 'map':
    case 'timestamp':
      return WIRE_BYTES;
    default:
      return WIRE_VARINT;
  }
}

/** A field's tag, the length where its type has one, and `valueBytes` zeros. */
export function fieldWithRoom(field: FieldPlan, valueBytes: number): { bytes: Uint8Array; valueAt: number } {
  const wire = wireType(field);
  const head = new Uint8Array(10);
  let valueAt = writeVarint(head, 0, (field.number << 3) | wire);
  if (wire === WIRE_BYTES) valueAt = writeVarint(head, valueAt, valueBytes);
  const bytes = new Uint8Array(valueAt + valueBytes);
  bytes.set(head.subarray(0, valueAt));
  return { bytes, valueAt };
}
