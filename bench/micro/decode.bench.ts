/**
 * Events per second of the decoder: frames of 500 events of 12 fields and 68 bytes into columns; the same number of bytes with
 * a type oneof of forty branches; and protobufjs decoding the flat ones into objects. In rounds that alternate, best of each, so that
 * the ratios stand even where the machine is busy.
 */

import protobuf from 'protobufjs';
import { compileDecoder, type Decoder } from '../../native-free-core/codec/decoder.ts';
import { createFrameCursor, readFrame, type FrameCursor } from '../../native-free-core/codec/frame.ts';
import { createColumn, resetColumn, type Column } from '../../native-free-core/layout/column.ts';
import type { ColumnKind, ColumnPlan, FieldPlan, MessagePlan, Plan } from '../../native-free-core/plan/plan.ts';
import type { Bench, BenchFigure } from '../bench.ts';

const EVENTS_PER_FRAME = 500;
const FRAMES = 16;
const BRANCHES = 40;

/** Name, protobuf type, column kind. Together with their values 68 bytes. */
const FLAT: readonly (readonly [string, FieldPlan['type'], ColumnKind])[] = [
  ['event_id', 'fixed64', 'u64'],
  ['player_id', 'uint64', 'u64'],
  ['hunt_id', 'uint32', 'u32'],
  ['event_time', 'timestamp', 'time'],
  ['lat', 'double', 'f64'],
  ['lon', 'double', 'f64'],
  ['platform', 'enum', 'enum'],
  ['client', 'string', 'dictionary'],
  ['level', 'uint32', 'u32'],
  ['score', 'sint32', 'i32'],
  ['session', 'string', 'string'],
  ['lucky', 'bool', 'u8'],
];

/** The first seven are common to both; each branch has the last five. */
const COMMON = 7;

interface Subject {
  readonly plan: Plan;
  readonly columns: readonly Column[];
  readonly decoder: Decoder;
  readonly frames: readonly Uint8Array[];
  readonly views: readonly DataView[];
  readonly eventBytes: number;
}

function addField(
  columns: ColumnPlan[],
  number: number,
  prefix: string,
  of: (typeof FLAT)[number],
  nullable: boolean,
): FieldPlan {
  const [name, type, kind] = of;
  const index = columns.length;
  const column = {
    index,
    name: `${prefix}${name}`,
    kind,
    shape: 'scalar',
    nullable,
    clickhouseType: '',
    codec: '',
    comment: '',
    branch: -1,
  } as const;
  columns.push(column);
  return { number, name, jsonName: name, type, repeated: false, column: index, branch: -1, oneof: -1, implicit: true };
}

function planOf(message: MessagePlan, columns: ColumnPlan[], type: number): Plan {
  const none = -1;
  const system = {
    eventId: none,
    eventTime: none,
    receivedAt: none,
    effectiveTime: none,
    type,
    producer: none,
    frameSeq: none,
    frameIndex: none,
    overflow: none,
  };
  const zeros = {
    acceptMaxAgeMs: 0,
    acceptMaxFutureMs: 0,
    maxFutureSkewMs: 0,
    dedupWindowMs: 0,
    dedupIdsMax: 0,
    dictionaryMax: 0,
  };
  return {
    pipeline: '',
    owner: '',
    version: '',
    versionNumber: 0,
    message,
    columns,
    system,
    entities: [],
    decisions: [],
    source: '',
    ...zeros,
  };
}

function flatPlan(): Plan {
  const columns: ColumnPlan[] = [];
  const fields = FLAT.map((of, i) => addField(columns, i + 1, '', of, false));
  return planOf({ name: 'Event', fields }, columns, -1);
}

