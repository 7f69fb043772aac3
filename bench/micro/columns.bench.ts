/**
 * Sealing a worker's block and encoding sealed blocks for ClickHouse, with 56 columns of the kinds and widths that a game's
 * pipeline has. Copying a like number of bytes stands beside them: sealing and encoding should be a small multiple of that.
 */

import {
  appendName,
  createDeadLetterLog,
  createFrameLog,
  createNameLog,
  type NameLog,
} from '../../native-free-core/columns/block-logs.ts';
import { clickhouseTypes } from '../../native-free-core/columns/native-column.ts';
import { createNativeEncoder } from '../../native-free-core/columns/native-encoder.ts';
import { compileSealer, type SealInput } from '../../native-free-core/columns/seal.ts';
import { createColumn, rowBytes, type Column } from '../../native-free-core/layout/column.ts';
import type { ColumnKind, ColumnPlan, Plan } from '../../native-free-core/plan/plan.ts';
import type { Bench, BenchFigure } from '../bench.ts';

const TYPES = ['', 'dig', 'clue', 'find', 'purchase', 'move'];
const LANE_BYTES = 64 << 20;

function columnPlans(): ColumnPlan[] {
  const plans: ColumnPlan[] = [];
  const add = (name: string, kind: ColumnKind, rest: Partial<ColumnPlan> = {}): void => {
    const plan: ColumnPlan = {
      index: plans.length,
      name,
      kind,
      shape: 'scalar',
      nullable: false,
      clickhouseType: '',
      codec: '',
      comment: '',
      branch: -1,
      ...rest,
    };
    plans.push({ ...plan, clickhouseType: clickhouseTypes(plan)[0]! });
  };
  add('received_at', 'time');
  add('event_time', 'time');
  add('effective_time', 'time');
  add('type', 'code', { labels: TYPES });
  add('producer', 'dictionary');
  add('frame_seq', 'u64');
  add('frame_index', 'u32');
  add('overflow', 'u8');
  add('event_id', 'string');
  for (const name of ['player_id', 'hunt_id', 'device_id']) add(name, 'u64');
  for (const name of ['player', 'hunt']) {
    add(`${name}_seq`, 'u64');
    add(`${name}_life`, 'u64');
  }
  for (const name of ['country', 'platform', 'app_version']) add(name, 'dictionary');
  for (const name of ['lat', 'lon']) add(name, 'f64', { nullable: true });
  add('note', 'string', { nullable: true });
  for (let branch = 1; branch < TYPES.length; branch++) {
    add(`${TYPES[branch]}_item`, 'string', { nullable: true, branch });
    add(`${TYPES[branch]}_count`, 'u32', { nullable: true, branch });
  }
  for (let i = 0; i < 12; i++) add(`player_count_${i}`, 'u32');
  for (let i = 0; i < 8; i++) add(`player_value_${i}`, 'f64', { nullable: true });
  for (const name of ['trust', 'assistance']) {
    add(name, 'code', { labels: ['', 'allow', 'challenge'] });
    add(`${name}_rule`, 'code', { labels: ['', 'default', 'teleport', 'digger'] });
  }
  return plans;
}

function planFor(columns: readonly ColumnPlan[]): Plan {
  const at = (name: string): number => columns.findIndex((column) => column.name === name);
  return {
    pipeline: 'bench',
    owner: '',
    version: '',
    versionNumber: 1,
    message: { name: 'Bench', fields: [] },
    columns,
    system: {
      eventId: at('event_id'),
      eventTime: at('event_time'),
      receivedAt: at('received_at'),
      effectiveTime: at('effective_time'),
      type: at('type'),
      producer: at('producer'),
      frameSeq: at('frame_seq'),
      frameIndex: at('frame_index'),
      overflow: at('overflow'),
    },
    acceptMaxAgeMs: 0,
    acceptMaxFutureMs: 0,
    maxFutureSkewMs: 0,
    dedupWindowMs: 0,
    dedupIdsMax: 0,
    dictionaryMax: 0,
    entities: [],
    decisions: [],
    source: '',
  };
}

/** Values as a game has them: ids of 22 letters, a hundred countries, one branch of five for each row. */
function fillColumns(plan: Plan, columns: readonly Column[], rows: number): void {
  const type = columns[plan.system.type]!;
  for (let r = 0; r < rows; r++) type.u16[r] = 1 + ((Math.imul(r, 2654435761) >>> 28) % 5);
  for (const column of columns) {
    column.touched = column.plan.name !== 'overflow';
    for (let r = 0; r < rows; r++) if (column !== type) fillValue(column, type.u16[r]!, r);
  }
}

function fillValue(column: Column, branch: number, r: number): void {
  const { plan, kind } = column;
  const mixed = Math.imul(r + 1, 2654435761 + plan.index) >>> 0;
  if (plan.branch >= 0 && plan.branch !== branch) return;
  if (plan.nullable) column.nulls[r] = mixed % 10 === 0 ? 1 : 0;
  if (plan.nullable && column.nulls[r] === 1) return;
  if (kind === 'string') fillText(column, r, plan.branch < 0 ? 22 : 4 + (mixed & 15), mixed);
  else if (kind === 'code') column.u16[r] = mixed % (plan.labels?.length ?? 1);
  else if (kind === 'dictionary') column.u32[r] = mixed % DISTINCT_TEXTS;
  else if (kind === 'f64') column.f64[r] = mixed / 7;
  else if (rowBytes(kind) === 8) column.u32[2 * r] = mixed;
  else column.u32[r] = mixed % 1000;
}

