/** A field as the load generator's slots write it: its tag, and room for a value that is put in later. */

import type { FieldPlan } from '../../../../native-free-core/plan/plan.ts';
import { writeVarint } from '../../../../native-free-core/codec/wire-write.ts';
import { WIRE_BYTES } from '../../../../native-free-core/codec/wire.ts';
import { wireTypeOf } from '../../../../native-free-core/codec/wire-types.ts';

/** A field's tag, the length where its type has one, and `valueBytes` zeros. */
export function fieldWithRoom(field: FieldPlan, valueBytes: number): { bytes: Uint8Array; valueAt: number } {
  const wire = wireTypeOf(field);
  const head = new Uint8Array(10);
  let valueAt = writeVarint(head, 0, (field.number << 3) | wire);
  if (wire === WIRE_BYTES) valueAt = writeVarint(head, valueAt, valueBytes);
  const bytes = new Uint8Array(valueAt + valueBytes);
  bytes.set(head.subarray(0, valueAt));
  return { bytes, valueAt };
}
