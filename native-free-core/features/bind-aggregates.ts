/**
 * What the emitted code of an entity's features refers to: functions and constants of their aggregates. Called by kernel.ts
 * and read.ts.
 */

import { aggregateOf } from '../language/aggregates/index.ts';
import type { RuntimeFunction } from '../language/aggregates/kernel-part.ts';
import type { EntityPlan } from '../plan/plan.ts';
import type { RecordLayout } from './record-layout.ts';

/** By the names that the code has for them; only what this entity's features need. */
export function functionsOf({ features }: EntityPlan): Readonly<Record<string, RuntimeFunction>> {
  return Object.assign({}, ...features.map((feature) => aggregateOf(feature).kernel.functions)) as Readonly<
    Record<string, RuntimeFunction>
  >;
}

/** Declarations, in the order of the row. */
export function constantsOf({ rings, days, sessions, plain }: RecordLayout): string {
  return [...[...rings, ...days, ...sessions].flatMap(({ features }) => features), ...plain]
    .map(({ feature }) => aggregateOf(feature).kernel.declaration(feature))
    .filter((declaration) => declaration !== '')
    .join('\n');
}
