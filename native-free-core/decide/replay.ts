/**
 * Recovery: applies the rows of sealed blocks to the tables, epoch by epoch, each entity's in (life, seq) order, and skips
 * what the tables already have (docs/semantics.md §4). Decides nothing and numbers nothing anew. Runs on the main thread,
 * before any worker.
 */

import { WORD } from '../base/words.ts';
import { loadBlock, eachFrame, eachDictionaryEntry, eachName } from '../columns/load-block.ts';
import { createColumn, resetColumn, type Column } from '../layout/column.ts';
import { FRAME_HAS_SEQ, FRAME_DUPLICATE, FRAME_DEDUP, FRAME_FIRST } from '../layout/frame-entry.ts';
import { BLOCK_ROWS_MAX } from '../layout/limits.ts';
import { seqNumber } from '../layout/seq.ts';
import type { Plan } from '../plan/plan.ts';
import { fail } from '../base/fail.ts';
import { copyEntry, internEntry } from '../state/dictionary.ts';
import { takeId } from '../state/id-window.ts';
import { nameProducer } from '../state/producer-names.ts';
import { replayProducer, takeSeq } from '../state/producers.ts';
import { openLimitReplays, replayLimits, type LimitReplay } from './join-limits.ts';
import { compileState, updateState, type StateLoops } from './state-loops.ts';
import type { Tables } from './shared-tables.ts';
import { hashEventId } from './validate.ts';

export interface Replayer {
  readonly plan: Plan;
  readonly tables: Tables;
  /** One for each block of an epoch, made when an epoch first has so many. */
  readonly seats: Seat[];
  readonly idWords: Int32Array;
}

/** Where one block of an epoch lies while its rows are applied to state. */
export interface StateSeat {
  readonly columns: readonly Column[];
  readonly state: StateLoops;
  rows: number;
  receivedAt: number;
}

interface Seat extends StateSeat {
  readonly limits: readonly LimitReplay[];
}

/**
 * The tables may grow beyond their bounds meanwhile, so that nothing is evicted for what another epoch evicts: trimming
 * comes last.
 */
export function createReplayer(plan: Plan, tables: Tables): Replayer {
  for (const table of [...tables.entities, ...(tables.limits ?? [])]) table.max = Infinity;
  return { plan, tables, seats: [], idWords: new Int32Array(4) };
}

function createSeat(plan: Plan, tables: Tables): Seat {
  const columns = plan.columns.map((column) => createColumn(column));
  const state = compileState(plan, columns, tables, 'replay');
  const limits = openLimitReplays(plan, columns, state, tables);
  return { columns, state, limits, rows: 0, receivedAt: 0 };
}

/** Applies the sealed blocks of `epoch`, all of them. */
export function replayEpoch(replayer: Replayer, blocks: readonly Uint8Array[], epoch: number): void {
  const { plan, tables } = replayer;
  while (replayer.seats.length < blocks.length) replayer.seats.push(createSeat(plan, tables));
  const seats = replayer.seats.slice(0, blocks.length);
  seats.forEach((seat, i) => loadSeat(replayer, seat, blocks[i]));
  replayState(plan, seats, epoch);
  seats.forEach((seat, i) => {
    for (const limits of seat.limits) replayLimits(limits, seat.rows, epoch, seat.receivedAt);
    replayFrames(replayer, seat, blocks[i]);
    for (const column of seat.columns) resetColumn(column, seat.rows);
  });
}

function loadSeat({ plan, tables }: Replayer, seat: Seat, block: Uint8Array): void {
  eachDictionaryEntry(block, (id, bytes, start, length) => {
    const given = internEntry(tables.dictionary, bytes, start, length);
    if (given !== id) fail('dictionary_replay', id);
  });
  const { rows, receivedAt } = loadBlock(plan, seat.columns, block);
  seat.rows = rows;
  seat.receivedAt = receivedAt;
  setEffective(plan, seat);
}

/** The loops' own copy of effective_time. */
export function setEffective(plan: Plan, { columns, state, rows }: StateSeat): void {
  const effective = columns[plan.system.effectiveTime];
  for (let r = 0; r < rows; r++) state.effective[r] = effective.u32[2 * r] + effective.i32[2 * r + 1] * WORD;
}

