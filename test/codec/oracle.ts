/**
 * What protobufjs says an event is, and what the columns say, both as plain values by column name, so that they compare.
 * Integers of 64 bits are decimal texts, bytes are hexadecimal, NULL is null.
 */

import type protobuf from 'protobufjs';
import type { Column } from '../../native-free-core/layout/column.ts';
import type { ColumnPlan, FieldPlan, MessagePlan, Plan } from '../../native-free-core/plan/plan.ts';
import type { TestDictionary } from './plan-of.ts';

export type Value = null | number | string | Value[] | { [key: string]: Value };
export type Row = Record<string, Value>;

type Long = { low: number; high: number; unsigned: boolean };
type Message = Record<string, unknown>;

const SECONDS_MIN = -62135596800;
const SECONDS_MAX = 253402300799;

/** protobufjs takes any Timestamp; we refuse, as soon as one is read, those outside of the years 1 to 9999. */
let timestampOutOfRange = false;

export function watchTimestamps(root: protobuf.Root): void {
  const type = root.lookupType('google.protobuf.Timestamp').setup();
  const decode = type.decode.bind(type) as unknown as (...args: never[]) => Message;
  type.decode = ((...args: never[]) => {
    const message = decode(...args);
    const seconds = Number(longText(message['seconds'] ?? 0, false));
    if (seconds < SECONDS_MIN || seconds > SECONDS_MAX) timestampOutOfRange = true;
    return message;
  }) as never;
}

function longText(value: unknown, unsigned: boolean): string {
  if (typeof value === 'number') return String(value);
  const { low, high } = value as Long;
  const bits = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  return String(unsigned ? bits : BigInt.asIntN(64, bits));
}

function millisecondsOf(value: Message): string {
  const seconds = BigInt(longText(value['seconds'] ?? 0, false));
  return String(seconds * 1000n + BigInt(Math.floor(Number(value['nanos'] ?? 0) / 1e6)));
}

function scalarOf(type: FieldPlan['type'], value: unknown): Value {
  switch (type) {
    case 'timestamp':
      return millisecondsOf(value as Message);
    case 'uint64':
    case 'fixed64':
      return longText(value, true);
    case 'int64':
    case 'sint64':
    case 'sfixed64':
      return longText(value, false);
    case 'bytes':
      return Buffer.from(value as Uint8Array).toString('hex');
    case 'bool':
      return value === true ? 1 : 0;
    default:
      return value as Value;
  }
}

const ZERO_TEXT: readonly string[] = ['int64', 'sint64', 'sfixed64', 'uint64', 'fixed64', 'timestamp'];

function presetOf(field: FieldPlan, column: ColumnPlan, present: boolean): Value {
  if (column.shape === 'list') return [];
  if (column.shape === 'map') return {};
  if (column.nullable && !(present && field.implicit === true)) return null;
  if (field.type === 'string' || field.type === 'bytes') return '';
  return ZERO_TEXT.includes(field.type) ? '0' : 0;
}

function expectMessage(plan: Plan, message: MessagePlan, value: Message | undefined, row: Row): void {
  for (const field of message.fields) {
    const own = value !== undefined && Object.prototype.hasOwnProperty.call(value, field.name);
    const inner = own ? value[field.name] : undefined;
    const set = own && inner !== undefined && inner !== null;
    if (set && field.branch > 0) row['$type'] = field.branch;
    if (field.type === 'message') {
      expectMessage(plan, field.message!, set ? (inner as Message) : undefined, row);
      continue;
    }
    const column = plan.columns[field.column];
    if (!set) row[column.name] = presetOf(field, column, value !== undefined);
    else if (field.type === 'map') {
      const entries = Object.entries(inner as Message).map(([key, one]) => [key, scalarOf(field.mapValue!, one)]);
      row[column.name] = Object.fromEntries(entries) as Row;
    } else if (field.repeated) row[column.name] = (inner as unknown[]).map((one) => scalarOf(field.type as never, one));
    else row[column.name] = scalarOf(field.type, inner);
  }
}

/** The row that protobufjs expects; null where it refuses, or where only we must. */
export function expectRow(plan: Plan, type: protobuf.Type, bytes: Uint8Array): Row | null {
  let message: Message;
  timestampOutOfRange = false;
  try {
    message = type.decode(bytes) as unknown as Message;
  } catch {
    return null;
  }
  if (timestampOutOfRange) return null;
  const row: Row = plan.system.type < 0 ? {} : { $type: 0 };
  expectMessage(plan, plan.message, message, row);
  return row;
}

function textAt(column: Column, index: number): string {
  const bytes = Buffer.from(column.heap.buffer, column.starts[index], column.lengths[index]);
  if (column.lengths[index] === 0) return '';
  return bytes.toString(column.kind === 'bytes' ? 'hex' : 'utf8');
}

function valueAt(column: Column, index: number, dictionary: TestDictionary): Value {
  switch (column.kind) {
    case 'u8':
      return column.u8[index];
    case 'code':
      return column.u16[index];
    case 'u32':
      return column.u32[index];
    case 'i32':
    case 'enum':
      return column.i32[index];
    case 'f32':
      return column.f32[index];
    case 'f64':
      return column.f64[index];
    case 'dictionary':
      return dictionary.texts[column.u32[index]];
    case 'string':
    case 'bytes':
      return textAt(column, index);
    case 'u64':
    case 'i64':
    case 'time':
      return longText({ low: column.i32[2 * index], high: column.i32[2 * index + 1] }, column.kind === 'u64');
  }
}

/** The row that stands in the columns. Only for the last row written: its elements are the last ones. */
export function readRow(columns: readonly Column[], row: number, dictionary: TestDictionary): Row {
  const out: Row = {};
  for (const column of columns) {
    const { name, shape } = column.plan;
    if (shape === 'scalar') {
      out[name] = column.nulls.length !== 0 && column.nulls[row] !== 0 ? null : valueAt(column, row, dictionary);
      continue;
    }
    const first = column.elementEnd - column.counts[row];
    const values = Array.from({ length: column.counts[row] }, (_, i) =>
      valueAt(column.elements!, first + i, dictionary),
    );
    if (column.keys === null) out[name] = values;
    else out[name] = Object.fromEntries(values.map((value, i) => [textAt(column.keys!, first + i), value]));
  }
  return out;
}