function oneofPlan(): Plan {
  const columns: ColumnPlan[] = [
    {
      index: 0,
      name: 'type',
      kind: 'code',
      shape: 'scalar',
      nullable: false,
      clickhouseType: '',
      codec: '',
      comment: '',
      branch: -1,
    },
  ];
  const fields: FieldPlan[] = FLAT.slice(0, COMMON).map((of, i) => addField(columns, i + 1, '', of, false));
  for (let branch = 1; branch <= BRANCHES; branch++) {
    const inner = FLAT.slice(COMMON).map((of, i) => addField(columns, i + 1, `b${branch}_`, of, true));
    const message = { name: `B${branch}`, fields: inner };
    const number = COMMON + branch;
    fields.push({
      number,
      name: `b${branch}`,
      jsonName: `b${branch}`,
      type: 'message',
      repeated: false,
      column: -1,
      message,
      branch,
      oneof: -1,
    });
  }
  return planOf({ name: 'Event', fields }, columns, 0);
}

function random(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const CLIENTS = ['ios3', 'web9', 'and4', 'ios4'];

/** The event's fields [from, to) as protobuf, numbered from 1. */
function writeFields(next: () => number, w: protobuf.Writer, from: number, to: number): void {
  const int = (least: number, most: number): number => least + Math.floor(next() * (most - least));
  const writers: (() => void)[] = [
    () => w.fixed64(int(1, 2 ** 53)),
    () => w.uint64(int(16384, 2097152)),
    () => w.uint32(int(128, 16384)),
    () =>
      w
        .fork()
        .uint32(8)
        .int64(1700000000 + int(0, 1e7))
        .uint32(16)
        .int32(int(1, 999) * 1000000)
        .ldelim(),
    () => w.double(next() * 90),
    () => w.double(next() * 180),
    () => w.int32(int(1, 4)),
    () => w.string(CLIENTS[int(0, 4)]),
    () => w.uint32(int(1, 128)),
    () => w.sint32(int(64, 8000)),
    () => w.string(`s${int(10, 100)}`),
    () => w.bool(true),
  ];
  const wires = [1, 0, 0, 2, 1, 1, 0, 2, 0, 0, 2, 0];
  for (let i = from; i < to; i++) {
    w.uint32(((i - from + 1) << 3) | wires[i]);
    writers[i]();
  }
}

function writeFlat(next: () => number, w: protobuf.Writer): void {
  writeFields(next, w, 0, FLAT.length);
}

function writeOneof(next: () => number, w: protobuf.Writer): void {
  writeFields(next, w, 0, COMMON);
  const branch = 1 + Math.floor(next() * BRANCHES);
  w.uint32(((COMMON + branch) << 3) | 2).fork();
  writeFields(next, w, COMMON, FLAT.length);
  w.ldelim();
}

/** Frames in shared memory, as a worker finds them in its lane. */
function makeFrames(write: (next: () => number, w: protobuf.Writer) => void): Uint8Array[] {
  const next = random(7);
  return Array.from({ length: FRAMES }, (_, f) => {
    const w = protobuf.Writer.create();
    w.uint32(9).fixed64(f + 1);
    for (let i = 0; i < EVENTS_PER_FRAME; i++) {
      w.uint32(18).fork();
      write(next, w);
      w.ldelim();
    }
    const bytes = w.finish();
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length + 64));
    shared.set(bytes);
    return shared;
  });
}

function createSubject(plan: Plan, write: (next: () => number, w: protobuf.Writer) => void): Subject {
  const columns = plan.columns.map((column) => createColumn(column));
  const ids = new Map<string, number>();
  const intern = (bytes: Uint8Array, start: number, length: number): number => {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('latin1');
    if (!ids.has(text)) ids.set(text, ids.size + 1);
    return ids.get(text)!;
  };
  const frames = makeFrames(write);
  const views = frames.map((frame) => new DataView(frame.buffer));
  const eventBytes =
    frames.reduce((sum, frame) => sum + frame.length - 64 - 9 - 2 * EVENTS_PER_FRAME, 0) / FRAMES / EVENTS_PER_FRAME;
  return { plan, columns, decoder: compileDecoder(plan, columns, { intern }), frames, views, eventBytes };
}

/** All frames once, into one block. Returns the rows. */
function decodeAll(subject: Subject, cursor: FrameCursor): number {
  const { decoder, frames, views } = subject;
  let row = 0;
  for (let f = 0; f < frames.length; f++) {
    const count = readFrame(frames[f], views[f], 0, frames[f].length - 64, cursor);
    for (let i = 0; i < count; i++) {
      if (decoder.decodeEvent(frames[f], views[f], cursor.starts[i], cursor.ends[i], row) === 0) row++;
    }
  }
  return row;
}