function fillText(column: Column, r: number, length: number, mixed: number): void {
  column.heap[column.heapEnd++] = length;
  column.starts[r] = column.heapEnd;
  column.lengths[r] = length;
  for (let i = 0; i < length; i++) column.heap[column.heapEnd++] = 97 + ((mixed >>> (i & 15)) % 26);
}

/** Ids of dictionary columns, the producer's among them. */
const DISTINCT_TEXTS = 100;

interface World {
  readonly plan: Plan;
  readonly out: Uint8Array;
  readonly seal: () => number;
}

function createWorld(rows: number): World {
  const plan = planFor(columnPlans());
  const columns = plan.columns.map((column) => createColumn(column));
  fillColumns(plan, columns, rows);
  const sealer = compileSealer(plan, columns);
  const lane = new SharedArrayBuffer(LANE_BYTES);
  const out = new Uint8Array(lane);
  const view = new DataView(lane);
  const dictionary = { words: new Int32Array(1), bytes: new Uint8Array(1), endsAt: 0, heapAt: 0 };
  const input: SealInput = {
    rows,
    receivedAt: 1_767_323_045_678,
    pipelineNumber: 1,
    admittedAt: 1_767_323_045_677,
    frames: createFrameLog(),
    deadLetters: createDeadLetterLog(),
    names: producerNames(columns[plan.system.producer]!, rows),
    unknownFields: 0,
    dictionary,
    dictionaryFrom: 1,
    dictionaryEnd: 1,
  };
  let at = 0;
  return {
    plan,
    out,
    seal() {
      const bytes = sealer.sealedBytes(input);
      // The lane goes round, so a block is written to memory that the cache has lost.
      if (at + bytes > LANE_BYTES) at = 0;
      const end = sealer.sealBlock(out, view, at, input);
      at = end;
      return bytes;
    },
  };
}

/** A block names the producers that its rows have. */
function producerNames(producers: Column, rows: number): NameLog {
  const names = createNameLog();
  for (const id of new Set(producers.u32.subarray(0, rows)))
    if (id !== 0) appendName(names, id, Buffer.from(`producer number ${id}`));
  return names;
}

function checksum(bytes: Uint8Array): string {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum = (Math.imul(sum, 31) + bytes[i]!) | 0;
  return (sum >>> 0).toString(16);
}

/** Best of five: the others were disturbed. Returns nanoseconds for one call. */
function bestOf(calls: number, run: () => void): number {
  let best = Infinity;
  for (let round = 0; round < 5; round++) {
    const begin = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) run();
    best = Math.min(best, Number(process.hrtime.bigint() - begin) / calls);
  }
  return best;
}

function sealFigures(rows: number, calls: number): BenchFigure[] {
  const world = createWorld(rows);
  const bytes = world.seal();
  const sum = checksum(world.out.subarray(0, bytes));
  const nanoseconds = bestOf(calls, world.seal);
  const source = new Uint8Array(bytes).fill(7);
  let at = 0;
  const copying = bestOf(calls, () => {
    if (at + bytes > LANE_BYTES) at = 0;
    world.out.set(source, at);
    at += bytes;
  });
  const parameters = { rows, columns: world.plan.columns.length, bytesPerRow: Math.round(bytes / rows) };
  return [
    { name: `seal ${rows} rows`, unit: 'µs/block', value: nanoseconds / 1000, checksum: sum, parameters },
    { name: `seal ${rows} rows`, unit: 'ns/row', value: nanoseconds / rows, checksum: sum, parameters },
    { name: `seal ${rows} rows`, unit: 'MB/s', value: (bytes * 1000) / nanoseconds, checksum: sum, parameters },
    {
      name: `seal ${rows} rows, time over a plain copy`,
      unit: 'ratio',
      value: nanoseconds / copying,
      checksum: sum,
      parameters,
    },
  ];
}

function encodeFigures(rowsPerBlock: number, batchRows: number, rounds: number): BenchFigure[] {
  const world = createWorld(rowsPerBlock);
  const sealed = world.out.slice(0, world.seal());
  const texts = {
    dictionary: (id: number) => Buffer.from(`entry number ${id}`),
    utf8: (text: string) => Buffer.from(text),
  };
  let bytes = 0;
  let sum = '';
  let checking = true;
  const encoder = createNativeEncoder(world.plan, texts, {
    sink(block) {
      bytes += block.bytes;
      if (checking) sum = checksum(Buffer.concat(block.chunks));
      block.release();
    },
  });
  const encode = (): void => {
    encoder.begin(1, 1);
    for (let row = 0; row < batchRows; row += rowsPerBlock) encoder.appendBlock(sealed, 1);
    encoder.finish();
  };
  encode();
  const encodedBytes = bytes;
  checking = false;
  const nanoseconds = bestOf(rounds, encode);
  const parameters = {
    rowsPerBlock,
    batchRows,
    columns: world.plan.columns.length,
    bytesPerRow: Math.round(encodedBytes / batchRows),
  };
  const name = `Native from blocks of ${rowsPerBlock} rows`;
  return [
    { name, unit: 'ns/row', value: nanoseconds / batchRows, checksum: sum, parameters },
    { name, unit: 'MB/s', value: (encodedBytes * 1000) / nanoseconds, checksum: sum, parameters },
  ];
}

export const bench: Bench = {
  name: 'columns',
  async run({ tiny }) {
    return [
      ...sealFigures(15, tiny ? 100 : 20_000),
      ...sealFigures(8192, tiny ? 2 : 100),
      ...encodeFigures(15, tiny ? 1500 : 150_000, 1),
      ...encodeFigures(8192, tiny ? 16_384 : 524_288, 1),
    ];
  },
};
