/** Workers on one thread that meet by hand: events as JSON into the real core, stored rows out; recovery on fresh tables. */

import { LANE_EMPTY } from '../../native-free-core/base/outcomes.ts';
import { loadBlock } from '../../native-free-core/columns/load-block.ts';
import { moveState, decideRows } from '../../native-free-core/decide/decide-block.ts';
import type { Decider } from '../../native-free-core/decide/decider.ts';
import { arrive, awaitOthers, startEpochs } from '../../native-free-core/decide/epoch.ts';
import { createReplayer, replayEpoch } from '../../native-free-core/decide/replay.ts';
import { drainLanes } from '../../native-free-core/decide/run.ts';
import { sealAndAnswer } from '../../native-free-core/decide/seal-block.ts';
import type { Tables } from '../../native-free-core/decide/shared-tables.ts';
import { copyBlock } from '../../native-free-core/layout/block-record.ts';
import { createColumn, resetColumn } from '../../native-free-core/layout/column.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { layOutLimits } from '../../native-free-core/policy/limit-layout.ts';
import { claim, openLane, release, type Lane } from '../../native-free-core/ring/lane.ts';
import { copyStripe } from '../../native-free-core/state/entity-table.ts';
import { allocateMemory } from '../../src/memory/regions.ts';
import { openTables } from '../../src/workers/open-tables.ts';
import { deciderOn, writeEvents, writeOpen } from '../decide/decider-world.ts';

export type Row = Readonly<Record<string, number>>;

export interface StoredBlock {
  readonly epoch: number;
  readonly receivedAt: number;
  readonly bytes: Uint8Array;
  readonly rows: readonly Row[];
}

export interface LimitWorld {
  readonly tables: Tables;
  now: number;
  /** Events for worker `worker`, into its running block. */
  take(worker: number, events: readonly object[]): void;
  /** Ends the epoch; the workers decide in the order given, `between` is called before the last of them. */
  end(order: readonly number[], between?: () => void): StoredBlock[];
}

const HIGH = 4294967296;

export function limitWorld(plan: Plan, workers: number): LimitWorld {
  const memory = allocateMemory(plan, workers, 1);
  startEpochs(new Int32Array(memory.control), 1, 0);
  const world: { now: number } = { now: 0 };
  const deciders = Array.from({ length: workers }, (_, worker) => deciderOn(plan, memory, worker, () => world.now));
  for (const decider of deciders) writeOpen(decider);
  return Object.assign(world, {
    tables: openTables(memory),
    take(worker: number, events: readonly object[]): void {
      writeEvents(deciders[worker]!, events);
      drainLanes(deciders[worker]!);
    },
    end(order: readonly number[], between?: () => void): StoredBlock[] {
      const joined = deciders.filter((decider) => decider.block.joined);
      for (const decider of joined) moveState(decider);
      for (const [i, worker] of order.entries()) {
        if (i === order.length - 1) between?.();
        if (joined.includes(deciders[worker]!)) decideRows(deciders[worker]!);
      }
      for (const decider of joined) arrive(decider.input.control, decider.input.worker, workers);
      const blocks: StoredBlock[] = [];
      for (const worker of order) {
        const decider = deciders[worker]!;
        if (!joined.includes(decider)) continue;
        awaitOthers(decider.input.control, decider.block.ticket);
        sealAndAnswer(decider);
        blocks.push(storedBlock(plan, decider, openLane(memory.blockLanes[worker]!)));
        const answers = openLane(memory.durableLanes[worker]![0]!);
        for (; claim(answers) !== LANE_EMPTY; release(answers));
      }
      return blocks;
    },
  });
}

function storedBlock(plan: Plan, { block: { ticket } }: Decider, lane: Lane): StoredBlock {
  const bytes = copyBlock(lane, claim(lane), lane.claimedBytes);
  release(lane);
  return { epoch: ticket.epoch, receivedAt: ticket.receivedAt, bytes, rows: rowsOf(plan, bytes) };
}

/** Numeric columns of every row by name; codes as numbers. */
function rowsOf(plan: Plan, block: Uint8Array): Row[] {
  const columns = plan.columns.map((column) => createColumn(column));
  const { rows } = loadBlock(plan, columns, block);
  const read = Array.from({ length: rows }, (_, r) => {
    const row: Record<string, number> = {};
    for (const { plan: column, u32, i32, u16, u8 } of columns) {
      if (column.kind === 'u64') row[column.name] = u32[2 * r]! + u32[2 * r + 1]! * HIGH;
      else if (column.kind === 'i64' || column.kind === 'time') row[column.name] = u32[2 * r]! + i32[2 * r + 1]! * HIGH;
      else if (column.kind === 'code') row[column.name] = u16[r]!;
      else if (column.kind === 'u32') row[column.name] = u32[r]!;
      else if (column.kind === 'i32') row[column.name] = i32[r]!;
      else if (column.kind === 'u8') row[column.name] = u8[r]!;
    }
    return row;
  });
  for (const column of columns) resetColumn(column, rows);
  return read;
}

/** Fresh tables to which the blocks have been applied in this order. */
export function replayed(plan: Plan, blocks: readonly StoredBlock[], tables: Tables = freshTables(plan)): Tables {
  const replayer = createReplayer(plan, tables);
  for (const epoch of new Set(blocks.map((block) => block.epoch))) {
    const sealed = blocks.filter((block) => block.epoch === epoch).map(({ bytes }) => bytes);
    replayEpoch(replayer, sealed, epoch);
  }
  return tables;
}

export function freshTables(plan: Plan): Tables {
  return openTables(allocateMemory(plan, 1, 1));
}

/** What the limit tables hold, by entity and key; cells in an order of their own, without what recovery notes for itself. */
export function limitState(plan: Plan, tables: Tables): Map<string, readonly number[]> {
  const state = new Map<string, readonly number[]>();
  layOutLimits(plan).forEach(({ entity, rowBytes, rules }, i) => {
    const table = tables.limits![i]!;
    const buffer = new Uint8Array(table.shape.rowsPerStripe * rowBytes);
    for (let stripe = 0; stripe < table.shape.stripes; stripe++) {
      const bytes = copyStripe(table, stripe, buffer);
      for (let at = 0; at < bytes; at += rowBytes) {
        const [words, floats] = [
          new Int32Array(buffer.buffer, at, rowBytes >> 2),
          new Float64Array(buffer.buffer, at, rowBytes >> 3),
        ];
        const cells = rules.flatMap(({ cells: { isRing, at: slot, slots } }) => {
          if (isRing) return [floats[slot]!, ...words.subarray((slot + 1) * 2, (slot + slots) * 2)];
          return [...floats.subarray(slot, slot + slots)].sort((a, b) => a - b);
        });
        state.set(`${entity}:${words.subarray(0, 4).join('.')}`, [...floats.subarray(2, 6), ...cells]);
      }
    }
  });
  return state;
}
