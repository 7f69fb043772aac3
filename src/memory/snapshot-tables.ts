/**
 * Shared tables to snapshot chunks and back. Copies stripe by stripe under its lock while the workers go on: recovery
 * skips rows that a state already has, so the copies need not be of one moment (docs/semantics.md §4). Main thread.
 */

import type { Tables } from '../../native-free-core/decide/shared-tables.ts';
import type { EntityPlan, Plan } from '../../native-free-core/plan/plan.ts';
import { layOutLimits } from '../../native-free-core/policy/limit-layout.ts';
import { forgetReplay } from '../../native-free-core/policy/limit-takes.ts';
import {
  copyEntry,
  dictionaryCount,
  entryAt,
  entryBytes,
  internEntry,
} from '../../native-free-core/state/dictionary.ts';
import { copyStripe, restoreRow, restoreStripe, type EntityTable } from '../../native-free-core/state/entity-table.ts';
import { ID_ENTRY_WORDS, copyIdStripe, restoreId } from '../../native-free-core/state/id-window.ts';
import { nameProducer, producerCount } from '../../native-free-core/state/producer-names.ts';
import { copyProducer, restoreProducer } from '../../native-free-core/state/producers.ts';
import {
  PRODUCER_ROW_BYTES,
  PRODUCER_ROW_BYTES_1,
  ROW_NAME,
  ROW_NAME_BYTES,
  ROW_SEEN,
} from '../../native-free-core/layout/producer-layout.ts';
import { OperatingError } from '../errors.ts';
import type { NamesRoom } from './regions.ts';

export interface TableChunk {
  readonly name: string;
  readonly index: number;
  /** Valid until the next chunk is asked for. */
  readonly bytes: Uint8Array;
}

const IDS = 'ids';
const PRODUCERS = 'named producers';
/** Of older snapshots: rows by the dictionary ids of their names. */
const PRODUCERS_1 = 'producers';
const DICTIONARY = 'dictionary';
const PRODUCERS_PER_CHUNK = 4096;
const PRODUCERS_MAX_1 = 262_144;

/** The dictionary comes first: whoever restores needs it to know how large the tables must be. */
export function* copyTables(plan: Plan, tables: Tables): Generator<TableChunk> {
  yield copyDictionary(tables);
  yield* copyProducers(tables);
  yield* copyIds(tables);
  for (const { name, table } of keyedTables(plan, tables)) {
    const buffer = new Uint8Array(table.shape.rowsPerStripe * table.shape.rowBytes);
    for (let stripe = 0; stripe < table.shape.stripes; stripe++) {
      const bytes = copyStripe(table, stripe, buffer);
      if (bytes > 0) yield { name, index: stripe, bytes: buffer.subarray(0, bytes) };
    }
  }
}

/** What no table in ClickHouse tells: the ids of strings, and which frames of each producer were taken. */
export function* copyAccount(_plan: Plan, tables: Tables): Generator<TableChunk> {
  yield copyDictionary(tables);
  yield* copyProducers(tables);
}

/** What the tables of names must at least take, so that these chunks and the epochs behind them fit. */
export function namesRoom(plan: Plan, chunks: Iterable<TableChunk>): NamesRoom {
  let room = { entries: 0, entryBytes: 0, producers: 0 };
  for (const { name, index, bytes } of chunks) {
    // Older ones took producers besides.
    const entries = index > 0 ? index : plan.dictionaryMax + PRODUCERS_MAX_1;
    if (name === DICTIONARY) room = { ...room, entries, entryBytes: bytes.length };
    else if (name === PRODUCERS) room.producers += bytes.length / PRODUCER_ROW_BYTES;
    else if (name !== PRODUCERS_1 && room.entries > 0) break;
  }
  return room;
}

interface KeyedTable {
  /** Of its chunks. */
  readonly name: string;
  readonly table: EntityTable;
  readonly entity: EntityPlan;
  readonly isLimits: boolean;
}

/** The tables of entities, and those of the limits that count by them. */
function keyedTables(plan: Plan, tables: Tables): KeyedTable[] {
  const states = plan.entities.map((entity, i) => {
    return { name: `entity:${entity.name}`, table: tables.entities[i]!, entity, isLimits: false };
  });
  const limits = layOutLimits(plan).map((layout, i) => {
    const entity = plan.entities[layout.entity]!;
    return { name: `limits:${entity.name}`, table: tables.limits![i]!, entity, isLimits: true };
  });
  return [...states, ...limits];
}

/** Per entry: u32 bytes, then the bytes; in id order from 1 on. Its index is how many the dictionary takes. */
function copyDictionary({ dictionary }: Tables): TableChunk {
  const count = dictionaryCount(dictionary);
  const size = count > 1 ? entryAt(dictionary, count - 1) + entryBytes(dictionary, count - 1) - dictionary.heapAt : 0;
  const bytes = new Uint8Array(size + 4 * count);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (let id = 1; id < count; id++) {
    const length = entryBytes(dictionary, id);
    const from = entryAt(dictionary, id);
    view.setUint32(at, length, true);
    bytes.set(dictionary.bytes.subarray(from, from + length), at + 4);
    at += 4 + length;
  }
  return { name: DICTIONARY, index: dictionary.entriesMax, bytes: bytes.subarray(0, at) };
}

