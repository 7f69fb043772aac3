/** Features: windows and hops, inputs as exact integers, and the columns in which they are served. */

import type { AggregateName, Expression, FeaturePlan } from '../../native-free-core/layout/plan.ts';
import { conditionAt, expressionAt, typeText, type Compilation } from './compilation.ts';
import type { BareEntity } from './entities.ts';
import { defaultHopMs } from './hops.ts';
import { nearest } from './nearest.ts';
import type { FeatureDeclaration } from './schema.ts';
import type { Path } from './source.ts';
import { durationMs, durationText } from './units.ts';

/** A window of more hops costs more memory per entity than any rule is worth. */
const HOPS_MAX = 5000;

const WITHOUT_INPUT: ReadonlySet<AggregateName> = new Set(['count', 'time_since_last']);
/** May keep a float as it came: they never add. */
const MAY_BE_INEXACT: ReadonlySet<AggregateName> = new Set(['last', 'previous']);
const ADDING: ReadonlySet<AggregateName> = new Set(['sum', 'avg']);

interface Input {
  readonly of: Expression | null;
  readonly decimals: number;
}

/** By entity, in the order of `entities`. */
export function compileFeatures(c: Compilation, entities: readonly BareEntity[]): FeaturePlan[][] {
  const known = entities.map((entity) => entity.name);
  for (const name of Object.keys(c.declaration.features ?? {})) {
    if (!known.includes(name)) c.problems.addAtKey(['features', name], `unknown entity: ${name}`, nearest(name, known));
  }
  const features = new Map(Object.entries(c.declaration.features ?? {}));
  return entities.map((entity) => {
    const declared = Object.entries(features.get(entity.name) ?? {});
    return declared.flatMap(([name, feature]) => compileFeature(c, entity, name, feature));
  });
}

function compileFeature(c: Compilation, entity: BareEntity, name: string, feature: FeatureDeclaration): FeaturePlan[] {
  const path: Path = ['features', entity.name, name];
  const where = conditionAt(c, feature.where, [...path, 'where'], false);
  const input = compileInput(c, path, feature);
  return windowsOf(c, path, feature).map(({ suffix, windowMs, hopMs }) => {
    const fullName = `${name}${suffix}`;
    const isCount = feature.agg === 'count';
    const column = c.columns.add(
      {
        name: `${entity.name}_${fullName}`,
        kind: isCount ? 'u32' : 'f64',
        // A count of the primary entity always has a value; all others can be NULL, a sum where it overflows.
        nullable: !(isCount && entity.primary),
        comment: describe(feature, windowMs),
      },
      `${entity.name}.${fullName}`,
      path,
    );
    c.features.set(`${entity.name}.${fullName}`, { column, type: isCount ? 'int' : 'double' });
    return {
      name: fullName,
      column,
      aggregate: feature.agg,
      of: input.of,
      where,
      windowMs,
      hopMs,
      decimals: input.decimals,
    };
  });
}

function describe(feature: FeatureDeclaration, windowMs: number): string {
  const of = feature.of === undefined ? '' : ` of ${feature.of}`;
  const where = feature.where === undefined ? '' : ` where ${feature.where}`;
  return `${feature.agg}${of}${where}${windowMs === 0 ? '' : ` within ${durationText(windowMs)}`}`.replace(/\s+/g, ' ');
}

interface Window {
  readonly suffix: string;
  readonly windowMs: number;
  readonly hopMs: number;
}

function windowsOf(c: Compilation, path: Path, feature: FeatureDeclaration): Window[] {
  if (feature.window !== undefined && feature.windows !== undefined) {
    c.problems.addAtKey([...path, 'windows'], 'write window or windows, not both');
  }
  if (feature.windows !== undefined) {
    return feature.windows.map((text, i) => ({
      suffix: `_${text}`,
      ...windowOf(c, path, [...path, 'windows', i], text, feature.hop),
    }));
  }
  if (feature.window !== undefined)
    return [{ suffix: '', ...windowOf(c, path, [...path, 'window'], feature.window, feature.hop) }];
  if (feature.hop !== undefined) c.problems.addAtKey([...path, 'hop'], 'a hop needs a window');
  return [{ suffix: '', windowMs: 0, hopMs: 0 }];
}

