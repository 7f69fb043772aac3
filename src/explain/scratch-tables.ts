/**
 * Tables for one event: what a dry run moves instead of the live ones. Rows of the entities that the event names are copied
 * in from the live tables, each under its stripe's lock, and everything is forgotten afterwards. The dictionary is a copy
 * that grows as the live one does, so that ids mean the same; texts that only dry runs have seen are kept in the copy alone.
 * Main thread.
 */

import { shapeEntityTable, STRIPE_HEADER_WORDS, STRIPE_LOCK } from '../../native-free-core/layout/entity-layout.ts';
import { REGION_BYTES_MAX } from '../../native-free-core/layout/region.ts';
import type { Tables } from '../../native-free-core/decide/shared-tables.ts';
import { adoptRow } from '../../native-free-core/state/adoption.ts';
import {
  createDictionary,
  dictionaryCount,
  entryAt,
  entryBytes,
  internEntry,
  openDictionary,
  type Dictionary,
} from '../../native-free-core/state/dictionary.ts';
import {
  createEntityRegions,
  findRow,
  lockStripe,
  openEntityTable,
  pointAt,
  restoreRow,
  unlockStripe,
  type EntityTable,
} from '../../native-free-core/state/entity-table.ts';
import { PRODUCER_NONE } from '../../native-free-core/layout/producer-layout.ts';
import { forgetBudget } from '../../native-free-core/state/producer-budgets.ts';
import { createProducers, openProducers } from '../../native-free-core/state/producers.ts';

/** An event names each entity once; a few rows more keep the table's own arithmetic at ease. */
const ROWS = 8;
/** As `epoch` of `createRow`: a row moves over from a former table only where there is room. */
const NO_EVICTION = -1;
/** Texts that only dry runs have seen. */
const OWN_TEXTS_MAX = 4096;

/** The shapes follow the live tables, whose rows they take. Lists are the live ones: nothing writes to them. */
export function createScratchTables(live: Tables): Tables {
  const like = ({ shape }: EntityTable): EntityTable => {
    const small = shapeEntityTable(ROWS, shape.rowBytes, ROWS, REGION_BYTES_MAX);
    return openEntityTable(small, createEntityRegions(small));
  };
  const { entriesMax, heapBytes } = live.dictionary;
  return {
    entities: live.entities.map(like),
    ...(live.limits === undefined ? {} : { limits: live.limits.map(like) }),
    ...(live.lists === undefined ? {} : { lists: live.lists }),
    producers: openProducers(createProducers(1)),
    ids: null,
    dictionary: openDictionary(createDictionary(entriesMax, heapBytes)),
  };
}

/**
 * Brings the copy up to the live dictionary. False where it cannot: it has given an id away that now means something else.
 */
export function followDictionary(copy: Dictionary, live: Dictionary, followed: number): boolean {
  const count = dictionaryCount(live);
  if (dictionaryCount(copy) - count > OWN_TEXTS_MAX) return false;
  for (let id = followed; id < count; id++) {
    if (internEntry(copy, live.bytes, entryAt(live, id), entryBytes(live, id)) !== id) return false;
  }
  return true;
}

/** Copies a key's row, where the live table has one. */
export function copyRow(live: EntityTable, scratch: EntityTable, key: Int32Array): void {
  const [k0, k1, k2, k3] = [key[0]!, key[1]!, key[2]!, key[3]!];
  const words = live.shape.rowBytes >> 2;
  let row: Int32Array | null = null;
  lockStripe(live, k0, k1, k2, k3);
  let at = findRow(live, k0, k1, k2, k3);
  // What the sweep would do with it a moment later.
  if (at < 0 && live.adoption !== null) at = adoptRow(live, k0, k1, k2, k3, NO_EVICTION);
  if (at >= 0) row = live.words.slice(at * 2, at * 2 + words);
  unlockStripe(live);
  if (row !== null) restoreRow(scratch, row, 0);
}

export function clearTables({ entities, limits, producers }: Tables): void {
  forgetBudget(producers, PRODUCER_NONE);
  for (const table of [...entities, ...(limits ?? [])]) {
    for (let stripe = 0; stripe < table.shape.stripes; stripe++) {
      pointAt(table, stripe);
      table.words.fill(0, table.stripe + STRIPE_LOCK, table.stripe + STRIPE_HEADER_WORDS + table.shape.indexSlots);
    }
  }
}
