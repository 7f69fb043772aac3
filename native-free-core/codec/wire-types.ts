/**
 * The wire type of a field's values, one by one: what its tag says. Asked by walk-event.ts, which reads fields, and by the
 * load generator, which writes them.
 */

import type { FieldPlan } from '../plan/plan.ts';
import { WIRE_BYTES, WIRE_FIXED32, WIRE_FIXED64, WIRE_VARINT } from './wire.ts';

export function wireTypeOf({ type }: Pick<FieldPlan, 'type'>): number {
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
    case 'int32':
    case 'int64':
    case 'uint32':
    case 'uint64':
    case 'sint32':
    case 'sint64':
    case 'bool':
    case 'enum':
      return WIRE_VARINT;
  }
}
