/** What the parts of a pipeline file share while it is compiled. */

import type { ComputedPlan, ListPlan, ZonePlan } from '../../native-free-core/plan/plan.ts';
import type { ColumnBuilder } from './columns.ts';
import type { DerivedName } from './expression/names-in-scope.ts';
import type { ExperimentName, FeatureName } from './expression/names-in-scope.ts';
import type { FlatMessage } from './flatten-message.ts';
import type { Problems } from './problems.ts';
import type { PipelineDeclaration } from './schema.ts';

export interface Compilation {
  readonly declaration: PipelineDeclaration;
  readonly problems: Problems;
  readonly columns: ColumnBuilder;
  readonly message: FlatMessage;
  readonly timeColumn: number;
  readonly effectiveTimeColumn: number;
  /** Becomes `Plan.computed`, in this order. */
  readonly computed: ComputedPlan[];
  /** Time zones that anything names, by name. */
  readonly zones: Map<string, ZonePlan>;
  /** Filled by features.ts; rules read them. */
  readonly features: Map<string, FeatureName>;
  /** By name, each behind those that it reads. Filled by derived.ts. */
  readonly derived: Map<string, DerivedName>;
  readonly lists: Map<string, ListPlan['type']>;
  /** Filled by experiments.ts; what is compiled later may read them. */
  readonly experiments: Map<string, ExperimentName>;
  /** Column of the score by the model's name; null: not compiled, because it is wrong or its turn has not come. */
  readonly models: Map<string, number | null>;
}
