/** Features: windows and hops, inputs as exact integers, and the columns in which they are served. */

import { aggregateOf, aggregateOptions, eachAggregate } from '../../native-free-core/language/aggregates/index.ts';
import type { Input as AggregateInput } from '../../native-free-core/language/aggregates/aggregate.ts';
import { enter, lookup } from '../../native-free-core/base/lookup.ts';
import type { ColumnPlan, Expression, FeaturePlan, SessionPlan } from '../../native-free-core/plan/plan.ts';
import type { Compilation } from './compilation.ts';
import { conditionAt, expressionAt } from './expression-at.ts';
import type { BareEntity } from './entities.ts';
import { dayColumn } from './computed.ts';
import { defaultHopMs } from './hops.ts';
import { nearest } from '../../native-free-core/base/nearest.ts';
import { expressionTypeText, type LabelSet } from '../../native-free-core/language/functions/typed.ts';
import type { FeatureDeclaration } from './schema.ts';
import type { Path } from './source.ts';
import { durationMs, durationText } from './units.ts';

/** A window of more hops costs more memory per entity than any rule is worth. */
const HOPS_MAX = 5000;

/** A session window keeps so many gaps of late events apart, and at most so many sessions. */
const LATE_GAPS = 4;
const LATE_GAPS_MAX = 64;

interface Input {
  readonly of: Expression | null;
  readonly decimals: number;
  /** A text of the shared dictionary, kept by its number. */
  readonly isText: boolean;
  /** Of an enum, kept by its number: its names, and the field's own numbers. */
  readonly labels?: LabelSet;
  readonly enumNames?: ColumnPlan['enumNames'];
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
  const { check, text } = aggregateOf({ aggregate: feature.agg });
  const input = compileInput(c, path, feature);
  checkWindows(c, path, feature);
  const values = optionValues(c, path, feature);
  checkDelay(c, path, feature);
  return windowsOf(c, path, feature).map(({ suffix, windowMs, hopMs, session, dayColumn: day }) => {
    const fullName = `${name}${suffix}`;
    const isCount = check.result === 'count';
    const parameters = check.options.parameters(values, { windowMs, hopMs });
    const type = isCount ? 'int' : input.isText ? 'string' : 'double';
    const delayMs = delayOf(c, path, feature, windowMs, hopMs);
    const window = {
      windowMs,
      ...(delayMs === 0 ? {} : { delayMs }),
      ...(feature.current_event === 'exclude' ? { excludesCurrent: true } : {}),
      ...(session === undefined ? {} : { session }),
      ...(day === undefined ? {} : { dayColumn: day }),
    };
    const column = c.columns.add(
      {
        name: `${entity.name}_${fullName}`,
        kind: isCount ? 'u32' : input.isText ? 'dictionary' : input.labels === undefined ? 'f64' : 'enum',
        ...(input.enumNames === undefined ? {} : { enumNames: input.enumNames }),
        // A count of the primary entity always has a value; all others can be NULL, a sum where it overflows.
        nullable: !(isCount && entity.primary),
        comment: describe(feature, text.subject(parameters), window),
      },
      `${entity.name}.${fullName}`,
      path,
    );
    const labels = input.labels === undefined ? {} : { labels: input.labels };
    c.features.set(`${entity.name}.${fullName}`, { column, type, ...labels });
    return {
      name: fullName,
      column,
      aggregate: feature.agg,
      of: input.of,
      where,
      ...window,
      hopMs,
      decimals: input.decimals,
      ...(input.labels === undefined ? {} : { isEnum: true }),
      ...parameters,
    };
  });
}

/** Whether the aggregate takes such a window. */
function checkWindows(c: Compilation, path: Path, feature: FeatureDeclaration): void {
  const { agg, window } = feature;
  const { windows } = aggregateOf({ aggregate: agg }).check;
  const refused = [
    isDuration(feature)
      ? null
      : typeof window !== 'object'
        ? windows.life
        : 'session' in window
          ? windows.session
          : windows.day,
    feature.current_event === undefined ? null : windows.currentEvent,
  ];
  for (const refusal of refused) {
    if (refusal !== null)
      c.problems.addAtKey(refusal.at === 'feature' ? path : [...path, refusal.at], `${agg} ${refusal.message}`);
  }
}

