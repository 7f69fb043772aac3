/**
 * The rules that every event must keep (docs/semantics.md §3), checked row by row right after decoding, and the columns that
 * the engine itself fills. An event that fails leaves no trace in state: nothing has been updated yet.
 */

import { fail } from '../base/fail.ts';
import { hashBytes } from '../base/hash.ts';
import {
  EVENT_DUPLICATE,
  EVENT_NO_KEY,
  EVENT_NO_TIME,
  EVENT_TIME_TOO_NEW,
  EVENT_TIME_TOO_OLD,
} from '../base/outcomes.ts';
import { WORD } from '../base/words.ts';
import { rowBytes, type Column } from '../layout/column.ts';
import type { FrameEntry } from '../layout/frame-entry.ts';
import { hasSeq, storeSeq } from '../layout/seq.ts';
import type { Plan } from '../plan/plan.ts';
import type { ComputedLoop } from '../policy/compile-computed.ts';
import { ID_SEEN, takeId, type IdWindow } from '../state/id-window.ts';
import type { StateLoops } from './state-loops.ts';
import type { Tables } from './shared-tables.ts';

const ID_SEED = 3;

export interface Validator {
  readonly plan: Plan;
  readonly state: StateLoops;
  /** Fills the computed columns that the primary key reads; null: it reads none. */
  readonly computeForKey: ComputedLoop | null;
  readonly ids: IdWindow | null;
  readonly eventId: Column | null;
  readonly eventTime: Column;
  /** Whether the event that was decoded last brought its time. */
  readonly hasTime: () => boolean;
  readonly receivedAt: Column;
  readonly effectiveTime: Column;
  readonly producer: Column;
  readonly frameSeq: Column;
  readonly frameIndex: Column;
  readonly idWords: Int32Array;
}

export function compileValidator(
  plan: Plan,
  columns: readonly Column[],
  tables: Tables,
  state: StateLoops,
  computeForKey: ComputedLoop | null,
  hasTime: () => boolean,
): Validator {
  const system = plan.system;
  return {
    plan,
    state,
    computeForKey,
    ids: tables.ids,
    eventId: system.eventId < 0 ? null : columns[system.eventId],
    eventTime: columns[system.eventTime],
    hasTime,
    receivedAt: columns[system.receivedAt],
    effectiveTime: columns[system.effectiveTime],
    producer: columns[system.producer],
    frameSeq: columns[system.frameSeq],
    frameIndex: columns[system.frameIndex],
    idWords: new Int32Array(4),
  };
}

/** 0 where the row stands, or why it does not. `dedup`: the event id must be new. */
export function validateRow(v: Validator, row: number, receivedAt: number, dedup: boolean): number {
  const time = v.eventTime;
  if (time.nulls.length !== 0 && time.nulls[row] !== 0) return EVENT_NO_TIME;
  const at = time.u32[2 * row] + time.i32[2 * row + 1] * WORD;
  if (at === 0 && time.nulls.length === 0 && !v.hasTime()) return EVENT_NO_TIME;
  if (at < 0 || at < receivedAt - v.plan.acceptMaxAgeMs) return EVENT_TIME_TOO_OLD;
  if (at > receivedAt + v.plan.acceptMaxFutureMs) return EVENT_TIME_TOO_NEW;
  const state = v.state;
  if (v.computeForKey !== null) v.computeForKey(row, row + 1);
  state.keyLoops[state.primary](row, row + 1);
  if (state.present[state.primary][row] === 0) return EVENT_NO_KEY;
  const latest = receivedAt + v.plan.maxFutureSkewMs;
  state.effective[row] = at < latest ? at : latest;
  return dedup && v.eventId !== null && v.ids !== null ? takeEventId(v, v.eventId, row, receivedAt) : 0;
}

/** An absent or empty id protects nothing. */
function takeEventId(v: Validator, id: Column, row: number, receivedAt: number): number {
  const words = v.idWords;
  if (!hashEventId(id, row, words)) return 0;
  const seen = takeId(v.ids!, words[0], words[1], words[2], words[3], receivedAt) === ID_SEEN;
  return seen ? EVENT_DUPLICATE : 0;
}

/** False where the row has no id. */
export function hashEventId(id: Column, row: number, words: Int32Array): boolean {
  switch (rowBytes(id.kind)) {
    case 0:
      if (id.lengths[row] === 0) return false;
      hashBytes(id.heap, id.starts[row], id.lengths[row], ID_SEED, words, 0);
      return true;
    case 8:
      words[0] = id.i32[2 * row];
      words[1] = id.i32[2 * row + 1];
      break;
    case 4:
      words[0] = id.i32[row];
      words[1] = 0;
      break;
    case 2:
    case 1:
      return fail('event_id_kind', id.plan.index);
  }
  words[2] = 0;
  words[3] = 1;
  return (words[0] | words[1]) !== 0;
}

/** Columns that say where the row came from. */
export function fillSystemColumns(
  v: Validator,
  row: number,
  receivedAt: number,
  { producer, seq }: FrameEntry,
  index: number,
): void {
  setTime(v.receivedAt, row, receivedAt);
  setTime(v.effectiveTime, row, v.state.effective[row]);
  v.frameIndex.u32[row] = index;
  v.frameIndex.touched = true;
  if (producer !== 0) {
    v.producer.u32[row] = producer;
    v.producer.touched = true;
  }
  if (hasSeq(seq)) {
    storeSeq(v.frameSeq.u32, 2 * row, seq);
    v.frameSeq.touched = true;
  }
}

function setTime(column: Column, row: number, milliseconds: number): void {
  const high = Math.floor(milliseconds / WORD);
  column.u32[2 * row] = milliseconds - high * WORD;
  column.i32[2 * row + 1] = high;
  column.touched = true;
}
