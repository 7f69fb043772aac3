/**
 * What a row brings to a feature, in SQL: NULL where it does not contribute, else the exact integer that docs/semantics.md
 * §6 asks for, the float as it came, or any value where only distinct ones are counted. Mirrors the core's
 * emit-contribution.
 */

import { aggregateOf } from '../../../native-free-core/language/aggregates/index.ts';
import { scaleOf } from '../../../native-free-core/language/aggregates/serve.ts';
import { isTextInput } from '../../../native-free-core/language/aggregates/sql-value.ts';
import type { Expression, FeaturePlan, Plan } from '../../../native-free-core/plan/plan.ts';
import { conditionSql, sqlOf, type ColumnName } from '../../../native-free-core/language/sql/index.ts';

const EXACT_MAX = '9007199254740992';

export interface Contribution {
  /** The input as the pipeline names it; needs the columns of `events`. */
  readonly input: string;
  /** Whether `where` is true. */
  readonly taken: string;
  /** From the columns `input` and `taken`. */
  readonly value: string;
}

export function contributionOf(plan: Plan, feature: FeaturePlan, name: ColumnName): Contribution {
  const { of, where } = feature;
  return {
    input: of === null ? '1' : feature.isEnum === true ? enumName(of, name) : sqlOf(plan, of, name),
    taken: where === null ? 'true' : conditionSql(plan, where, name),
    value: where === null ? exactOf(feature) : `if(taken, ${exactOf(feature)}, NULL)`,
  };
}

/** ClickHouse has the name, not the number. */
function enumName(of: Expression, name: ColumnName): string {
  if (of.node !== 'column') throw new Error('only a field is an enum');
  return name(of.column);
}

function exactOf(feature: FeaturePlan): string {
  const { of, decimals } = feature;
  if (of === null) return 'toInt64(1)';
  if (isTextInput(feature)) return "CAST(input, 'Nullable(String)')";
  if (aggregateOf(feature).check.input.kind === 'anything') return of.type === 'double' ? 'input + 0.' : 'input';
  if (decimals < 0) return 'toFloat64(input)';
  if (of.type === 'bool') return 'toInt64(input)';
  if (of.type === 'double') return roundedOf(scaleOf(feature));
  return `if(input < ${EXACT_MAX} AND input > -${EXACT_MAX}, toInt64(input), NULL)`;
}

/** Half away from zero, on the scaled product. The cast gives NULL, and does not throw, for what is no integer. */
function roundedOf(scale: number): string {
  const scaled = scale === 1 ? 'input' : `input * ${scale}.`;
  const rounded = `trunc(${scaled}) + if(abs(${scaled} - trunc(${scaled})) >= 0.5, sign(${scaled}), 0)`;
  return `if(abs(${rounded}) < ${EXACT_MAX}., accurateCastOrNull(${rounded}, 'Int64'), NULL)`;
}