/** ns per event over `passes` blocks; what the columns' presets cost is in it, as in a worker. */
function time(subject: Subject, cursor: FrameCursor, passes: number): number {
  const begin = process.hrtime.bigint();
  let rows = 0;
  for (let i = 0; i < passes; i++) {
    for (const column of subject.columns) resetColumn(column, EVENTS_PER_FRAME * FRAMES);
    rows += decodeAll(subject, cursor);
  }
  if (rows !== passes * EVENTS_PER_FRAME * FRAMES)
    throw new Error(`events were refused: rows=${rows} passes=${passes}`);
  return Number(process.hrtime.bigint() - begin) / rows;
}

/** Over the bytes of every column, so that a decoder that writes nothing is seen. */
function checksumOf(subject: Subject): string {
  let sum = 0;
  for (const { touched, nulls, u8, heap, heapEnd } of subject.columns) {
    if (!touched) continue;
    for (const bytes of [nulls, u8, heap.subarray(0, heapEnd)])
      for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) | 0;
  }
  return (sum >>> 0).toString(16);
}

const PROTO = `syntax = "proto3"; message Time { int64 seconds = 1; int32 nanos = 2; }
message Event { fixed64 event_id = 1; uint64 player_id = 2; uint32 hunt_id = 3; Time event_time = 4; double lat = 5; double lon = 6;
int32 platform = 7; string client = 8; uint32 level = 9; sint32 score = 10; string session = 11; bool lucky = 12; }
message Frame { fixed64 seq = 1; repeated Event events = 2; }`;

function timeProtobufjs(subject: Subject, passes: number): number {
  const frame = protobuf.parse(PROTO).root.lookupType('Frame');
  const bodies = subject.frames.map((bytes) => Buffer.from(bytes.subarray(0, bytes.length - 64)));
  const begin = process.hrtime.bigint();
  let events = 0;
  for (let i = 0; i < passes; i++) {
    for (const body of bodies) events += (frame.decode(body) as unknown as { events: unknown[] }).events.length;
  }
  return Number(process.hrtime.bigint() - begin) / events;
}

async function run({ tiny }: { readonly tiny: boolean }): Promise<BenchFigure[]> {
  const passes = tiny ? 2 : 60;
  const rounds = tiny ? 2 : 12;
  const cursor = createFrameCursor();
  const flat = createSubject(flatPlan(), writeFlat);
  const oneof = createSubject(oneofPlan(), writeOneof);
  const best = { flat: Infinity, oneof: Infinity, protobufjs: Infinity };
  for (let i = 0; i < rounds; i++) {
    best.flat = Math.min(best.flat, time(flat, cursor, passes));
    best.oneof = Math.min(best.oneof, time(oneof, cursor, passes));
    if (i % 3 === 0) best.protobufjs = Math.min(best.protobufjs, timeProtobufjs(flat, tiny ? 1 : 15));
  }
  const parameters = { eventsPerFrame: EVENTS_PER_FRAME, frames: FRAMES, passes, rounds };
  const rate = (ns: number): number => Math.round(1e9 / ns);
  const bytes = (subject: Subject): Record<string, unknown> => ({
    ...parameters,
    eventBytes: Math.round(subject.eventBytes * 10) / 10,
  });
  const checksum = checksumOf(flat);
  return [
    { name: 'flat, 12 fields', unit: 'events/s', value: rate(best.flat), checksum, parameters: bytes(flat) },
    {
      name: 'oneof, 40 branches',
      unit: 'events/s',
      value: rate(best.oneof),
      checksum: checksumOf(oneof),
      parameters: { ...bytes(oneof), branches: BRANCHES },
    },
    {
      name: 'oneof to flat',
      unit: 'ratio',
      value: Math.round((best.flat / best.oneof) * 1000) / 1000,
      checksum,
      parameters,
    },
    { name: 'flat, protobufjs', unit: 'events/s', value: rate(best.protobufjs), checksum, parameters: bytes(flat) },
  ];
}

export const bench: Bench = { name: 'decode', run };
