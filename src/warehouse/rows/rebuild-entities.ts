/**
 * Rebuilds whole entity tables from stored rows, as fill-from-rows.ts does it for single features: every row of an entity in
 * (life, seq) order through the kernels of recovery. Where there were more lives than the table takes, the keys that were
 * received last are put in first, and only their rows are applied. Recovery, on the main thread; called by
 * src/recovery/rebuild.ts.
 */

import { WORD } from '../../../native-free-core/base/words.ts';
import { compileState, type StateLoops } from '../../../native-free-core/decide/state-loops.ts';
import type { Tables } from '../../../native-free-core/decide/shared-tables.ts';
import { createColumn, type Column } from '../../../native-free-core/layout/column.ts';
import { ROW_SEEN_SLOT, STRIPE_USED } from '../../../native-free-core/layout/entity-layout.ts';
import type { EntityPlan, Plan } from '../../../native-free-core/plan/plan.ts';
import {
  createRow,
  findRow,
  liveTotal,
  lockStripe,
  unlockStripe,
  type EntityTable,
} from '../../../native-free-core/state/entity-table.ts';
import { eventsSource } from '../../contract/events-source.ts';
import { isBefore, later, type Position } from '../../contract/event-log.ts';
import { quoteName } from '../../contract/sql-text.ts';
import { neededColumns, writtenColumns } from './fill-from-rows.ts';
import { readSlices, REBUILD_THREADS, type Slice } from './row-slices.ts';
import { askLines, entityCondition, type RowsAddress } from './stored-rows.ts';

export interface RebuildRows {
  readonly clickhouse: RowsAddress;
  readonly plan: Plan;
  readonly tables: Tables;
  /** Number of the log whose rows are read. */
  readonly log: number;
  /** Epochs up to this one. */
  readonly throughEpoch: Position;
  /** All of these epochs, a few million rows at a time (row-slices.ts). */
  readonly slices: readonly Slice[];
  readonly onRows: (rows: number) => void;
}

export interface RebuildEntity extends RebuildRows {
  /** Index in the plan. */
  readonly entity: number;
  /** Rows of epochs up to this one are of an entity that was dropped since, though it had the name. */
  readonly afterEpoch: Position;
}

export interface StoredCount {
  readonly rows: number;
  /** Keys, each as often as it began anew. */
  readonly lives: number;
}

/** As a running epoch: every row of the table may be evicted for a newcomer. */
const ANY_EPOCH = Number.MAX_SAFE_INTEGER;

export async function countEntityRows(
  request: Omit<RebuildEntity, 'onRows' | 'tables' | 'slices'>,
): Promise<StoredCount> {
  const { clickhouse, plan, entity } = request;
  const seq = quoteName(plan.columns[plan.entities[entity]!.seqColumn]!.name);
  const { from, where } = eventsSource(request, clickhouse.database);
  const sql = `SELECT count(), countIf(${seq} = 1) FROM ${from} WHERE ${seq} > 0 AND ${where}`;
  const [line] = await askLines({ address: clickhouse, threads: REBUILD_THREADS }, sql);
  return { rows: Number(line![0]), lives: Number(line![1]) };
}

export async function rebuildEntity(request: RebuildEntity, count: StoredCount): Promise<void> {
  const { plan, tables } = request;
  const entity = plan.entities[request.entity]!;
  const table = tables.entities[request.entity]!;
  const isCrowded = count.lives > entity.max;
  if (isCrowded) await placeRecentKeys(request, entity, table);
  const needed = neededColumns(plan, entity);
  const wanted = new Set([...needed, ...writtenColumns(plan, entity)]);
  const columns = plan.columns.map((column, i) => createColumn(column, wanted.has(i) ? undefined : 0));
  const state = stateOf(request, entity, columns);
  const [seq, life] = [entity.seqColumn, entity.lifeColumn].map((column) => quoteName(plan.columns[column]!.name));
  await readSlices({
    threads: REBUILD_THREADS,
    ...commonOf(request),
    columns,
    needed,
    orderBy: `${life}, ${seq}`,
    onRows(rows) {
      prepare(plan, state, columns, rows);
      if (isCrowded) leaveOut(table, state, rows);
      applyRows(plan, state, columns, rows);
      request.onRows(rows);
    },
  });
}

