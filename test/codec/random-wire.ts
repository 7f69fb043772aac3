/**
 * Random events, written byte by byte so that they hold what serialisers never write but parsers must take: fields out of
 * order and repeated, packed and unpacked mixed, varints longer than needed, several members of a oneof, unknown fields and
 * groups, known fields of another wire type, map entries with parts missing or twice.
 */

import protobuf from 'protobufjs';
import { pick } from './random-schema.ts';

type Random = () => number;

class Writer {
  readonly bytes: number[] = [];

  /** `pad`: bytes more than needed. */
  varint(value: bigint, pad = 0): void {
    let rest = BigInt.asUintN(64, value);
    for (; rest > 0xffffffffn; rest >>= 7n) this.bytes.push(Number(rest & 127n) | 128);
    this.small(Number(rest), pad);
  }

  small(value: number, pad = 0): void {
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.bytes.push((rest & 127) | 128);
    this.bytes.push(pad > 0 ? rest | 128 : rest);
    for (let i = 1; i <= pad; i++) this.bytes.push(i === pad ? 0 : 128);
  }

  tag(number: number, wire: number): void {
    this.small(number * 8 + wire);
  }

  raw(bytes: Iterable<number>): void {
    for (const byte of bytes) this.bytes.push(byte);
  }

  block(bytes: readonly number[]): void {
    this.small(bytes.length);
    this.raw(bytes);
  }
}

const LONGS = [
  0n,
  1n,
  -1n,
  127n,
  128n,
  16383n,
  16384n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 32n,
  2n ** 53n,
  -(2n ** 63n),
  2n ** 64n - 1n,
  1700000000n,
];
const TEXTS = [
  '',
  'a',
  'dig',
  'clue',
  'ünïcödé',
  '日本語のテキスト',
  '🎉🎊',
  'a string of more than twenty-four bytes',
  'x'.repeat(130),
];

function long(random: Random): bigint {
  const r = random();
  if (r < 0.3) return pick(random, LONGS);
  if (r < 0.8) return BigInt(Math.floor(random() * 2 ** Math.floor(random() * 34)));
  return BigInt.asUintN(64, (BigInt(Math.floor(random() * 2 ** 32)) << 32n) | BigInt(Math.floor(random() * 2 ** 32)));
}

function float(random: Random): number {
  return random() < 0.3 ? pick(random, [0, -0, NaN, Infinity, -Infinity, 1, 1e308, 5e-324]) : (random() - 0.5) * 1000;
}

function text(random: Random): number[] {
  const r = random();
  if (r < 0.005) return [...Buffer.from('ok'), 0xc3, 0x28];
  return [...Buffer.from(r < 0.5 ? pick(random, TEXTS) : `p${Math.floor(random() * 1000)}`)];
}

function timestamp(random: Random): number[] {
  const w = new Writer();
  const parts = Math.floor(random() * 3.2);
  for (let i = 0; i < parts; i++) {
    if (random() < 0.5) {
      const r = random();
      w.tag(1, 0);
      w.varint(
        r < 0.7
          ? 1600000000n + BigInt(Math.floor(random() * 1e9))
          : r < 0.9
            ? -BigInt(Math.floor(random() * 6e10))
            : long(random),
      );
    } else {
      w.tag(2, 0);
      w.varint(BigInt(Math.floor(random() * 1e9)) - (random() < 0.1 ? 1000000000n : 0n));
    }
    if (random() < 0.03) unknown(w, random, 3);
  }
  return w.bytes;
}

const WIRES: Readonly<Record<string, number>> = {
  double: 1,
  fixed64: 1,
  sfixed64: 1,
  float: 5,
  fixed32: 5,
  sfixed32: 5,
  string: 2,
  bytes: 2,
};

