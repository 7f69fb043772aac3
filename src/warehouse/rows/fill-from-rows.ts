/**
 * Fills side tables with the history of new features: every stored row of an entity that lives, in (life, seq) order,
 * through the very kernels that recovery uses. State is a function of an entity's stored rows, so the side table ends where
 * the live one would have, had the features been there. Backfill thread, and recovery on the main thread.
 */

import { WORD } from '../../../native-free-core/base/words.ts';
import { compileState } from '../../../native-free-core/decide/state-loops.ts';
import type { Tables } from '../../../native-free-core/decide/shared-tables.ts';
import { createColumn } from '../../../native-free-core/layout/column.ts';
import { backfilledEntities, backfillPlan, type PlanChange } from '../../../native-free-core/plan/change-plan.ts';
import { ROW_LIFE_SLOT } from '../../../native-free-core/layout/entity-layout.ts';
import { slotOf, type EntityPlan, type Expression, type Plan } from '../../../native-free-core/plan/plan.ts';
import { findRow, lockStripe, unlockStripe, type EntityTable } from '../../../native-free-core/state/entity-table.ts';
import type { Position } from '../../contract/event-log.ts';
import { readSlices, sliceEpochs } from './row-slices.ts';
import { countStoredRows, entityCondition, entityOrder, type RowsAddress } from './stored-rows.ts';

export interface FillInput {
  readonly clickhouse: RowsAddress;
  /** Number of the log whose rows are read. */
  readonly logNumber: number;
  /** The version whose features are filled in, and what it changes. */
  readonly plan: Plan;
  readonly change: PlanChange;
  /** Side tables, in the order of `backfilledEntities`. */
  readonly tables: Tables;
  /** The running version's tables: rows of keys that do not live there are left out. */
  readonly living: Tables;
  readonly throughEpoch: Position;
  readonly onProgress?: (rows: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** As a running epoch: every row of the table may be evicted for a newcomer. */
const ANY_EPOCH = Number.MAX_SAFE_INTEGER;

export async function fillFromRows(input: FillInput): Promise<void> {
  const { plan, change, throughEpoch, onProgress } = input;
  const sidePlan = backfillPlan(plan, change);
  const common = {
    address: input.clickhouse,
    plan,
    log: input.logNumber,
    throughEpoch,
    ...(input.signal === undefined ? {} : { signal: input.signal }),
  };
  const totals = await Promise.all(sidePlan.entities.map((entity) => countStoredRows({ ...common, entity })));
  const total = totals.reduce((sum, one) => sum + one, 0);
  const slices = await sliceEpochs(common.address, input.logNumber, throughEpoch);
  let read = 0;
  onProgress?.(0, total);
  for (const [side, index] of backfilledEntities(change).entries()) {
    const entity = sidePlan.entities[side]!;
    const needed = neededColumns(plan, entity);
    const wanted = new Set([...needed, ...writtenColumns(plan, entity)]);
    const columns = plan.columns.map((column, i) => createColumn(column, wanted.has(i) ? undefined : 0));
    const apply = applier({
      ...input,
      sidePlan,
      side,
      columns,
      living: input.living.entities[change.entities[index]!.from]!,
    });
    await readSlices({
      ...common,
      slices,
      where: entityCondition({ plan, entity }),
      orderBy: entityOrder({ plan, entity }),
      columns,
      needed,
      dictionary: input.tables.dictionary,
      onRows(rows) {
        apply(rows);
        read += rows;
        // A slice that broke off is read again.
        onProgress?.(Math.min(read, total), total);
      },
    });
  }
}

interface Applying extends Omit<FillInput, 'living'> {
  readonly sidePlan: Plan;
  readonly side: number;
  readonly columns: Parameters<typeof compileState>[1];
  readonly living: EntityTable;
}

/** Moves the side table by the rows [0, rows) of the columns. */
function applier({ plan, sidePlan, side, columns, tables, living }: Applying): (rows: number) => void {
  const entity = sidePlan.entities[side]!;
  // Only this entity's loops: the others' columns are not read.
  const own = { ...sidePlan, entities: [{ ...entity, index: 0 }] };
  const state = compileState(own, columns, { ...tables, entities: [tables.entities[side]!] }, 'replay');
  const effective = columns[plan.system.effectiveTime]!;
  const receivedAt = columns[plan.system.receivedAt]!;
  const life = columns[entity.lifeColumn]!;
  return (rows) => {
    for (let r = 0; r < rows; r++) state.effective[r] = effective.u32[2 * r]! + effective.i32[2 * r + 1]! * WORD;
    state.keyLoops[0]!(0, rows);
    const [keys, present] = [state.keys[0]!, state.present[0]!];
    for (let r = 0; r < rows; r++) {
      if (!lives(living, keys, r, life.u32[2 * r]! + life.u32[2 * r + 1]! * WORD)) present[r] = 0;
    }
    const received = receivedAt.u32[0]! + receivedAt.i32[1]! * WORD;
    state.kernels[0]!(0, rows, ANY_EPOCH, received);
  };
}

/**
 * Whether the row's life is the one that goes on, or one that may still begin: a row that is not there yet is the spool's to
 * bring.
 */
function lives(living: EntityTable, keys: Int32Array, r: number, life: number): boolean {
  const [k0, k1, k2, k3] = [keys[4 * r]!, keys[4 * r + 1]!, keys[4 * r + 2]!, keys[4 * r + 3]!];
  lockStripe(living, k0, k1, k2, k3);
  const at = findRow(living, k0, k1, k2, k3);
  const same = at >= 0 && living.floats[at + ROW_LIFE_SLOT] === life;
  unlockStripe(living);
  return same;
}

/** What the kernel reads, besides what tells where the row belongs. */
export function neededColumns(plan: Plan, entity: EntityPlan): number[] {
  const { effectiveTime, receivedAt, type } = plan.system;
  const needed = new Set([entity.seqColumn, entity.lifeColumn, effectiveTime, receivedAt]);
  const visit = (expression: Expression | null): void => {
    if (expression?.node === 'column') {
      needed.add(slotOf(plan, expression.column));
      // Which branch a row has says whether a shared column is this field.
      if (type >= 0) needed.add(type);
    }
    if (expression?.node === 'call') expression.operands.forEach(visit);
  };
  entity.key.forEach(visit);
  for (const { of, where, dayColumn } of entity.features) {
    visit(of);
    visit(where);
    if (dayColumn !== undefined) needed.add(dayColumn);
  }
  return [...needed];
}

/** What the kernel writes although nobody looks: the features as served, and whether one overflowed. */
export function writtenColumns(plan: Plan, entity: EntityPlan): number[] {
  return [...entity.features.map(({ column }) => column), plan.system.overflow];
}
