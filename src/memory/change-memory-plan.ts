/**
 * What a change of the pipeline takes in memory while it is under way: the next version's tables beside the former ones
 * until their rows have moved, side tables for what is backfilled, and threads that warm up. Called by cli/plan.ts.
 */

import { backfillPlan, type PlanChange } from '../../native-free-core/plan/change-plan.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { carryLimits } from '../../native-free-core/policy/carry-limits.ts';
import { layOutLimits } from '../../native-free-core/policy/limit-layout.ts';
import { SIDE_ROOM } from './change-memory.ts';
import { planMemory, WORKER_BYTES, type MemoryPart } from './memory-plan.ts';

export interface ChangeMemoryPlan {
  readonly before: MemoryPart;
  readonly during: MemoryPart;
  readonly after: MemoryPart;
  /** What `during` has besides `after`. */
  readonly extra: readonly MemoryPart[];
}

export function planChangeMemory(
  from: Plan,
  to: Plan,
  change: PlanChange,
  workers: number,
  ingresses: number,
): ChangeMemoryPlan {
  const before = planMemory(from, workers, ingresses);
  const after = planMemory(to, workers, ingresses);
  const next = after.parts.find(({ name }) => name === 'blocks of the workers')!;
  const threads = next.reservedBytes + workers * WORKER_BYTES;
  const extra = [
    ...formerTables(from, change, before.parts),
    ...sideTables(to, change, workers, ingresses),
    { name: 'workers of both versions', reservedBytes: threads, fullBytes: threads },
    ...formerLimits(from, to, change, before.parts),
  ];
  return { before: before.total, during: sum('during', [after.total, ...extra]), after: after.total, extra };
}

/** Those whose rows move, or end: they go when the sweep is over. */
function formerTables(from: Plan, change: PlanChange, parts: readonly MemoryPart[]): MemoryPart[] {
  const kept = new Set(change.entities.filter(({ keepsTable }) => keepsTable).map((entity) => entity.from));
  return from.entities
    .filter((_, i) => !kept.has(i))
    .map(({ name }) => renamed(`former table of ${name}`, partOf(parts, `entity ${name}`)));
}

function formerLimits(from: Plan, to: Plan, change: PlanChange, parts: readonly MemoryPart[]): MemoryPart[] {
  const kept = new Set(
    carryLimits(from, to, change)
      .filter(({ keepsTable }) => keepsTable)
      .map((limits) => limits.from),
  );
  return layOutLimits(from)
    .filter((_, i) => !kept.has(i))
    .map(({ entity }) => {
      const { name } = from.entities[entity]!;
      return renamed(`former limits by ${name}`, partOf(parts, `limits by ${name}`));
    });
}

function sideTables(to: Plan, change: PlanChange, workers: number, ingresses: number): MemoryPart[] {
  const side = backfillPlan(to, change);
  const roomy = { ...side, entities: side.entities.map((one) => ({ ...one, max: Math.ceil(one.max * SIDE_ROOM) })) };
  return planMemory(roomy, workers, ingresses).entities.map((part) => renamed(`backfill of ${part.name}`, part));
}

function partOf(parts: readonly MemoryPart[], name: string): MemoryPart {
  return parts.find((part) => part.name === name)!;
}

function renamed(name: string, { reservedBytes, fullBytes }: MemoryPart): MemoryPart {
  return { name, reservedBytes, fullBytes };
}

function sum(name: string, parts: readonly MemoryPart[]): MemoryPart {
  const total = (pick: (part: MemoryPart) => number): number => parts.reduce((all, part) => all + pick(part), 0);
  return { name, reservedBytes: total((part) => part.reservedBytes), fullBytes: total((part) => part.fullBytes) };
}
