/** Limits of rules: their windows, and the columns that say in which order they were taken (docs/semantics.md §9). */

import type { DecisionPlan, LimitPlan } from '../../native-free-core/plan/plan.ts';
import type { Compilation } from './compilation.ts';
import { defaultHopMs } from './hops.ts';
import { nearest } from '../../native-free-core/base/nearest.ts';
import type { LimitDeclaration } from './schema.ts';
import type { Path } from './source.ts';
import { countOf, durationMs } from './units.ts';

/** As for features: more hops cost more memory per entity than any rule is worth. */
const HOPS_MAX = 5000;
/** Counts of takes are 32-bit cells. */
const COUNT_MAX = 1_000_000_000;

export function compileLimit(c: Compilation, limit: LimitDeclaration, path: Path): LimitPlan {
  const entities = Object.keys(c.declaration.entities);
  const entity = entities.indexOf(limit.entity);
  if (entity < 0)
    c.problems.add([...path, 'entity'], `unknown entity: ${limit.entity}`, nearest(limit.entity, entities));
  const count = countOf(limit.count);
  if (count > COUNT_MAX) c.problems.add([...path, 'count'], `count must lie between 1 and ${COUNT_MAX}`);
  return { count, ...windowOf(c, limit, path), entity };
}

function windowOf(c: Compilation, limit: LimitDeclaration, path: Path): { perMs: number; hopMs: number } {
  const perMs = durationMs(limit.per);
  const hopMs = limit.hop === undefined ? defaultHopMs(perMs) : durationMs(limit.hop);
  const at = [...path, limit.hop === undefined ? 'per' : 'hop'];
  const refuse = (message: string): { perMs: number; hopMs: number } => {
    c.problems.add(at, message);
    return { perMs: 1, hopMs: 1 };
  };
  if (perMs === 0) return refuse('per must be longer than nothing');
  if (hopMs === null) return refuse(`no hop of the usual ones divides ${limit.per} often enough: write one with hop`);
  if (hopMs === 0 || perMs % hopMs !== 0)
    return refuse(`hop must divide per: ${limit.hop} does not divide ${limit.per}`);
  if (perMs / hopMs > HOPS_MAX) return refuse(`per has more than ${HOPS_MAX} hops: write a longer hop`);
  return { perMs, hopMs };
}

export function limitColumns(
  c: Compilation,
  name: string,
  path: Path,
): Required<Pick<DecisionPlan, 'seqColumn' | 'limitLifeColumn'>> {
  const add = (suffix: string, comment: string): number =>
    c.columns.add({ name: `${name}_${suffix}`, kind: 'u64', comment }, `decision ${name}`, path);
  return {
    seqColumn: add('seq', 'number of what was taken from a limit, by key and life of the limits; 0: nothing'),
    limitLifeColumn: add('life', 'epoch that created the limits of the key; 0: nothing was taken'),
  };
}