function isDuration({ window, windows }: FeatureDeclaration): boolean {
  return typeof window === 'string' || windows !== undefined;
}

function checkDelay(c: Compilation, path: Path, feature: FeatureDeclaration): void {
  if (feature.delay === undefined) return;
  const { delay } = aggregateOf({ aggregate: feature.agg }).check.windows;
  if (!isDuration(feature)) c.problems.addAtKey([...path, 'delay'], 'a delay needs a window of a duration');
  if (delay !== null) c.problems.addAtKey([...path, 'delay'], `${feature.agg} ${delay.message}`);
}

/** Numbers by option: of the keys that are declared, and what the others are by default. */
function optionValues(c: Compilation, path: Path, feature: FeatureDeclaration): Record<string, number> {
  const values: Record<string, number> = {};
  for (const [key, takers] of aggregateOptions()) {
    const declared = lookup(feature, key);
    const own = takers.find(({ aggregate }) => aggregate === feature.agg);
    if (own === undefined) {
      const names = takers.map(({ aggregate }) => aggregate).join(', ');
      if (declared !== undefined) c.problems.addAtKey([...path, key], `a ${key} is for ${names}`);
    } else if (typeof declared === 'number') enter(values, key, declared);
    else if (typeof declared === 'string') enter(values, key, durationMs(declared));
    else if (own.default !== null) enter(values, key, own.default);
    else c.problems.addAtKey(path, `${feature.agg} needs a ${key}: write ${own.example}`);
  }
  return values;
}

function delayOf(c: Compilation, path: Path, feature: FeatureDeclaration, windowMs: number, hopMs: number): number {
  const delayMs = feature.delay === undefined ? 0 : durationMs(feature.delay);
  if (delayMs === 0 || windowMs === 0) return 0;
  if (delayMs % hopMs !== 0)
    c.problems.add(
      [...path, 'delay'],
      `a delay must be a multiple of the hop: hop=${durationText(hopMs)}; write another hop or delay`,
    );
  else if ((delayMs + windowMs) / hopMs > HOPS_MAX)
    c.problems.add(
      [...path, 'delay'],
      `delay and window make ${(delayMs + windowMs) / hopMs} hops; ${HOPS_MAX} are the most`,
    );
  return delayMs;
}

function describe(feature: FeatureDeclaration, subject: string, window: WindowOfFeature): string {
  const of = feature.of === undefined ? '' : ` of ${feature.of}`;
  const where = feature.where === undefined ? '' : ` where ${feature.where}`;
  return `${subject}${of}${where}, ${windowText(window)}`.replace(/\s+/g, ' ');
}

type WindowOfFeature = Pick<FeaturePlan, 'windowMs' | 'delayMs' | 'excludesCurrent' | 'session' | 'dayColumn'>;

/** What a feature looks at, for people: in the column's comment and in `hunt check`. */
export function windowText({ windowMs, delayMs, excludesCurrent, session, dayColumn: day }: WindowOfFeature): string {
  const base =
    session !== undefined
      ? `session, gap ${durationText(session.gapMs)}, late ${durationText(session.lateMs)}`
      : day !== undefined
        ? 'calendar day'
        : windowMs === 0
          ? 'whole life'
          : durationText(windowMs);
  return `${base}${delayMs === undefined ? '' : `, ${durationText(delayMs)} ago`}${excludesCurrent === true ? ', without this event' : ''}`;
}