/** Row 0 first, which has no name. */
function* copyProducers({ producers }: Tables): Generator<TableChunk> {
  const count = producerCount(producers) + 1;
  const buffer = new Uint8Array(PRODUCERS_PER_CHUNK * PRODUCER_ROW_BYTES);
  for (let first = 0; first < count; first += PRODUCERS_PER_CHUNK) {
    const end = Math.min(count, first + PRODUCERS_PER_CHUNK);
    for (let id = first; id < end; id++) copyProducer(producers, id, buffer, (id - first) * PRODUCER_ROW_BYTES);
    yield { name: PRODUCERS, index: first, bytes: buffer.subarray(0, (end - first) * PRODUCER_ROW_BYTES) };
  }
}

function* copyIds({ ids }: Tables): Generator<TableChunk> {
  if (ids === null) return;
  const buffer = new Int32Array(ids.idsPerStripe * ID_ENTRY_WORDS);
  for (let stripe = 0; stripe < ids.stripes; stripe++) {
    const count = copyIdStripe(ids, stripe, buffer);
    if (count > 0)
      yield { name: IDS, index: stripe, bytes: new Uint8Array(buffer.buffer, 0, count * ID_ENTRY_WORDS * 4) };
  }
}

/** Puts one chunk back; chunks in the order in which they were copied. False: the name is unknown, or the caller's own. */
export type ChunkRestorer = (chunk: TableChunk) => boolean;

export function createChunkRestorer(plan: Plan, tables: Tables): ChunkRestorer {
  const keyed = new Map(keyedTables(plan, tables).map((table) => [table.name, table]));
  return ({ name, index, bytes: given }) => {
    const bytes = given.byteOffset % 4 === 0 ? given : given.slice();
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    if (name === DICTIONARY) restoreDictionary(tables, bytes);
    else if (name === PRODUCERS) restoreProducers(tables, bytes);
    else if (name === PRODUCERS_1) restoreProducersById(tables, index, bytes);
    else if (name === IDS) restoreIds(tables, words);
    else {
      const table = keyed.get(name);
      if (table === undefined) return false;
      restoreRows(table, index, words);
    }
    return true;
  };
}

function restoreProducers({ producers }: Tables, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; at += PRODUCER_ROW_BYTES) {
    const length = view.getUint32(at + ROW_NAME_BYTES * 4, true);
    const seen = view.getFloat64(at + ROW_SEEN * 8, true);
    // A row that was copied between two names tells nothing. What only fills the table beyond its bounds gives way to who
    // came later.
    if (length > 0 && seen === 0) continue;
    const row = nameProducer(producers, bytes, at + ROW_NAME * 4, length, seen);
    if (row > 0 || length === 0) restoreProducer(producers, row, bytes, at, PRODUCER_ROW_BYTES);
  }
}

function restoreProducersById({ producers, dictionary }: Tables, first: number, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; at += PRODUCER_ROW_BYTES_1) {
    const id = first + at / PRODUCER_ROW_BYTES_1;
    const seen = view.getFloat64(at + ROW_SEEN * 8, true);
    if (id === 0 || seen === 0) continue;
    const name = copyEntry(dictionary, id);
    const row = nameProducer(producers, name, 0, name.length, seen);
    if (row > 0) restoreProducer(producers, row, bytes, at, PRODUCER_ROW_BYTES_1);
  }
}

function restoreIds({ ids }: Tables, words: Int32Array): void {
  if (ids !== null) for (let at = 0; at < words.length; at += ID_ENTRY_WORDS) restoreId(ids, words, at);
}

function restoreRows({ name, table, entity, isLimits }: KeyedTable, stripe: number, words: Int32Array): void {
  const rowWords = table.shape.rowBytes >> 2;
  if (isLimits) for (let at = 0; at < words.length; at += rowWords) forgetReplay(words, at);
  if (restoreStripe(table, stripe, words)) return;
  // The table has another shape than when it was copied.
  for (let at = 0; at < words.length; at += rowWords) {
    if (!restoreRow(table, words, at)) {
      throw new OperatingError(
        'entity_table_small',
        `a snapshot holds more entities than the table takes: table=${name} entity=${entity.name} max=${entity.max}; raise max to what it was`,
      );
    }
  }
}

function restoreDictionary({ dictionary }: Tables, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length;) {
    const length = view.getUint32(at, true);
    if (internEntry(dictionary, bytes, at + 4, length) < 0) {
      throw new OperatingError(
        'dictionary_small',
        `a snapshot holds more strings than the dictionary takes: dictionary_max=${dictionary.entriesMax}; raise events.dictionary_max to what it was`,
      );
    }
    at += 4 + length;
  }
}