function bareValue(w: Writer, random: Random, type: string): void {
  const data = new DataView(new ArrayBuffer(8));
  switch (type) {
    case 'double':
      data.setFloat64(0, float(random), true);
      return w.raw(new Uint8Array(data.buffer));
    case 'float':
      data.setFloat32(0, float(random), true);
      return w.raw(new Uint8Array(data.buffer, 0, 4));
    case 'fixed64':
    case 'sfixed64':
      data.setBigUint64(0, BigInt.asUintN(64, long(random)), true);
      return w.raw(new Uint8Array(data.buffer));
    case 'fixed32':
    case 'sfixed32':
      data.setUint32(0, Math.floor(random() * 2 ** 32), true);
      return w.raw(new Uint8Array(data.buffer, 0, 4));
    case 'string':
      return w.block(text(random));
    case 'bytes':
      return w.block(Array.from({ length: Math.floor(random() * 20) }, () => Math.floor(random() * 256)));
    default:
      return w.varint(long(random), random() < 0.02 ? 1 + Math.floor(random() * 3) : 0);
  }
}

function unknown(w: Writer, random: Random, number: number): void {
  const wire = pick(random, [0, 1, 2, 3, 5]);
  w.tag(number, wire);
  if (wire === 0) w.varint(long(random));
  else if (wire === 2) w.block(text(random));
  else if (wire === 3) {
    if (random() < 0.7) unknown(w, random, 1 + Math.floor(random() * 40));
    w.tag(number, 4);
  } else w.raw(Array.from({ length: wire === 1 ? 8 : 4 }, () => Math.floor(random() * 256)));
}

function entry(random: Random, type: string): number[] {
  const w = new Writer();
  const wire = WIRES[type] ?? 0;
  const parts =
    random() < 0.8 ? [1, 2] : Array.from({ length: Math.floor(random() * 5) }, () => 1 + Math.floor(random() * 3));
  for (const part of parts) {
    if (part === 3) unknown(w, random, 3);
    else if (part === 1) {
      w.tag(1, 2);
      w.block([...Buffer.from(random() < 0.8 ? `k${Math.floor(random() * 12)}` : pick(random, TEXTS))]);
    } else {
      w.tag(2, wire);
      bareValue(w, random, type);
    }
  }
  return w.bytes;
}

function field(w: Writer, random: Random, one: protobuf.Field): void {
  const isEnum = one.resolvedType instanceof protobuf.Enum;
  const type = isEnum ? 'int32' : one.type;
  if (one instanceof protobuf.MapField) {
    const entries = random() < 0.05 ? 40 : Math.floor(random() * 4);
    for (let i = 0; i < entries; i++) {
      w.tag(one.id, 2);
      w.block(entry(random, type));
    }
    return;
  }
  if (one.resolvedType instanceof protobuf.Type) {
    const times = one.repeated ? Math.floor(random() * 4) : 1;
    for (let i = 0; i < times; i++) {
      w.tag(one.id, 2);
      w.block(one.resolvedType.name === 'Timestamp' ? timestamp(random) : randomEvent(random, one.resolvedType));
    }
    return;
  }
  const wire = WIRES[type] ?? 0;
  if (one.repeated && wire !== 2 && random() < 0.6) {
    const packed = new Writer();
    for (let i = Math.floor(random() * 6); i > 0; i--) bareValue(packed, random, type);
    w.tag(one.id, 2);
    w.block(packed.bytes);
    return;
  }
  for (let i = one.repeated ? Math.floor(random() * 4) : 1; i > 0; i--) {
    w.tag(one.id, wire);
    bareValue(w, random, type);
  }
}

/** One serialised message of `type`; usually in order, each field once or not at all. */
export function randomEvent(random: Random, type: protobuf.Type): number[] {
  const w = new Writer();
  const wild = random() < 0.3;
  const fields = [...type.fieldsArray].sort((a, b) => a.id - b.id);
  const chance = fields.length > 20 ? 6 / fields.length : 0.6;
  let chosen = fields.filter(() => random() < chance);
  if (wild) {
    chosen = [...chosen, ...chosen.filter(() => random() < 0.4)];
    for (let i = chosen.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [chosen[i], chosen[j]] = [chosen[j], chosen[i]];
    }
  }
  for (const one of chosen) {
    field(w, random, one.resolve());
    if (wild && random() < 0.1)
      unknown(w, random, random() < 0.5 ? pick(random, fields).id : 1 + Math.floor(random() * 3000));
  }
  return w.bytes;
}