function commonOf({ clickhouse, plan, tables, entity, slices, afterEpoch }: RebuildEntity) {
  return {
    address: clickhouse,
    dictionary: tables.dictionary,
    slices: slices
      .filter(({ throughEpoch }) => isBefore(afterEpoch, throughEpoch))
      .map((slice) => ({ ...slice, afterEpoch: later(slice.afterEpoch, afterEpoch) })),
    where: entityCondition({ plan, entity: plan.entities[entity]! }),
  };
}

/** The loops of this entity alone: the others' columns are not read. */
function stateOf({ plan, tables, entity: index }: RebuildEntity, entity: EntityPlan, columns: Column[]): StateLoops {
  const own = { ...plan, entities: [{ ...entity, index: 0 }], decisions: [] };
  return compileState(own, columns, { ...tables, entities: [tables.entities[index]!] }, 'replay');
}

function prepare(plan: Plan, state: StateLoops, columns: readonly Column[], rows: number): void {
  const effective = columns[plan.system.effectiveTime]!;
  for (let r = 0; r < rows; r++) state.effective[r] = effective.u32[2 * r]! + effective.i32[2 * r + 1]! * WORD;
  state.keyLoops[0]!(0, rows);
}

/** When a state was last seen is part of it, so rows that were received at once go through the kernel at once. */
function applyRows(plan: Plan, state: StateLoops, columns: readonly Column[], rows: number): void {
  const { u32, i32 } = columns[plan.system.receivedAt]!;
  const kernel = state.kernels[0]!;
  for (let from = 0, to = 1; from < rows; from = to++) {
    while (to < rows && u32[2 * to] === u32[2 * from] && u32[2 * to + 1] === u32[2 * from + 1]) to++;
    kernel(from, to, ANY_EPOCH, u32[2 * from]! + i32[2 * from + 1]! * WORD);
  }
}

/**
 * Gives keys a row, those that were received last first, until the table or their stripe is full; their lives begin with
 * their rows.
 */
async function placeRecentKeys(request: RebuildEntity, entity: EntityPlan, table: EntityTable): Promise<void> {
  const { plan } = request;
  const needed = neededColumns(plan, { ...entity, features: [] });
  const wanted = new Set([...needed, plan.system.overflow]);
  const columns = plan.columns.map((column, i) => createColumn(column, wanted.has(i) ? undefined : 0));
  // Only its key loop is run: what a kernel reads has no rows here.
  const state = stateOf(request, entity, columns);
  const { u32, i32 } = columns[plan.system.receivedAt]!;
  const { slices, ...common } = commonOf(request);
  await readSlices({
    threads: REBUILD_THREADS,
    ...common,
    columns,
    needed,
    slices: slices.toReversed(),
    orderBy: `${quoteName(plan.columns[plan.system.receivedAt]!.name)} DESC`,
    onRows(rows) {
      state.keyLoops[0]!(0, rows);
      const [keys, present] = [state.keys[0]!, state.present[0]!];
      for (let r = 0; r < rows; r++) {
        if (present[r] !== 0) place(table, keys, r, u32[2 * r]! + i32[2 * r + 1]! * WORD);
      }
    },
  });
}

function place(table: EntityTable, keys: Int32Array, r: number, receivedAt: number): void {
  const [k0, k1, k2, k3] = [keys[4 * r]!, keys[4 * r + 1]!, keys[4 * r + 2]!, keys[4 * r + 3]!];
  lockStripe(table, k0, k1, k2, k3);
  const isFull = table.words[table.stripe + STRIPE_USED]! >= table.shape.rowsPerStripe;
  const hasRoom = !isFull && liveTotal(table) < table.shape.max;
  if (hasRoom && findRow(table, k0, k1, k2, k3) < 0) {
    const at = createRow(table, k0, k1, k2, k3, 0);
    table.floats[at + ROW_SEEN_SLOT] = receivedAt;
  }
  unlockStripe(table);
}

function leaveOut(table: EntityTable, state: StateLoops, rows: number): void {
  const [keys, present] = [state.keys[0]!, state.present[0]!];
  for (let r = 0; r < rows; r++) {
    const [k0, k1, k2, k3] = [keys[4 * r]!, keys[4 * r + 1]!, keys[4 * r + 2]!, keys[4 * r + 3]!];
    lockStripe(table, k0, k1, k2, k3);
    if (findRow(table, k0, k1, k2, k3) < 0) present[r] = 0;
    unlockStripe(table);
  }
}
