/** Expressions and conditions of a pipeline file, checked where they stand. Called by the parts of the compilation. */

import { expressionTypeText, type Typed } from '../../native-free-core/language/functions/typed.ts';
import type { Compilation } from './compilation.ts';
import { setAside, storeListReads } from './computed.ts';
import { checkExpression } from './expression/check.ts';
import type { ExpressionScope } from './expression/names-in-scope.ts';
import type { Path } from './source.ts';

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
