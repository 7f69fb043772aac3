/**
 * Shared tables to snapshot chunks and back. Copies stripe by stripe under its lock while the workers go on: recovery
 * skips rows that a state already has, so the copies need not be of one moment (SEMANTICS.md §4). Main thread.
 */

import type { Tables } from '../../native-free-core/decide/tables.ts';
import type { EntityPlan, Plan } from '../../native-free-core/layout/plan.ts';
import { layOutLimits } from '../../native-free-core/policy/limit-layout.ts';
import { forgetReplay } from '../../native-free-core/policy/limits.ts';
import { dictionaryCount, entryAt, entryBytes, internEntry } from '../../native-free-core/state/dictionary.ts';
import { copyStripe, restoreRow, restoreStripe, type EntityTable } from '../../native-free-core/state/entity-table.ts';
import { ID_ENTRY_WORDS, copyIdStripe, restoreId } from '../../native-free-core/state/id-window.ts';
import { PRODUCER_ROW_BYTES, copyProducer, restoreProducer } from '../../native-free-core/state/producers.ts';
import { OperatingError } from '../errors.ts';

export interface TableChunk {
  readonly name: string;
  readonly index: number;
  /** Valid until the next chunk is asked for. */
  readonly bytes: Uint8Array;
}

const IDS = 'ids';
const PRODUCERS = 'producers';
const DICTIONARY = 'dictionary';
const PRODUCERS_PER_CHUNK = 4096;

/** The dictionary comes first: whoever restores needs it before the producers. */
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

/** Per entry: u32 bytes, then the bytes; in id order from 1 on. */
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
  return { name: DICTIONARY, index: 0, bytes: bytes.subarray(0, at) };
}

function* copyProducers({ producers, dictionary }: Tables): Generator<TableChunk> {
  const count = dictionaryCount(dictionary);
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
    else if (name === PRODUCERS) restoreProducers(tables, index, bytes);
    else if (name === IDS) restoreIds(tables, words);
    else {
      const table = keyed.get(name);
      if (table === undefined) return false;
      restoreRows(table, index, words);
    }
    return true;
  };
}

function restoreProducers({ producers }: Tables, first: number, bytes: Uint8Array): void {
  for (let i = 0; i * PRODUCER_ROW_BYTES < bytes.length; i++)
    restoreProducer(producers, first + i, bytes, i * PRODUCER_ROW_BYTES);
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
    internEntry(dictionary, bytes, at + 4, length);
    at += 4 + length;
  }
}