/** Moves the state of every entity of `plan` by the rows of one epoch. */
export function replayState(plan: Plan, seats: readonly StateSeat[], epoch: number): void {
  if (seats.length === 1) updateState(seats[0].state, seats[0].rows, epoch, seats[0].receivedAt, true);
  else for (let entity = 0; entity < plan.entities.length; entity++) replayShared(plan, seats, entity, epoch);
}

/** Room to put the rows of all seats in order: ranks by place. */
let ranks = new Float64Array(0);

/**
 * Several workers have taken turns at the same entities: a state took one row from this block, the next from that. A
 * kernel skips what is not next, so the rows go in the order of their numbers, whatever block they lie in. A key has rows
 * of two lives at most, and the newer one began in this epoch.
 */
function replayShared(plan: Plan, seats: readonly StateSeat[], entity: number, epoch: number): void {
  if (ranks.length < seats.length * BLOCK_ROWS_MAX) ranks = new Float64Array(seats.length * BLOCK_ROWS_MAX);
  const order = new Uint32Array(seats.reduce((sum, { rows }) => sum + rows, 0));
  const { seqColumn, lifeColumn } = plan.entities[entity];
  let count = 0;
  for (let i = 0; i < seats.length; i++) {
    const { state, columns, rows } = seats[i];
    const seq = columns[seqColumn].u32;
    const life = columns[lifeColumn].u32;
    state.keyLoops[entity](0, rows);
    for (let r = 0; r < rows; r++) {
      const number = seq[2 * r] + seq[2 * r + 1] * WORD;
      if (number === 0) continue;
      const at = i * BLOCK_ROWS_MAX + r;
      const begun = life[2 * r] + life[2 * r + 1] * WORD === epoch;
      // Numbers that an older life has reached are below all of the newer one's.
      ranks[at] = begun ? number : number - Number.MAX_SAFE_INTEGER;
      order[count++] = at;
    }
  }
  for (const at of order.subarray(0, count).sort((a, b) => ranks[a] - ranks[b])) {
    const { state, receivedAt } = seats[Math.floor(at / BLOCK_ROWS_MAX)];
    const r = at % BLOCK_ROWS_MAX;
    state.kernels[entity](r, r + 1, epoch, receivedAt);
  }
}

/**
 * Rows of the producers of a block, by the numbers that the block has for them. Whoever got a row then gets one now: what
 * the table has from a later moment, or from a time when it could hold more, gives way.
 */
function nameProducers({ tables }: Replayer, block: Uint8Array, receivedAt: number): Map<number, number> {
  const rows = new Map<number, number>();
  eachName(
    block,
    (id) => copyEntry(tables.dictionary, id),
    (producer, name) => {
      const idle = nameProducer(tables.producers, name, 0, name.length, receivedAt - tables.producers.forgetAfterMs);
      rows.set(producer, idle > 0 ? idle : nameProducer(tables.producers, name, 0, name.length, receivedAt));
    },
  );
  return rows;
}

/** Sequence numbers and event ids; a frame's accepted events are the next rows of the block. */
function replayFrames(replayer: Replayer, { columns, receivedAt }: Seat, block: Uint8Array): void {
  const { tables, plan, idWords } = replayer;
  const producers = nameProducers(replayer, block, receivedAt);
  const eventId = plan.system.eventId < 0 ? null : columns[plan.system.eventId];
  let row = 0;
  eachFrame(block, (frame) => {
    const seq = seqNumber(frame.seq);
    const took = (frame.flags & FRAME_HAS_SEQ) !== 0 && (frame.flags & FRAME_DUPLICATE) === 0;
    const producer = producers.get(frame.producer) ?? 0;
    if (producer > 0) replayProducer(tables.producers, producer, (frame.flags & FRAME_FIRST) !== 0, receivedAt);
    if (producer > 0 && took && seq > 0) takeSeq(tables.producers, producer, seq);
    if ((frame.flags & FRAME_DEDUP) !== 0 && eventId !== null && tables.ids !== null) {
      for (let r = row; r < row + frame.accepted; r++) {
        if (hashEventId(eventId, r, idWords))
          takeId(tables.ids, idWords[0], idWords[1], idWords[2], idWords[3], receivedAt);
      }
    }
    row += frame.accepted;
  });
}
