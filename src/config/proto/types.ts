/** Messages and enums with all names resolved: what link.ts makes and flatten-message.ts turns into columns. */

import type { NumberRanges, ProtoScalar } from '../../../native-free-core/plan/plan.ts';
import type { Place } from './place.ts';

export interface ProtoEnum {
  /** With its package, without a leading dot. */
  readonly fullName: string;
  /** As they are written; of aliases all. */
  readonly values: readonly (readonly [number, string])[];
  readonly reservedNumbers: NumberRanges;
}

export interface ProtoOneof {
  readonly name: string;
  readonly fields: ProtoField[];
}

/** Type of a field, and of a map's values. */
export type ProtoType =
  | { readonly kind: 'scalar'; readonly scalar: ProtoScalar }
  | { readonly kind: 'message'; readonly message: ProtoMessage }
  | { readonly kind: 'enum'; readonly enum: ProtoEnum };

export interface ProtoField {
  readonly name: string;
  readonly jsonName: string;
  readonly number: number;
  readonly place: Place;
  readonly repeated: boolean;
  /** `optional`. */
  readonly optional: boolean;
  readonly type: ProtoType;
  /** Type of a map's keys; null: no map. */
  readonly mapKey: ProtoScalar | null;
  readonly oneof: ProtoOneof | null;
  readonly deprecated: boolean;
  readonly comment: string;
}

export interface ProtoMessage {
  readonly fullName: string;
  /** In the order of the file. */
  readonly fields: ProtoField[];
  readonly oneofs: ProtoOneof[];
  readonly reserved: { readonly numbers: NumberRanges; readonly names: readonly string[] };
}
