/** The world of the core's own fuzz test as a table in ClickHouse: types, names of codes, rows in RowBinary. */

import type { ColumnKind, ColumnPlan, Plan } from '../../../native-free-core/plan/plan.ts';
import type { Value, World } from '../expression/world.ts';

const LABELS = ['', 'dig', "it's", 'w\\x'];
const ENUM_NAMES: readonly (readonly [number, string])[] = [
  [0, 'NONE'],
  [1, 'ONE'],
  [3, 'THREE'],
  [-1, 'MINUS'],
  [255, 'MANY'],
];

const TYPES: Readonly<Record<ColumnKind, string>> = {
  u8: 'Bool',
  u32: 'UInt32',
  i32: 'Int32',
  u64: 'UInt64',
  i64: 'Int64',
  time: "DateTime64(3, 'UTC')",
  f32: 'Float32',
  f64: 'Float64',
  string: 'String',
  bytes: 'String',
  code: 'String',
  enum: 'String',
  dictionary: 'String',
};

/** The world's plan with what only ClickHouse needs. The core's emitter reads none of it. */
export function sqlPlan(world: World): Plan {
  const columns = world.plan.columns.map((column): ColumnPlan => {
    const names = column.kind === 'code' ? { labels: LABELS } : column.kind === 'enum' ? { enumNames: ENUM_NAMES } : {};
    return { ...names, ...column, clickhouseType: clickhouseType(column) };
  });
  return { ...world.plan, columns };
}

function clickhouseType({ kind, shape, nullable }: ColumnPlan): string {
  const plain = shape !== 'scalar' && kind === 'u8' ? 'UInt8' : TYPES[kind];
  const value = nullable ? `Nullable(${plain})` : plain;
  const full = ['code', 'enum', 'dictionary'].includes(kind) ? `LowCardinality(${value})` : value;
  return shape === 'list' ? `Array(${full})` : shape === 'map' ? `Map(String, ${full})` : full;
}

export function tableSql(plan: Plan, table: string): string {
  const columns = plan.columns.map((column) => `\`${column.name}\` ${column.clickhouseType}`);
  return `CREATE TABLE ${table} (_r UInt32, ${columns.join(', ')}) ENGINE = Memory`;
}

/** Rows [from, to) of the world. */
export function rowBinary(world: World, plan: Plan, from: number, to: number): Uint8Array {
  const parts: Buffer[] = [];
  for (let r = from; r < to; r++) {
    parts.push(fixed(4, (bytes) => bytes.writeUInt32LE(r)));
    plan.columns.forEach((column, i) => writeCell(parts, column, world.rows[r]![i]!));
  }
  return Buffer.concat(parts);
}

function writeCell(parts: Buffer[], column: ColumnPlan, value: Value): void {
  if (column.shape === 'list') {
    const values = value as readonly (bigint | number | Uint8Array)[];
    parts.push(varint(values.length));
    for (const element of values) writeValue(parts, column, element);
    return;
  }
  if (column.nullable) parts.push(Buffer.of(value === null ? 1 : 0));
  if (value !== null) writeValue(parts, column, typeof value === 'boolean' ? BigInt(value) : (value as bigint));
}

function writeValue(parts: Buffer[], column: ColumnPlan, value: bigint | number | Uint8Array): void {
  switch (column.kind) {
    case 'u8':
      parts.push(Buffer.of(Number(value)));
      return;
    case 'u32':
      parts.push(fixed(4, (bytes) => bytes.writeUInt32LE(Number(value))));
      return;
    case 'i32':
      parts.push(fixed(4, (bytes) => bytes.writeInt32LE(Number(value))));
      return;
    case 'u64':
      parts.push(fixed(8, (bytes) => bytes.writeBigUInt64LE(value as bigint)));
      return;
    case 'i64':
    case 'time':
      parts.push(fixed(8, (bytes) => bytes.writeBigInt64LE(value as bigint)));
      return;
    case 'f32':
      parts.push(fixed(4, (bytes) => bytes.writeFloatLE(value as number)));
      return;
    case 'f64':
      parts.push(fixed(8, (bytes) => bytes.writeDoubleLE(value as number)));
      return;
    case 'code':
      writeText(parts, Buffer.from(column.labels![Number(value)]!));
      return;
    case 'enum':
      writeText(parts, Buffer.from(new Map(column.enumNames).get(Number(value)) ?? String(value)));
      return;
    default:
      writeText(parts, Buffer.from(value as Uint8Array));
  }
}

function writeText(parts: Buffer[], text: Buffer): void {
  parts.push(varint(text.length), text);
}

function fixed(length: number, write: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(length);
  write(bytes);
  return bytes;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    bytes.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) return Buffer.from(bytes);
  }
}
