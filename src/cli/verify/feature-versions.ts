/**
 * Which versions of the pipeline stored a feature under the very definition that it has now: their rows can be compared.
 * Rows of other versions have nothing in its column, or another feature's values. Called by cli/verify.ts; versions as in
 * the table `pipelines`.
 */

import type { EntityPlan, FeaturePlan, Plan } from '../../../native-free-core/plan/plan.ts';
import { queryRows, type QueryTarget } from '../../client/index.ts';

const QUERY_MS = 30_000;

export type VersionsOf = (entity: EntityPlan, feature: FeaturePlan) => readonly number[];

/** undefined: no other version has decided, so that all rows are the plan's own. */
export async function featureVersions(target: QueryTarget, plan: Plan): Promise<VersionsOf | undefined> {
  const rows = await queryRows<{ number: number; plan: string }>(
    target,
    'SELECT number, any(plan) AS plan FROM pipelines GROUP BY number',
    QUERY_MS,
  );
  const others = rows.filter(({ number, plan: text }) => number !== plan.versionNumber && text !== '');
  if (others.length === 0) return undefined;
  // Only now: where nothing was deployed, nobody needs it.
  const { describeChange } = await import('../../config/change/index.ts');
  const same = new Map<FeaturePlan, number[]>();
  for (const feature of plan.entities.flatMap(({ features }) => features)) same.set(feature, [plan.versionNumber]);
  for (const { number, plan: text } of others) {
    const former = JSON.parse(text) as Plan;
    const { change } = describeChange(former, plan, { rollback: true });
    change?.entities.forEach(({ from, features }, entity) => {
      features.forEach((source, i) => {
        const feature = plan.entities[entity]!.features[i]!;
        const stored = former.entities[from]?.features[source];
        const isSameColumn =
          stored !== undefined && former.columns[stored.column]!.name === plan.columns[feature.column]!.name;
        if (isSameColumn) same.get(feature)!.push(number);
      });
    });
  }
  return (_, feature) => same.get(feature) ?? [];
}
