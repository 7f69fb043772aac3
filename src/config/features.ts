/** Features: windows and hops, inputs as exact integers, and the columns in which they are served. */

import type {
  AggregateName,
  ColumnPlan,
  Expression,
  FeaturePlan,
  SessionPlan,
} from '../../native-free-core/plan/plan.ts';
import { conditionAt, expressionAt, typeText, type Compilation } from './compilation.ts';
import type { BareEntity } from './entities.ts';
import { dayColumn } from './computed.ts';
import { defaultHopMs } from './hops.ts';
import { nearest } from './nearest.ts';
import type { LabelSet } from '../../native-free-core/language/functions/typed.ts';
import type { FeatureDeclaration } from './schema.ts';
import type { Path } from './source.ts';
import { durationMs, durationText } from './units.ts';

/** A window of more hops costs more memory per entity than any rule is worth. */
const HOPS_MAX = 5000;

const WITHOUT_INPUT: ReadonlySet<AggregateName> = new Set(['count', 'rate', 'time_since_last']);
/** May keep a float as it came: they never add. */
const MAY_BE_INEXACT: ReadonlySet<AggregateName> = new Set(['first', 'last', 'previous']);
const ADDING: ReadonlySet<AggregateName> = new Set(['sum', 'avg', 'stddev_pop', 'ewma']);
const WHOLE: ReadonlySet<AggregateName> = new Set(['count', 'count_distinct']);
/** They look at the event before, whatever the window. */
const LOOKING_BACK: ReadonlySet<AggregateName> = new Set(['previous', 'time_since_last']);
const NEED_DURATION: ReadonlySet<AggregateName> = new Set(['rate', 'ewma']);
const NOT_DELAYED: ReadonlySet<AggregateName> = new Set(['previous', 'time_since_last', 'count_distinct', 'ewma']);
const CAP_DEFAULT = 256;
/** A session window keeps so many gaps of late events apart, and at most so many sessions. */
const LATE_GAPS = 4;
const LATE_GAPS_MAX = 64;
/** Weights of ewma are integers of so many bits, so that weighted sums stay exact. */
const WEIGHT_ONE = 2 ** 20;

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
  const input = compileInput(c, path, feature);
  checkOptions(c, path, feature);
  return windowsOf(c, path, feature).map(({ suffix, windowMs, hopMs, session, dayColumn: day }) => {
    const fullName = `${name}${suffix}`;
    const isCount = WHOLE.has(feature.agg);
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
        comment: describe(feature, window),
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
      ...(feature.agg === 'count_distinct' ? { cap: feature.cap ?? CAP_DEFAULT } : {}),
      ...(feature.agg === 'ewma' ? { weights: weightsOf(feature, windowMs, hopMs) } : {}),
    };
  });
}

/** What goes together with which aggregate. */
function checkOptions(c: Compilation, path: Path, feature: FeatureDeclaration): void {
  const { agg, window } = feature;
  const refuse = (key: string, message: string): void => c.problems.addAtKey([...path, key], message);
  const isDuration = typeof window === 'string' || feature.windows !== undefined;
  if (NEED_DURATION.has(agg) && !isDuration) c.problems.addAtKey(path, `${agg} needs a window: write window: 5m`);
  if (typeof window === 'object' && LOOKING_BACK.has(agg))
    refuse('window', `${agg} looks at the event before, in no session or calendar: write a duration, or no window`);
  if (feature.current_event !== undefined && LOOKING_BACK.has(agg))
    refuse('current_event', `${agg} never counts the current event: leave current_event out`);
  if (feature.cap !== undefined && agg !== 'count_distinct') refuse('cap', 'a cap is for count_distinct');
  if (agg === 'ewma' && feature.half_life === undefined)
    c.problems.addAtKey(path, 'ewma needs a half_life: write half_life: 10m');
  if (agg !== 'ewma' && feature.half_life !== undefined) refuse('half_life', 'a half_life is for ewma');
  if (feature.delay === undefined) return;
  if (!isDuration) refuse('delay', 'a delay needs a window of a duration');
  if (NOT_DELAYED.has(agg)) refuse('delay', `${agg} takes no delay`);
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

/** 2^(-age / half_life), by the hop that lies 0, 1, 2, … hops back. */
function weightsOf(feature: FeatureDeclaration, windowMs: number, hopMs: number): number[] {
  const halfLifeMs = Math.max(1, durationMs(feature.half_life ?? '1m'));
  const hops = hopMs === 0 ? 0 : windowMs / hopMs;
  return Array.from({ length: hops + 1 }, (_, age) => Math.round(WEIGHT_ONE * 2 ** (-(age * hopMs) / halfLifeMs)));
}

function describe(feature: FeatureDeclaration, window: WindowOfFeature): string {
  const of = feature.of === undefined ? '' : ` of ${feature.of}`;
  const where = feature.where === undefined ? '' : ` where ${feature.where}`;
  return `${feature.agg}${of}${where}, ${windowText(window)}`.replace(/\s+/g, ' ');
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
  if (feature.agg === 'count_distinct') {
    for (const key of ['decimals', 'exact'] as const)
      if (feature[key] !== undefined)
        c.problems.addAtKey([...path, key], `count_distinct takes values as they are: leave ${key} out`);
    return { of: typed.expression, decimals: -1, isText: false };
  }
  if (typed.dictionary === true && MAY_BE_INEXACT.has(feature.agg))
    return { of: typed.expression, decimals: -1, isText: true };
  if (type === 'string' && MAY_BE_INEXACT.has(feature.agg)) {
    c.problems.addInText(
      [...path, 'of'],
      0,
      `${feature.agg} of a text needs few distinct ones: declare the field as dictionary: true under events.fields`,
    );
    return none;
  }
  if (typed.labels !== undefined && typed.list !== true && MAY_BE_INEXACT.has(feature.agg)) {
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
    const what = typed.labels === undefined ? typeText(type) : `a name of ${typed.labels.name}`;
    c.problems.addInText([...path, 'of'], 0, `${feature.agg} needs a number, this is ${what}`);
    return none;
  }
  if (type === 'time' && ADDING.has(feature.agg))
    c.problems.addInText([...path, 'of'], 0, `${feature.agg} of times means nothing`);
  return { of: typed.expression, decimals: decimalsOf(c, path, feature, typed.expression), isText: false };
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
