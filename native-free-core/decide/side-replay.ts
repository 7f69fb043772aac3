/**
 * Applies blocks that the former version of a pipeline has sealed to the side tables in which the next version's new
 * features are being backfilled: the same kernels as recovery, over the columns as the next version sees them. Backfill
 * thread, and recovery on the main thread.
 */

import { loadBlock } from '../columns/load-block.ts';
import { carryColumns, type CarriedColumns, type CarriedTexts } from '../columns/carry-columns.ts';
import { createColumn, resetColumn, type Column } from '../layout/column.ts';
import { backfillPlan, type PlanChange } from '../plan/change-plan.ts';
import type { Plan } from '../plan/plan.ts';
import { entryAt, entryBytes, internEntry, type Dictionary } from '../state/dictionary.ts';
import { replayState, setEffective, type StateSeat } from './replay.ts';
import { compileState } from './state-loops.ts';
import type { Tables } from './shared-tables.ts';

export interface SideReplayer {
  /** `blocks`: all blocks of the epoch, sealed by the former version. */
  replay(blocks: readonly Uint8Array[], epoch: number): void;
}

interface SideSeat extends StateSeat {
  readonly loaded: readonly Column[];
  readonly carried: CarriedColumns;
}

/** `tables`: entities as in `backfillPlan(to, change)`; the rest is shared with the live ones. */
export function createSideReplayer(from: Plan, to: Plan, change: PlanChange, tables: Tables): SideReplayer {
  const plan = backfillPlan(to, change);
  const seats: SideSeat[] = [];
  const createSeat = (): SideSeat => {
    const loaded = from.columns.map((column) => createColumn(column));
    const carried = carryColumns(loaded, to, change, textsOf(tables.dictionary));
    const state = compileState(plan, carried.columns, tables, 'replay');
    return { loaded, carried, columns: carried.columns, state, rows: 0, receivedAt: 0 };
  };
  return {
    replay(blocks, epoch) {
      while (seats.length < blocks.length) seats.push(createSeat());
      const taken = seats.slice(0, blocks.length);
      taken.forEach((seat, i) => {
        const { rows, receivedAt } = loadBlock(from, seat.loaded, blocks[i]);
        seat.rows = rows;
        seat.receivedAt = receivedAt;
        seat.carried.convert(rows);
        setEffective(plan, seat);
      });
      replayState(plan, taken, epoch);
      for (const seat of taken) {
        for (const column of seat.loaded) resetColumn(column, seat.rows);
        seat.carried.reset(seat.rows);
      }
    },
  };
}

function textsOf(dictionary: Dictionary): CarriedTexts {
  return {
    intern: (bytes, start, length) => internEntry(dictionary, bytes, start, length),
    bytes: dictionary.bytes,
    startOf: (id) => entryAt(dictionary, id),
    lengthOf: (id) => entryBytes(dictionary, id),
  };
}
