/**
 * LowCardinality(String) in the Native format: each Native block has a dictionary of its own, in order of first appearance.
 *
 *   prefix   u64 1                          version: shared dictionaries with additional keys
 *   data     u64 flags                      index width (0: u8, 1: u16, 2: u32) | additional keys 1 << 9 | update dictionary 1 << 10
 *            u64 keys, then keys as String  LowCardinality(Nullable(String)): the first key stands for NULL
 *            u64 rows, then an index each
 *   Nothing but the prefix where there are no values at all (arrays that are all empty).
 */

import { pushGrowing, pushUInt64, type ChunkList } from './chunks.ts';
import { createGrowing, extend, type BufferPool, type Growing } from './growing.ts';
import type { SealedValues, ValueGatherer } from './native-values.ts';

const VERSION = 1;
const HAS_ADDITIONAL_KEYS = 1 << 9;
const NEEDS_UPDATE = 1 << 10;
const U8_KEYS_MAX = 256;
const U16_KEYS_MAX = 65536;

/** How sealed values name their strings. */
export interface LowCardinalitySource {
  /** Bytes of a sealed value: 2 unsigned, or 4; signed where `signed`. */
  readonly width: 2 | 4;
  readonly signed: boolean;
  readonly textOf: (value: number) => Uint8Array;
}

interface Gathering {
  readonly source: LowCardinalitySource;
  readonly nullable: boolean;
  /**
   * Index of a value in this block's dictionary, plus 1: values 0 ... length - 1. The rest, and negative ones, are in `far`.
   */
  near: Uint32Array;
  readonly far: Map<number, number>;
  /** Values of the dictionary, for undoing `near`. */
  readonly values: number[];
  keys: number;
  readonly heap: Growing;
  indexes: Uint32Array;
  count: number;
}

const NEAR_MIN = 256;
/** Ids of the shared dictionary are dense, so most fit; 16 MiB for each column at the most. */
const NEAR_MAX = 1 << 22;

export function createLowCardinalityGatherer(
  pool: BufferPool,
  source: LowCardinalitySource,
  nullable: boolean,
): ValueGatherer {
  const g: Gathering = {
    source,
    nullable,
    near: new Uint32Array(NEAR_MIN),
    far: new Map(),
    values: [],
    keys: 0,
    heap: createGrowing(pool),
    indexes: new Uint32Array(1024),
    count: 0,
  };
  reset(g);
  const narrow = createGrowing(pool);
  return {
    append: (values) => append(g, values),
    appendConstant({ view, at, rows }) {
      const index = indexOf(g, readValue(source, view, at));
      room(g, rows).fill(index, g.count, g.count + rows);
      g.count += rows;
    },
    appendPresets(rows) {
      const index = nullable ? 0 : indexOf(g, 0);
      room(g, rows).fill(index, g.count, g.count + rows);
      g.count += rows;
    },
    writePrefix(list) {
      pushUInt64(list, VERSION);
    },
    write: (list) => write(g, narrow, list),
  };
}

function room(g: Gathering, more: number): Uint32Array {
  if (g.count + more > g.indexes.length) {
    const larger = new Uint32Array(Math.max(g.indexes.length * 2, g.count + more));
    larger.set(g.indexes);
    g.indexes = larger;
  }
  return g.indexes;
}

function readValue(source: LowCardinalitySource, view: DataView, at: number): number {
  if (source.width === 2) return view.getUint16(at, true);
  return source.signed ? view.getInt32(at, true) : view.getUint32(at, true);
}

function append(g: Gathering, { view, at, count, nullsAt, rowList, rowFrom, rows }: SealedValues): void {
  const source = g.source;
  const width = source.width;
  const indexes = room(g, rows);
  const base = g.count;
  if (rowList !== null) indexes.fill(g.nullable ? 0 : indexOf(g, 0), base, base + rows);
  for (let i = 0; i < count; i++) {
    const to = base + (rowList === null ? i : rowList[rowFrom + i]);
    if (nullsAt >= 0 && view.getUint8(nullsAt + i) !== 0) {
      indexes[to] = 0;
      continue;
    }
    const value = readValue(source, view, at + i * width);
    const near = value >= 0 && value < g.near.length ? g.near[value] : 0;
    indexes[to] = near !== 0 ? near - 1 : indexOf(g, value);
  }
  g.count = base + rows;
}

/** The value's index, which is new where the value is. */
function indexOf(g: Gathering, value: number): number {
  if (value >= 0 && value < NEAR_MAX) {
    if (value >= g.near.length) growNear(g, value);
    if (g.near[value] === 0) g.near[value] = addKey(g, value) + 1;
    return g.near[value] - 1;
  }
  let index = g.far.get(value);
  if (index === undefined) {
    index = addKey(g, value);
    g.far.set(value, index);
  }
  return index;
}

function growNear(g: Gathering, value: number): void {
  const near = new Uint32Array(Math.min(NEAR_MAX, Math.max(g.near.length * 2, value + 1)));
  near.set(g.near);
  g.near = near;
}

function addKey(g: Gathering, value: number): number {
  g.values.push(value);
  writeKey(g.heap, g.source.textOf(value));
  return g.keys++;
}

function writeKey(heap: Growing, text: Uint8Array): void {
  let length = text.length;
  while (length > 127) {
    const at = extend(heap, 1);
    heap.bytes[at] = (length & 127) | 128;
    length >>>= 7;
  }
  const at = extend(heap, 1 + text.length);
  heap.bytes[at] = length;
  heap.bytes.set(text, at + 1);
}

function write(g: Gathering, narrow: Growing, list: ChunkList): void {
  if (g.count > 0) {
    const size = g.keys <= U8_KEYS_MAX ? 0 : g.keys <= U16_KEYS_MAX ? 1 : 2;
    pushUInt64(list, size | HAS_ADDITIONAL_KEYS | NEEDS_UPDATE);
    pushUInt64(list, g.keys);
    pushGrowing(list, g.heap);
    pushUInt64(list, g.count);
    extend(narrow, g.count * 2 ** size);
    if (size === 0) narrowTo8(g, narrow.bytes);
    else if (size === 1) narrowTo16(g, new Uint16Array(narrow.bytes.buffer));
    else narrow.bytes.set(new Uint8Array(g.indexes.buffer, 0, g.count * 4));
    pushGrowing(list, narrow);
  }
  reset(g);
}

function narrowTo8(g: Gathering, target: Uint8Array): void {
  for (let i = 0; i < g.count; i++) target[i] = g.indexes[i];
}

function narrowTo16(g: Gathering, target: Uint16Array): void {
  for (let i = 0; i < g.count; i++) target[i] = g.indexes[i];
}

function reset(g: Gathering): void {
  for (const value of g.values) if (value >= 0 && value < g.near.length) g.near[value] = 0;
  g.values.length = 0;
  g.far.clear();
  g.heap.end = 0;
  g.keys = 0;
  g.count = 0;
  if (g.nullable) {
    writeKey(g.heap, new Uint8Array(0));
    g.keys = 1;
  }
}
