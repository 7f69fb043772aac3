/**
 * The tables of a warm-up's second phase: those of the first with handles of their own, the names and lists that count, and,
 * where a change of the pipeline is ahead, rows that move over as they will then. Called by warm-up.ts.
 */

import type { Tables } from '../../../native-free-core/decide/shared-tables.ts';
import { ROW_SEEN_SLOT, STRIPE_USED } from '../../../native-free-core/layout/entity-layout.ts';
import { beginAdoption } from '../../../native-free-core/state/adoption.ts';
import { openDictionary } from '../../../native-free-core/state/dictionary.ts';
import {
  createRow,
  lockStripe,
  openEntityTable,
  pointAt,
  rowWord,
  unlockStripe,
  type EntityTable,
} from '../../../native-free-core/state/entity-table.ts';
import { openKeyList } from '../../../native-free-core/state/key-list.ts';
import { allocateTable, WARM_UP_ENTITIES_MAX, type EntityMemory, type SharedMemory } from '../../memory/regions.ts';
import { openTables } from '../open-tables.ts';

/**
 * `next`: what the worker will stand on. Its dictionary is the one that counts: ids that are remembered hold afterwards, and
 * the names in copied frames are on their way into it anyway, but for fields that only the next version keeps there. `now`:
 * ms UTC.
 */
export function secondTables(warmUpMemory: SharedMemory, next: SharedMemory, now: number): Tables {
  const { entities, limits = [], ...rest } = openTables(warmUpMemory);
  const moving = (own: readonly EntityTable[], real: readonly EntityMemory[]): EntityTable[] =>
    own.map((table, i) => adoptingLike(real[i]!, table, now));
  return {
    ...rest,
    entities: moving(entities, next.entities),
    limits: moving(limits, next.limits),
    lists: next.lists.map(openKeyList),
    dictionary: openDictionary(next.dictionary),
  };
}

/** Where the real table takes rows over: a small one that takes over as many as `own` has, of the same layouts. */
function adoptingLike({ shape, adoption }: EntityMemory, own: EntityTable, now: number): EntityTable {
  if (adoption === undefined) return own;
  const { former, side, copies, sideCopies } = adoption;
  const table = smallTable(shape.rowBytes);
  table.adoption = {
    former: withKeysOf(own, smallTable(former.shape.rowBytes), now),
    side: side === null ? null : withKeysOf(own, smallTable(side.shape.rowBytes), now),
    copies,
    sideCopies,
  };
  beginAdoption(table);
  return table;
}

function smallTable(rowBytes: number): EntityTable {
  const { shape, regions } = allocateTable(WARM_UP_ENTITIES_MAX, rowBytes, 1);
  return openEntityTable(shape, regions);
}

/** Rows of the same keys, seen just now, with nothing in them. */
function withKeysOf(from: EntityTable, table: EntityTable, now: number): EntityTable {
  for (let stripe = 0; stripe < from.shape.stripes; stripe++) {
    pointAt(from, stripe);
    const rows = from.words[from.stripe + STRIPE_USED]!;
    for (let row = 0; row < rows; row++) {
      const at = rowWord(from, row);
      const [k0, k1, k2, k3] = from.words.subarray(at, at + 4) as unknown as [number, number, number, number];
      lockStripe(table, k0, k1, k2, k3);
      const created = createRow(table, k0, k1, k2, k3, 0);
      if (created >= 0) table.floats[created + ROW_SEEN_SLOT] = now;
      unlockStripe(table);
    }
  }
  return table;
}
