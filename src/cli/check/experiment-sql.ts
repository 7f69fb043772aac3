/**
 * An experiment's arm as ClickHouse computes it from the key (src/config/experiments.ts says how): for whoever wants the
 * arms of keys without events, or of events before the experiment. Printed by `hunt check`.
 */

import type { ExperimentPlan, Plan } from '../../../native-free-core/plan/plan.ts';
import { sqlOf } from '../../../native-free-core/language/sql/index.ts';
import { textLiteral } from '../../../native-free-core/language/sql/sql-literal.ts';
import { eventsSource } from '../../contract/events-source.ts';

const HALF = 2 ** 52;
const BUCKETS = 10_000;

/** Over the columns of `events`; '' where the key is absent. */
export function experimentSql(plan: Plan, { key, salt, arms }: ExperimentPlan): string {
  const sql = sqlOf(plan, key);
  const value = key.type === 'string' || key.type === 'bytes' ? sql : `toInt64(${sql})`;
  const half = (hashed: string): string => `bitShiftRight(murmurHash3_64(${hashed}), 11) % ${HALF}`;
  const together = `toInt64(${half('_key')} + ${half(textLiteral(salt))})`;
  const bucket = `bitShiftRight(murmurHash3_64(${together}), 11) % ${BUCKETS}`;
  let end = 0;
  const cases = arms.map(({ name, percent }) => {
    end += Math.round(percent * 100);
    return `_bucket < ${end}, ${textLiteral(name)}`;
  });
  return `WITH ${value} AS _key, ${bucket} AS _bucket SELECT multiIf(isNull(_key), '', ${cases.join(', ')}, '') FROM ${eventsSource('all').from}`;
}
