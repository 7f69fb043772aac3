/**
 * Recovery: applies the rows of sealed blocks to the tables, in the order in which they were stored, and skips what the
 * tables already have (SEMANTICS.md §4). Decides nothing and numbers nothing anew. Runs on the main thread, before any
 * worker.
 */

import { loadBlock, eachFrame, eachDictionaryEntry } from '../columns/load.ts';
import { createColumn, resetColumn, type Column } from '../layout/column.ts';
import { FRAME_DEDUP, FRAME_DUPLICATE, FRAME_HAS_SEQ } from '../layout/block-layout.ts';
import type { Plan } from '../layout/plan.ts';
import { fail } from '../base/fail.ts';
import { internEntry } from '../state/dictionary.ts';
import { takeId } from '../state/id-window.ts';
import { takeSeq } from '../state/producers.ts';
import { openLimitReplays, replayLimits, type LimitReplay } from './rule-limits.ts';
import { compileState, updateState, type StateLoops } from './state-loops.ts';
import type { Tables } from './tables.ts';
import { hashEventId } from './validate.ts';

const HIGH = 4294967296;

export interface Replayer {
  readonly plan: Plan;
  readonly tables: Tables;
  readonly columns: readonly Column[];
  readonly state: StateLoops;
  readonly limits: readonly LimitReplay[];
  readonly idWords: Int32Array;
}

export function createReplayer(plan: Plan, tables: Tables): Replayer {
  const columns = plan.columns.map((column) => createColumn(column));
  const state = compileState(plan, columns, tables, 'replay');
  const limits = openLimitReplays(plan, columns, state, tables);
  return { plan, tables, columns, state, limits, idWords: new Int32Array(4) };
}

/** Applies one sealed block of `epoch`. */
export function replayBlock(replayer: Replayer, block: Uint8Array, epoch: number): void {
  const { tables, columns, state, plan } = replayer;
  eachDictionaryEntry(block, (id, bytes, start, length) => {
    const given = internEntry(tables.dictionary, bytes, start, length);
    if (given !== id) fail('DICTIONARY_REPLAY', id);
  });
  const { rows, receivedAt } = loadBlock(plan, columns, block);
  const effective = columns[plan.system.effectiveTime];
  for (let r = 0; r < rows; r++) state.effective[r] = effective.u32[2 * r] + effective.i32[2 * r + 1] * HIGH;
  updateState(state, rows, epoch, receivedAt, true);
  for (const limits of replayer.limits) replayLimits(limits, rows, epoch, receivedAt);
  replayFrames(replayer, block, receivedAt);
  for (const column of columns) resetColumn(column, rows);
}

/** Sequence numbers and event ids; a frame's accepted events are the next rows of the block. */
function replayFrames(replayer: Replayer, block: Uint8Array, receivedAt: number): void {
  const { tables, columns, plan, idWords } = replayer;
  const eventId = plan.system.eventId < 0 ? null : columns[plan.system.eventId];
  let row = 0;
  eachFrame(block, (frame) => {
    const seq = frame.seqLow + frame.seqHigh * HIGH;
    const took = (frame.flags & FRAME_HAS_SEQ) !== 0 && (frame.flags & FRAME_DUPLICATE) === 0;
    if (took && seq > 0) takeSeq(tables.producers, frame.producer, seq, receivedAt);
    if ((frame.flags & FRAME_DEDUP) !== 0 && eventId !== null && tables.ids !== null) {
      for (let r = row; r < row + frame.accepted; r++) {
        if (hashEventId(eventId, r, idWords))
          takeId(tables.ids, idWords[0], idWords[1], idWords[2], idWords[3], receivedAt);
      }
    }
    row += frame.accepted;
  });
}
