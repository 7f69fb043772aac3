/**
 * Attaches the calling thread to the shared tables. Called by every decision worker, and by recovery on the main thread.
 */

import type { Tables } from '../../native-free-core/decide/shared-tables.ts';
import { openDictionary } from '../../native-free-core/state/dictionary.ts';
import { openEntityTable, type EntityTable } from '../../native-free-core/state/entity-table.ts';
import { openIdWindow } from '../../native-free-core/state/id-window.ts';
import { openKeyList } from '../../native-free-core/state/key-list.ts';
import { openProducers } from '../../native-free-core/state/producers.ts';
import type { EntityMemory, SharedMemory } from '../memory/regions.ts';

export function openTables(memory: SharedMemory): Tables {
  return {
    entities: memory.entities.map(openTable),
    limits: memory.limits.map(openTable),
    lists: memory.lists.map(openKeyList),
    producers: openProducers(memory.producers),
    ids: memory.ids === null ? null : openIdWindow(memory.ids),
    dictionary: openDictionary(memory.dictionary),
  };
}

function openTable({ shape, regions, adoption }: EntityMemory): EntityTable {
  const table = openEntityTable(shape, regions);
  if (adoption === undefined) return table;
  const { former, side, copies, sideCopies } = adoption;
  table.adoption = { former: openTable(former), side: side === null ? null : openTable(side), copies, sideCopies };
  return table;
}
