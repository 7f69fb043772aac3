/**
 * Everything that a pipeline is compiled into and that must not change by accident: the source of every emitted function,
 * the copies of a deploy, and every query over stored rows. Used by generated.test.ts.
 */

import { createDecider } from '../../native-free-core/decide/decider.ts';
import { compileState } from '../../native-free-core/decide/state-loops.ts';
import { carryOver } from '../../native-free-core/features/carry-over.ts';
import { createColumn } from '../../native-free-core/layout/column.ts';
import type { EntityPlan, FeaturePlan, Plan } from '../../native-free-core/plan/plan.ts';
import { openLane } from '../../native-free-core/ring/lane.ts';
import { allocateMemory } from '../../src/memory/regions.ts';
import { neededColumns, writtenColumns } from '../../src/warehouse/rows/fill-from-rows.ts';
import { selectOf } from '../../src/warehouse/rows/row-binary.ts';
import { createStatement } from '../../src/warehouse/tables/create-tables.ts';
import { eventsTable } from '../../src/warehouse/tables/index.ts';
import { eventTimeSql, featureSql, orderSql, skewSql, straySql, verifySql } from '../../src/warehouse/twin/index.ts';
import { openTables } from '../../src/workers/open-tables.ts';
import { makeTable } from '../features/kernel-world.ts';

/** A compiler asks a table for the size of its rows only. */
const ENTITIES_MAX = 10;

/** By name: `code live_player`, `sql features player`. */
export type Generated = ReadonlyMap<string, string>;

/** `refused`: what the compiler said of features that are not in the plan. */
export function generatedOf(plan: Plan, refused: string): Generated {
  const generated = new Map<string, string>([['plan', JSON.stringify(plan, null, 1)]]);
  if (refused !== '') generated.set('refused', refused);
  for (const [name, source] of codeOf(plan)) generated.set(`code ${name}`, source);
  generated.set('sql table', createStatement('default', eventsTable(plan), new Set()));
  for (const entity of plan.entities) {
    for (const [name, queries] of Object.entries(queriesOf(plan, entity)))
      generated.set(`sql ${name} ${entity.name}`, queries.join(';\n\n'));
    const copies = carryOver(
      entity,
      entity,
      entity.features.map((_, i) => i),
      true,
    );
    generated.set(`copies ${entity.name}`, copies.join(' '));
  }
  return generated;
}

/** What one decision worker and recovery compile. */
function codeOf(plan: Plan): [string, string][] {
  const bare = plan.entities.map((entity) => ({ ...entity, max: ENTITIES_MAX, features: [] }));
  const memory = allocateMemory({ ...plan, entities: bare }, 1, 1);
  const tables = {
    ...openTables(memory),
    entities: plan.entities.map((entity) => makeTable(entity, ENTITIES_MAX, 1)),
  };
  const columns = plan.columns.map((column) => createColumn(column, 0));
  return recordedFunctions(() => {
    createDecider({
      plan,
      worker: 0,
      workers: 1,
      control: new Int32Array(memory.control),
      frameLanes: [openLane(memory.frameLanes[0]![0]!)],
      durableLanes: [openLane(memory.durableLanes[0]![0]!)],
      storedLanes: [openLane(memory.storedLanes[0]![0]!)],
      blockLane: openLane(memory.blockLanes[0]!),
      tables,
      now: () => 0,
      monotonic: () => 0,
      epochIntervalMs: 0,
      textOf: () => '',
      utf8: (text) => new TextEncoder().encode(text),
    });
    compileState(plan, columns, tables, 'replay');
  });
}

/** Every function that is made of text while `make` runs, whoever makes it. */
function recordedFunctions(make: () => void): [string, string][] {
  const sources: [string, string][] = [];
  const seen = new Map<string, number>();
  const original = globalThis.Function;
  globalThis.Function = new Proxy(original, {
    construct(target, parts: string[]) {
      const body = parts.at(-1)!;
      const name = /return function (\w+)\(/.exec(body)?.[1] ?? 'nameless';
      const times = (seen.get(name) ?? 0) + 1;
      seen.set(name, times);
      sources.push([times === 1 ? name : `${name} ${times}`, `(${parts.slice(0, -1).join(', ')})\n${body}`]);
      return Reflect.construct(target, parts) as object;
    },
  });
  try {
    make();
  } finally {
    globalThis.Function = original;
  }
  return sources;
}

function queriesOf(plan: Plan, entity: EntityPlan): Record<string, string[]> {
  const range = {
    chunk: { chunk: 3, chunks: 8 },
    sinceMs: 1_700_000_000_000,
    untilMs: 1_700_086_400_000,
    versions: [1, 2],
  };
  const each = (sqlOf: (feature: FeaturePlan) => string | null): string[] =>
    entity.features.map((feature) => `-- ${feature.name}\n${sqlOf(feature) ?? 'none'}`);
  const rows = [...neededColumns(plan, entity), ...writtenColumns(plan, entity)];
  return {
    rows: rows.map((column) => selectOf(plan.columns[column]!)),
    order: [orderSql(plan, entity, range.chunk), straySql(plan, entity)],
    features: each((feature) => featureSql(plan, entity, feature)),
    verify: each((feature) => verifySql(plan, entity, feature, range)),
    'event-time': each((feature) => eventTimeSql(plan, entity, feature)),
    skew: each((feature) => skewSql(plan, entity, feature, range)),
  };
}
