/**
 * What features would be where nobody knows when a row came: the same steps over the rows of a key in the order of event
 * time, as if they had come so, in one life. Only for comparison: how many rows it gets different is the skew that others
 * live with.
 */

import type { Step } from '../../../native-free-core/language/aggregates/sql-part.ts';
import type { EntityPlan, FeaturePlan, Plan } from '../../../native-free-core/plan/plan.ts';
import { ROW_POSITION } from '../../contract/events-source.ts';
import { joinSteps, rowSource, valuedSteps, type FeatureSqlOptions } from './feature-sql.ts';
import { contributedRows, keyNames, type RowSource } from './placement.ts';

/** As featureSql, without key, life and seq. */
export function eventTimeSql(
  plan: Plan,
  entity: EntityPlan,
  feature: FeaturePlan,
  options: FeatureSqlOptions = {},
): string {
  const source = { ...rowSource(plan, entity, options), timeColumn: plan.system.eventTime };
  const steps = [...orderedRows(source, feature), ...valuedSteps(source, feature)];
  return joinSteps(steps, `SELECT ${[...ROW_POSITION, ...carriedNames(source)].join(', ')}, value FROM valued`);
}

/** Ends with `contributed`, numbered anew. */
function orderedRows(source: RowSource, feature: FeaturePlan): Step[] {
  const steps = contributedRows(source, feature).map(([name, select]): Step => [
    name === 'contributed' ? 'arrived' : name,
    select,
  ]);
  const columns = [...ROW_POSITION, keyNames(source), 't', ...carriedNames(source)].join(', ');
  const seq = `row_number() OVER (PARTITION BY ${keyNames(source)} ORDER BY t, ${ROW_POSITION.join(', ')})`;
  const day = feature.dayColumn === undefined ? '' : ', day';
  return [...steps, ['contributed', `SELECT ${columns}, 0 AS life, ${seq} AS seq${day}, x FROM arrived`]];
}

function carriedNames({ carried }: RowSource): string[] {
  return carried.map(({ name }) => name);
}