function windowOf(
  c: Compilation,
  path: Path,
  at: Path,
  text: string,
  hop: string | undefined,
): { windowMs: number; hopMs: number } {
  const windowMs = durationMs(text);
  const hopMs = hop === undefined ? defaultHopMs(windowMs) : durationMs(hop);
  if (windowMs === 0) c.problems.add(at, 'a window must be longer than nothing');
  else if (hopMs === null)
    c.problems.add(at, `no hop divides ${text} into 24 or more; write hop: …, one that divides ${text}`);
  else if (hopMs === 0 || windowMs % hopMs !== 0)
    c.problems.add([...path, 'hop'], `hop must divide the window ${text} without rest`);
  else if (windowMs / hopMs > HOPS_MAX)
    c.problems.add([...path, 'hop'], `hop makes ${windowMs / hopMs} hops of ${text}; ${HOPS_MAX} are the most`);
  return { windowMs, hopMs: hopMs ?? windowMs };
}

function compileInput(c: Compilation, path: Path, feature: FeatureDeclaration): Input {
  const none: Input = { of: null, decimals: 0 };
  if (WITHOUT_INPUT.has(feature.agg)) {
    for (const key of ['of', 'decimals', 'exact'] as const) {
      if (feature[key] !== undefined)
        c.problems.addAtKey([...path, key], `${feature.agg} has no input: leave ${key} out`);
    }
    return none;
  }
  if (feature.of === undefined) {
    c.problems.addAtKey(path, `${feature.agg} needs an input: write of: …`);
    return none;
  }
  const typed = expressionAt(c, feature.of, [...path, 'of'], false);
  if (typed === null) return none;
  const { type } = typed.expression;
  if (typed.labels !== undefined || type === 'string' || type === 'bytes') {
    const what = typed.labels === undefined ? typeText(type) : `a name of ${typed.labels.name}`;
    c.problems.addInText([...path, 'of'], 0, `${feature.agg} needs a number, this is ${what}`);
    return none;
  }
  if (type === 'time' && ADDING.has(feature.agg))
    c.problems.addInText([...path, 'of'], 0, `${feature.agg} of times means nothing`);
  return { of: typed.expression, decimals: decimalsOf(c, path, feature, typed.expression) };
}

/** How many decimals of the input count; -1: the float as it came. */
function decimalsOf(c: Compilation, path: Path, feature: FeatureDeclaration, of: Expression): number {
  const isExact = feature.exact !== false;
  if (!isExact && !MAY_BE_INEXACT.has(feature.agg)) {
    c.problems.add(
      [...path, 'exact'],
      `exact: false is for ${[...MAY_BE_INEXACT].join(' and ')} only; declare decimals instead`,
    );
  }
  if (!isExact && feature.decimals !== undefined)
    c.problems.addAtKey([...path, 'decimals'], 'write decimals or exact: false, not both');
  if (of.type !== 'double') {
    if (feature.decimals !== undefined)
      c.problems.addAtKey([...path, 'decimals'], 'the input is no fractional number: leave decimals out');
    return isExact ? 0 : -1;
  }
  if (!isExact) return -1;
  const field = [...c.message.fields.values()].find(({ column }) => of.node === 'column' && column === of.column);
  const decimals = feature.decimals ?? field?.declaration.decimals;
  if (decimals !== undefined) return decimals;
  const where =
    field === undefined ? 'decimals: 2 in this feature' : `events.fields: { ${field.path}: { decimals: 2 } }`;
  const orFloat = MAY_BE_INEXACT.has(feature.agg) ? ', or exact: false here to keep the float as it came' : '';
  c.problems.addInText([...path, 'of'], 0, `a fractional input needs its decimals: write ${where}${orFloat}`);
  return 0;
}
