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
import { createGrowing, detach, extend, giveBuffer, type BufferPool, type Growing } from './growing.ts';
import {
  indexNullable,
  indexShorts,
  indexWide,
  indexWords,
  spreadIndexes,
  type Indexes,
} from './low-cardinality-loops.ts';
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
  readonly pool: BufferPool;
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
  /** One a row, as wide as the keys so far need: 2^size bytes. `out` is the view of them. */
  readonly indexes: Growing;
  size: 0 | 1 | 2;
  out: Indexes;
  count: number;
  /** All of the buffer that the last sealed block lay in. */
  buffer: ArrayBufferLike;
  shorts: Uint16Array;
  words: Uint32Array;
}

const NEAR_MIN = 256;
/** Ids of the shared dictionary are dense, so most fit; 16 MiB for each column at the most. */
const NEAR_MAX = 1 << 22;
const EMPTY = new Uint8Array(0);

export function createLowCardinalityGatherer(
  pool: BufferPool,
  source: LowCardinalitySource,
  nullable: boolean,
): ValueGatherer {
  const g: Gathering = {
    pool,
    source,
    nullable,
    near: new Uint32Array(NEAR_MIN),
    far: new Map(),
    values: [],
    keys: 0,
    heap: createGrowing(pool),
    indexes: createGrowing(pool),
    size: 0,
    out: EMPTY,
    count: 0,
    buffer: EMPTY.buffer,
    shorts: new Uint16Array(0),
    words: new Uint32Array(0),
  };
  reset(g);
  return {
    append: (values) => append(g, values),
    appendConstant: ({ view, at, rows }) => repeat(g, indexOf(g, readValue(source, view, at)), rows),
    appendPresets: (rows) => repeat(g, presetIndex(g), rows),
    writePrefix(list) {
      pushUInt64(list, VERSION);
    },
    write: (list) => write(g, list),
  };
}

function presetIndex(g: Gathering): number {
  return g.nullable ? 0 : indexOf(g, 0);
}

/** Makes room for `more` rows; returns which row the first of them is. */
function room(g: Gathering, more: number): number {
  const { indexes, size } = g;
  const before = indexes.bytes;
  const at = extend(indexes, more << size);
  if (indexes.bytes !== before) g.out = viewOf(indexes.bytes, size);
  return at >> size;
}

function viewOf({ buffer }: Uint8Array, size: Gathering['size']): Indexes {
  return size === 0 ? new Uint8Array(buffer) : size === 1 ? new Uint16Array(buffer) : new Uint32Array(buffer);
}

function repeat(g: Gathering, index: number, rows: number): void {
  const to = room(g, rows);
  g.out.fill(index, to, to + rows);
  g.count += rows;
}

function readValue(source: LowCardinalitySource, view: DataView, at: number): number {
  if (source.width === 2) return view.getUint16(at, true);
  return source.signed ? view.getInt32(at, true) : view.getUint32(at, true);
}

function append(g: Gathering, values: SealedValues): void {
  const { rowList, rowFrom, rows, count } = values;
  if (rowList === null) {
    indexValues(g, values, room(g, rows));
  } else {
    const preset = presetIndex(g);
    const to = room(g, rows + count);
    g.out.fill(preset, to, to + rows);
    indexValues(g, values, to + rows);
    spreadIndexes(g.out, to, to + rows, rowList, rowFrom, count);
    g.indexes.end -= count << g.size;
  }
  g.count += rows;
}

/** The indexes of the values, from row `to` on. */
function indexValues(g: Gathering, values: SealedValues, to: number): void {
  const { block, nullsAt, count } = values;
  const { signed } = g.source;
  const from = enter(g, values);
  const source = g.source.width === 2 ? g.shorts : g.words;
  for (let done = 0; ; done++) {
    if (nullsAt >= 0) done = indexNullable(g.out, to, source, from, done, count, g.near, block, nullsAt);
    else if (g.size !== 0) done = indexWide(g.out, to, source, from, done, count, g.near);
    else if (g.source.width === 2) done = indexShorts(g.out as Uint8Array, to, g.shorts, from, done, count, g.near);
    else done = indexWords(g.out as Uint8Array, to, g.words, from, done, count, g.near);
    if (done === count) return;
    const value = source[from + done];
    const index = indexOf(g, signed ? value | 0 : value);
    g.out[to + done] = index;
  }
}

/** Returns where the values begin in the views of their buffer. */
function enter(g: Gathering, { block, at, bytes }: SealedValues): number {
  let { buffer } = block;
  let begin = block.byteOffset + at;
  if (begin % g.source.width !== 0) {
    buffer = block.slice(at, at + bytes).buffer;
    begin = 0;
  }
  if (buffer !== g.buffer) {
    g.buffer = buffer;
    if (g.source.width === 2) g.shorts = new Uint16Array(buffer, 0, buffer.byteLength >> 1);
    else g.words = new Uint32Array(buffer, 0, buffer.byteLength >> 2);
  }
  return begin / g.source.width;
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
  if (g.keys === U8_KEYS_MAX || g.keys === U16_KEYS_MAX) widen(g);
  return g.keys++;
}

/** One more key, and the indexes so far are too narrow for it. */
function widen(g: Gathering): void {
  const { indexes, out, size } = g;
  const rows = indexes.end >> size;
  const before = detach(indexes);
  g.size = size === 0 ? 1 : 2;
  extend(indexes, rows << g.size);
  g.out = viewOf(indexes.bytes, g.size);
  g.out.set(out.subarray(0, rows));
  giveBuffer(g.pool, before);
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

function write(g: Gathering, list: ChunkList): void {
  if (g.count > 0) {
    pushUInt64(list, g.size | HAS_ADDITIONAL_KEYS | NEEDS_UPDATE);
    pushUInt64(list, g.keys);
    pushGrowing(list, g.heap);
    pushUInt64(list, g.count);
    pushGrowing(list, g.indexes);
  }
  reset(g);
}

function reset(g: Gathering): void {
  for (const value of g.values) if (value >= 0 && value < g.near.length) g.near[value] = 0;
  g.values.length = 0;
  g.far.clear();
  g.heap.end = 0;
  g.indexes.end = 0;
  g.size = 0;
  g.out = g.indexes.bytes;
  g.keys = 0;
  g.count = 0;
  if (g.nullable) {
    writeKey(g.heap, new Uint8Array(0));
    g.keys = 1;
  }
}
