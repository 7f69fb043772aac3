/**
 * Rebuilds the window of event ids from the rows of its last minutes. Whether a frame's ids were looked at is not in its
 * rows: the account knows of each producer whether it asked for that. On the main thread; called by src/recovery/rebuild.ts.
 */

import { WORD } from '../../../native-free-core/base/words.ts';
import { hashEventId } from '../../../native-free-core/decide/validate.ts';
import { createColumn } from '../../../native-free-core/layout/column.ts';
import {
  createDictionary,
  internEntry,
  openDictionary,
  type Dictionary,
} from '../../../native-free-core/state/dictionary.ts';
import { takeId } from '../../../native-free-core/state/id-window.ts';
import { quoteName, quoteText } from '../../contract/sql-text.ts';
import type { RebuildRows } from './rebuild-entities.ts';
import { readSlices, REBUILD_THREADS } from './row-slices.ts';

export interface RebuildIds extends RebuildRows {
  /** Newest received_at of all, ms UTC. */
  readonly receivedAt: number;
  /** Names of the producers whose ids are looked at; '': frames without a producer. */
  readonly dedups: ReadonlySet<string>;
}

const PRODUCERS_NAMED_MAX = 1000;
/** Names in the rows of these minutes; what is beyond counts as not looked at. */
const NAMES_MAX = 1 << 20;
const NAME_BYTES_MAX = 256 << 20;

export async function rebuildIds(request: RebuildIds): Promise<void> {
  const { plan, tables, dedups } = request;
  const { eventId, receivedAt, producer } = plan.system;
  const { ids } = tables;
  if (ids === null || eventId < 0 || dedups.size === 0) return;
  const needed = [eventId, receivedAt, producer];
  const columns = plan.columns.map((column, i) => createColumn(column, needed.includes(i) ? undefined : 0));
  const received = columns[receivedAt]!;
  const time = quoteName(plan.columns[receivedAt]!.name);
  const from = Math.max(0, request.receivedAt - plan.dedupWindowMs - 1000);
  const words = new Int32Array(4);
  const names = openDictionary(createDictionary(NAMES_MAX, NAME_BYTES_MAX));
  const looked = new Set([...dedups].map((name) => idOf(names, name)));
  await readSlices({
    threads: REBUILD_THREADS,
    address: request.clickhouse,
    dictionary: names,
    columns,
    needed,
    where: `${time} >= fromUnixTimestamp64Milli(toInt64(${from}), 'UTC') AND ${ofProducers(request)}`,
    orderBy: `${time}, _batch, _row`,
    slices: request.slices,
    onRows(rows) {
      for (let r = 0; r < rows; r++) {
        if (!looked.has(columns[producer]!.u32[r]!) || !hashEventId(columns[eventId]!, r, words)) continue;
        const at = received.u32[2 * r]! + received.i32[2 * r + 1]! * WORD;
        takeId(ids, words[0]!, words[1]!, words[2]!, words[3]!, at);
      }
      request.onRows(rows);
    },
  });
}

function idOf(names: Dictionary, name: string): number {
  const bytes = new TextEncoder().encode(name);
  return internEntry(names, bytes, 0, bytes.length);
}

/** So that not all rows of these minutes come over. */
function ofProducers({ plan, dedups }: RebuildIds): string {
  if (dedups.size > PRODUCERS_NAMED_MAX) return 'true';
  const names = [...dedups].map(quoteText);
  return `toString(${quoteName(plan.columns[plan.system.producer]!.name)}) IN (${names.join(', ')})`;
}
