/**
 * Rebuilds the window of event ids from the rows of its last minutes. Whether a frame's ids were looked at is not in its rows: the
 * account knows of each producer whether it asked for that. On the main thread; called by src/rebuild.ts.
 */

import { hashEventId } from '../../../native-free-core/decide/validate.ts';
import { createColumn } from '../../../native-free-core/layout/column.ts';
import { entryAt, entryBytes } from '../../../native-free-core/state/dictionary.ts';
import { takeId } from '../../../native-free-core/state/id-window.ts';
import { quoteName, quoteText } from '../tables/index.ts';
import type { RebuildRows } from './rebuild-entities.ts';
import { readSlices, REBUILD_THREADS } from './row-slices.ts';

export interface RebuildIds extends RebuildRows {
  /** Newest received_at of all, ms UTC. */
  readonly receivedAt: number;
  /** Dictionary ids of the producers whose ids are looked at; 0: frames without a producer. */
  readonly dedups: ReadonlySet<number>;
}

const HIGH = 4294967296;
const PRODUCERS_NAMED_MAX = 1000;

export async function rebuildIds(request: RebuildIds): Promise<void> {
  const { plan, tables, dedups, throughEpoch } = request;
  const { eventId, receivedAt, producer } = plan.system;
  const { ids } = tables;
  if (ids === null || eventId < 0 || dedups.size === 0) return;
  const needed = [eventId, receivedAt, producer];
  const columns = plan.columns.map((column, i) => createColumn(column, needed.includes(i) ? undefined : 0));
  const received = columns[receivedAt]!;
  const time = quoteName(plan.columns[receivedAt]!.name);
  const from = Math.max(0, request.receivedAt - plan.dedupWindowMs - 1000);
  const words = new Int32Array(4);
  await readSlices({
    threads: REBUILD_THREADS,
    address: request.clickhouse,
    dictionary: tables.dictionary,
    columns,
    needed,
    where: `_epoch <= ${throughEpoch} AND ${time} >= fromUnixTimestamp64Milli(toInt64(${from}), 'UTC') AND ${ofProducers(request)}`,
    orderBy: `${time}, _batch, _row`,
    slices: request.slices,
    onRows(rows) {
      for (let r = 0; r < rows; r++) {
        if (!dedups.has(columns[producer]!.u32[r]!) || !hashEventId(columns[eventId]!, r, words)) continue;
        const at = received.u32[2 * r]! + received.i32[2 * r + 1]! * HIGH;
        takeId(ids, words[0]!, words[1]!, words[2]!, words[3]!, at);
      }
      request.onRows(rows);
    },
  });
}

/** So that not all rows of these minutes come over. */
function ofProducers({ plan, tables, dedups }: RebuildIds): string {
  if (dedups.size > PRODUCERS_NAMED_MAX) return 'true';
  const { dictionary } = tables;
  const names = [...dedups].map((id) => {
    const at = entryAt(dictionary, id);
    return quoteText(new TextDecoder().decode(dictionary.bytes.slice(at, at + entryBytes(dictionary, id))));
  });
  return `toString(${quoteName(plan.columns[plan.system.producer]!.name)}) IN (${names.join(', ')})`;
}
