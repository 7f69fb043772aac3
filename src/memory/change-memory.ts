/**
 * Shared memory for the next version of a pipeline: what stays the same is the same, tables whose rows change are new and
 * take theirs over from the old ones, and what is to be backfilled gets side tables. Called by versions/ for a change while
 * the engine runs, and by recovery.
 */

import type { Tables } from '../../native-free-core/decide/shared-tables.ts';
import { carryOver } from '../../native-free-core/features/carry-over.ts';
import { layOutRecord } from '../../native-free-core/features/record-layout.ts';
import {
  backfilled,
  backfilledEntities,
  backfillPlan,
  type PlanChange,
} from '../../native-free-core/plan/change-plan.ts';
import type { ListPlan, Plan } from '../../native-free-core/plan/plan.ts';
import { carryLimits } from '../../native-free-core/policy/carry-limits.ts';
import { layOutLimits } from '../../native-free-core/policy/limit-layout.ts';
import { beginAdoption, endAdoption, sweepStripe } from '../../native-free-core/state/adoption.ts';
import {
  entityCount,
  liveRows,
  openEntityTable,
  pointAt,
  rowWord,
  type EntityTable,
} from '../../native-free-core/state/entity-table.ts';
import { createIdWindow } from '../../native-free-core/state/id-window.ts';
import { allocateTable, createList, type EntityMemory, type SharedMemory } from './regions.ts';

/** Side tables hold what lives and what is evicted while they are filled: more than the tables that they are for. */
export const SIDE_ROOM = 1.5;

const PAGE_WORDS = 4096 / 4;

export interface ChangedMemory {
  /** Of the next version; its tables adopt until the sweep is over. */
  readonly memory: SharedMemory;
  /** Its entities are the side tables, in the order of `backfilledEntities`; all else is the running version's. */
  readonly side: SharedMemory;
}

export function allocateChange(memory: SharedMemory, from: Plan, to: Plan, change: PlanChange): ChangedMemory {
  const { workers } = memory;
  const sidePlan = backfillPlan(to, change);
  const sides = sidePlan.entities.map((entity) =>
    allocateTable(Math.ceil(entity.max * SIDE_ROOM), layOutRecord(entity).rowBytes, workers),
  );
  const sideOf = backfilledEntities(change);
  const entities = to.entities.map((entity, i): EntityMemory => {
    const { from: source, keepsTable, features } = change.entities[i]!;
    const former = memory.entities[source];
    if (former !== undefined && keepsTable) return former;
    const table = allocateTable(entity.max, layOutRecord(entity).rowBytes, workers);
    if (former === undefined) return table;
    const side = sideOf.indexOf(i);
    const fills = new Map(backfilled(change.entities[i]!).map((feature, index) => [feature, index]));
    return adopting(table, {
      former,
      copies: carryOver(from.entities[source]!, entity, features, true),
      side: sides[side] ?? null,
      sideCopies:
        side < 0
          ? new Int32Array(0)
          : carryOver(
              sidePlan.entities[side]!,
              entity,
              features.map((_, feature) => fills.get(feature) ?? -1),
              false,
            ),
    });
  });
  const carried = carryLimits(from, to, change);
  const limits = layOutLimits(to).map(({ entity, rowBytes }, i): EntityMemory => {
    const { from: source, keepsTable, copies } = carried[i]!;
    const former = memory.limits[source];
    if (former !== undefined && keepsTable) return former;
    const table = allocateTable(to.entities[entity]!.max, rowBytes, workers);
    if (former === undefined) return table;
    return adopting(table, { former, copies, side: null, sideCopies: new Int32Array(0) });
  });
  const next = {
    ...memory,
    entities,
    limits,
    lists: (to.lists ?? []).map((list) => sameList(memory, from, list) ?? createList(list)),
    ids: to.dedupIdsMax === 0 ? null : (memory.ids ?? createIdWindow(to.dedupIdsMax, to.dedupWindowMs)),
  };
  return { memory: next, side: { ...next, entities: sides, limits: [] } };
}

function adopting(table: EntityMemory, adoption: EntityMemory['adoption'] & object): EntityMemory {
  beginAdoption(openEntityTable(table.shape, table.regions));
  return { ...table, adoption };
}

/** Replaced entries stay; another file, type or size makes it another list. */
function sameList(
  memory: SharedMemory,
  from: Plan,
  { name, type, max, file }: ListPlan,
): SharedArrayBuffer | undefined {
  const index = (from.lists ?? []).findIndex((one) => one.name === name);
  const before = from.lists?.[index];
  return before?.type === type && before.max === max && before.file === file ? memory.lists[index] : undefined;
}

/**
 * Takes the pages from the machine that rows will move to, stripe by stripe; yields in between. A page that is written for
 * the first time costs a few microseconds, and in the first second after a change nearly every event would write one.
 */
export function* takePages({ entities, limits }: SharedMemory): Generator<void> {
  for (const { shape, regions, adoption } of [...entities, ...limits]) {
    if (adoption === undefined) continue;
    const table = openEntityTable(shape, regions);
    const former = openEntityTable(adoption.former.shape, adoption.former.regions);
    const even = Math.floor(entityCount(former) / shape.stripes);
    for (let stripe = 0; stripe < shape.stripes; stripe++) {
      const rows = former.shape.stripes === shape.stripes ? liveRows(former, stripe) : even;
      if (rows > 0) touchRows(table, stripe, Math.min(rows, shape.rowsPerStripe));
      yield;
    }
  }
}

/** Writes to each page of the stripe's index and first rows what is there already. */
function touchRows(table: EntityTable, stripe: number, rows: number): void {
  pointAt(table, stripe);
  const end = rowWord(table, rows);
  for (let at = table.stripe; at < end; at += PAGE_WORDS) Atomics.or(table.words, at, 0);
}

/** What is left of the memory once the sweep is over. */
export function withoutAdoption(memory: SharedMemory): SharedMemory {
  const settled = ({ shape, regions }: EntityMemory): EntityMemory => ({ shape, regions });
  return { ...memory, entities: memory.entities.map(settled), limits: memory.limits.map(settled) };
}

export interface Swept {
  readonly rows: number;
  /** Rows that found no room, or whose backfill was of another event: their keys begin new lives. */
  readonly lost: number;
}

/** Moves over all that no event has asked for, stripe by stripe; yields in between. Then the former tables are free. */
export function* sweepTables({ entities, limits }: Tables): Generator<void, Swept> {
  const swept = { rows: 0, lost: 0 };
  for (const table of [...entities, ...(limits ?? [])]) {
    if (table.adoption === null) continue;
    yield* sweepTable(table, swept);
    endAdoption(table);
    table.adoption = null;
  }
  return swept;
}

function* sweepTable(table: EntityTable, swept: { rows: number; lost: number }): Generator<void> {
  const { stripes } = table.adoption!.former.shape;
  for (let stripe = 0; stripe < stripes; stripe++) {
    const { moved, lost } = sweepStripe(table, stripe);
    swept.rows += moved;
    swept.lost += lost;
    yield;
  }
}
