/**
 * Events of a pipeline's own message, made from its plan, for the warm-up: the event types in turn, a few hundred different
 * keys, some of them large, times that go on with late ones among them, optional fields now and then absent: code that V8
 * has compiled for the one is thrown away when the other comes. Dictionary fields stay empty, so that no text is learnt.
 * Called by warm-up.ts.
 */

import { KINDS } from '../../../native-free-core/language/kinds/index.ts';
import type { FieldPlan, MessagePlan, Plan } from '../../../native-free-core/plan/plan.ts';

/** Wire types of protobuf. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

const KEYS = 256;
/** Beyond 32 bits. */
const LARGE = 2 ** 33;
const LARGE_EACH = 8;
const ABSENT_EACH = 3;
/** Times begin so long ago, go on by a step an event, and stay at now; late ones come from before. */
const SPAN_MS = 300_000;
const STEP_MS = 20;
const LATE_EACH = 11;
const LATE_MS = 90_000;
const LONG = new Set(['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64']);
/** Nested messages without end would make an event without end. */
const DEPTH_MAX = 8;

/** The serialised event number `index`; `now`: ms UTC. */
export function madeUpEvent(plan: Plan, index: number, now: number): Buffer {
  const branches = plan.message.fields.filter((field) => field.branch > 0);
  const chosen = branches[index % Math.max(1, branches.length)];
  const fields = plan.message.fields.filter((field) => field.branch <= 0 || field === chosen);
  return encodeMessage(plan, { ...plan.message, fields }, index, timeOf(index, now), 0);
}

function timeOf(index: number, now: number): number {
  const late = index % LATE_EACH === 0 ? LATE_MS : 0;
  return now - Math.max(0, SPAN_MS - index * STEP_MS) - late;
}

function encodeMessage(plan: Plan, message: MessagePlan, index: number, now: number, depth: number): Buffer {
  return Buffer.concat(message.fields.map((field) => encodeField(plan, field, index, now, depth)));
}

function encodeField(plan: Plan, field: FieldPlan, index: number, now: number, depth: number): Buffer {
  const column = plan.columns[field.column];
  if (field.type === 'map' || (column !== undefined && KINDS[column.kind].isInterned)) return Buffer.alloc(0);
  const { eventTime, eventId } = plan.system;
  const isOptional = column?.nullable === true && field.column !== eventTime && field.column !== eventId;
  if (isOptional && index % ABSENT_EACH === 0) return Buffer.alloc(0);
  const tag = (wire: number): Buffer => varint(field.number * 8 + wire);
  const sized = (body: Buffer): Buffer => Buffer.concat([tag(BYTES), varint(body.length), body]);
  if (field.type === 'message') {
    if (field.message === undefined || depth === DEPTH_MAX) return Buffer.alloc(0);
    return sized(encodeMessage(plan, field.message, index, now, depth + 1));
  }
  if (field.type === 'timestamp') {
    const nanos = (now % 1000) * 1_000_000;
    return sized(Buffer.concat([varint(8), varint(Math.floor(now / 1000)), varint(16), varint(nanos)]));
  }
  const large = LONG.has(field.type) && index % LARGE_EACH === 0 ? LARGE : 0;
  const number = field.column === eventTime ? now : field.column === eventId ? index + 1 : 1 + (index % KEYS) + large;
  switch (field.type) {
    case 'string':
    case 'bytes':
      return sized(Buffer.from(`r${number}`));
    case 'double':
      return Buffer.concat([tag(FIXED64), doubleBytes(1 + (index % 8) / 4)]);
    case 'fixed64':
    case 'sfixed64': {
      const out = Buffer.alloc(8);
      out.writeBigUInt64LE(BigInt(number));
      return Buffer.concat([tag(FIXED64), out]);
    }
    case 'float': {
      const out = Buffer.alloc(4);
      out.writeFloatLE(1 + (index % 8) / 4);
      return Buffer.concat([tag(FIXED32), out]);
    }
    case 'fixed32':
    case 'sfixed32': {
      const out = Buffer.alloc(4);
      out.writeUInt32LE(number >>> 0);
      return Buffer.concat([tag(FIXED32), out]);
    }
    case 'bool':
      return Buffer.concat([tag(VARINT), varint(1)]);
    case 'enum':
      return Buffer.concat([tag(VARINT), varint(field.enumNames?.[1]?.[0] ?? 0)]);
    case 'sint32':
    case 'sint64':
      return Buffer.concat([tag(VARINT), varint(number * 2)]);
    default:
      return Buffer.concat([tag(VARINT), varint(number)]);
  }
}

function doubleBytes(value: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeDoubleLE(value);
  return out;
}

/** Of an integer below 2^53. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}
