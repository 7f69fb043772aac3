/** What the parts of a pipeline file share while it is compiled. */

import type { ComputedPlan, ExpressionType, ListPlan, ZonePlan } from '../../native-free-core/plan/plan.ts';
import type { ColumnBuilder } from './columns.ts';
import { setAside, storeListReads } from './computed.ts';
import { checkExpression } from './expression/check.ts';
import type { DerivedName } from './derived.ts';
import type { ExperimentName, FeatureName, ExpressionScope } from './expression/scope.ts';
import type { Typed } from '../../native-free-core/language/functions/typed.ts';
import type { FlatMessage } from './message.ts';
import type { Problems } from './problems.ts';
import type { PipelineDeclaration } from './schema.ts';
import type { Path } from './source.ts';

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

/**
 * Checks the expression at a path. `withFeatures`: it may read features and scores as well as the event. Otherwise state
 * will come of it, so what SQL cannot repeat is set aside into computed columns.
 */
export function expressionAt(c: Compilation, text: string, path: Path, withFeatures: boolean): Typed | null {
  const scope: ExpressionScope = {
    message: c.message,
    columnAt: c.columns.at,
    features: withFeatures ? c.features : null,
    entities: Object.keys(c.declaration.entities),
    derived: c.derived,
    lists: c.lists,
    experiments: c.experiments,
    models: c.models,
    timeColumn: c.timeColumn,
    zones: c.zones,
  };
  const typed = checkExpression(text, scope, (at, message, suggestion) =>
    c.problems.addInText(path, at, message, suggestion),
  );
  if (typed === null || withFeatures) return typed;
  return { ...typed, expression: setAside(c, typed.expression, path) };
}

/** The condition at a path, or null where there is none or it is wrong. */
export function conditionAt(
  c: Compilation,
  text: string | undefined,
  path: Path,
  withFeatures: boolean,
): Typed['expression'] | null {
  if (text === undefined) return null;
  const typed = expressionAt(c, text, path, withFeatures);
  if (typed === null) return null;
  if (typed.expression.type === 'bool')
    return withFeatures ? storeListReads(c, typed.expression, path) : typed.expression;
  c.problems.addInText(path, 0, `a condition is needed here, this is ${expressionTypeText(typed.expression.type)}`);
  return null;
}

export function expressionTypeText(type: ExpressionType): string {
  return {
    bool: 'true or false',
    int: 'an integer',
    double: 'a number',
    string: 'a string',
    bytes: 'bytes',
    time: 'a time',
  }[type];
}