interface Window {
  readonly suffix: string;
  readonly windowMs: number;
  readonly hopMs: number;
  readonly session?: SessionPlan;
  readonly dayColumn?: number;
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
  if (typeof feature.window === 'object') {
    if (feature.hop !== undefined) c.problems.addAtKey([...path, 'hop'], 'a hop is for windows of a duration');
    const none = { suffix: '', windowMs: 0, hopMs: 0 };
    if ('session' in feature.window) return [{ ...none, session: sessionOf(c, path, feature.window) }];
    const day = dayColumn(c, feature.window.zone, [...path, 'window', 'zone']);
    return [{ ...none, ...(day === null ? {} : { dayColumn: day }) }];
  }
  if (feature.window !== undefined)
    return [{ suffix: '', ...windowOf(c, path, [...path, 'window'], feature.window, feature.hop) }];
  if (feature.hop !== undefined) c.problems.addAtKey([...path, 'hop'], 'a hop needs a window');
  return [{ suffix: '', windowMs: 0, hopMs: 0 }];
}

function sessionOf(c: Compilation, path: Path, window: { session: string; late?: string | undefined }): SessionPlan {
  const gapMs = durationMs(window.session);
  const lateMs = window.late === undefined ? LATE_GAPS * gapMs : durationMs(window.late);
  if (gapMs === 0) c.problems.add([...path, 'window', 'session'], 'a gap must be longer than nothing');
  else if (lateMs / gapMs > LATE_GAPS_MAX)
    c.problems.add([...path, 'window', 'late'], `late may be ${LATE_GAPS_MAX} gaps at most`);
  return { gapMs: Math.max(1, gapMs), lateMs };
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
  const none: Input = { of: null, decimals: 0, isText: false };
  const { input } = aggregateOf({ aggregate: feature.agg }).check;
  if (input.kind === 'none') {
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
  if (input.kind === 'anything') {
    for (const key of ['decimals', 'exact'] as const)
      if (feature[key] !== undefined)
        c.problems.addAtKey([...path, key], `${feature.agg} takes values as they are: leave ${key} out`);
    return { of: typed.expression, decimals: -1, isText: false };
  }
  if (typed.dictionary === true && input.kind === 'kept') return { of: typed.expression, decimals: -1, isText: true };
  if (type === 'string' && input.kind === 'kept') {
    c.problems.addInText(
      [...path, 'of'],
      0,
      `${feature.agg} of a text needs few distinct ones: declare the field as dictionary: true under events.fields`,
    );
    return none;
  }
  if (typed.labels !== undefined && typed.list !== true && input.kind === 'kept') {
    const { expression, labels } = typed;
    const plan = expression.node === 'column' ? c.columns.at(expression.column) : null;
    if (plan?.kind === 'enum') {
      for (const key of ['decimals', 'exact'] as const)
        if (feature[key] !== undefined)
          c.problems.addAtKey([...path, key], `the input is a name of ${labels.name}: leave ${key} out`);
      return { of: expression, decimals: -1, isText: false, labels, enumNames: plan.enumNames };
    }
  }
  if (typed.labels !== undefined || type === 'string' || type === 'bytes') {
    const what = typed.labels === undefined ? expressionTypeText(type) : `a name of ${typed.labels.name}`;
    c.problems.addInText([...path, 'of'], 0, `${feature.agg} needs a number, this is ${what}`);
    return none;
  }
  if (type === 'time' && input.kind === 'number' && !input.times)
    c.problems.addInText([...path, 'of'], 0, `${feature.agg} of times means nothing`);
  return { of: typed.expression, decimals: decimalsOf(c, path, feature, typed.expression), isText: false };
}

/** May keep a float as it came: it never adds. */
function mayBeInexact(input: AggregateInput): boolean {
  return input.kind === 'kept' && input.asItCame;
}

/** How many decimals of the input count; -1: the float as it came. */
function decimalsOf(c: Compilation, path: Path, feature: FeatureDeclaration, of: Expression): number {
  const isExact = feature.exact !== false;
  const inexact = eachAggregate().flatMap(([name, { check }]) => (mayBeInexact(check.input) ? [name] : []));
  const mayBe = inexact.includes(feature.agg);
  if (!isExact && !mayBe) {
    c.problems.add([...path, 'exact'], `exact: false is for ${inexact.join(' and ')} only; declare decimals instead`);
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
  const orFloat = mayBe ? ', or exact: false here to keep the float as it came' : '';
  c.problems.addInText([...path, 'of'], 0, `a fractional input needs its decimals: write ${where}${orFloat}`);
  return 0;
}
