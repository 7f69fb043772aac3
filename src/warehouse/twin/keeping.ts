/**
 * Aggregates that keep one value: min, max, first, last, previous and time_since_last.
 *
 * Over a whole life, and for those whose newest value is the last to fall out, the running value will do. Otherwise the
 * window is put together from what came under the same head so far, what came in order under earlier heads, which is a
 * RANGE over heads, and what came late: each such row stands for two runs of heads, of a power of two each, that together
 * are those which still see it; for every power, the runs that hold a head are a RANGE again.
 */

import type { FeaturePlan } from '../../../native-free-core/plan/plan.ts';
import { isWindowed } from './adding.ts';
import {
  BEFORE,
  PRECEDING,
  contributedRows,
  identity,
  keyNames,
  placedRows,
  type RowSource,
  type Step,
} from './placement.ts';
import { partOf, sessionSteps } from './sessions.ts';
import { keptValue } from './value.ts';

/** What a copy of a row is: the row itself; the row among those in order; or, 0 and more, a late row for 2^level heads. */
const ROW = -1;
const IN_ORDER = -2;

/** Time before seq, in one integer. */
const STAMP = 'bitShiftLeft(toUInt128(t), 64) + seq';

export function keepingSteps(source: RowSource, feature: FeaturePlan): Step[] {
  const { aggregate } = feature;
  if (feature.session !== undefined) return inSessions(source, feature);
  const steps = contributedRows(source, feature);
  if (aggregate === 'previous' || aggregate === 'time_since_last') {
    return [...steps, ...(isWindowed(feature) ? placedRows(source, feature) : []), ...before(source, feature)];
  }
  if (!isWindowed(feature)) return [...steps, ...wholeLife(source, feature)];
  steps.push(...placedRows(source, feature));
  const isPlainLast = aggregate === 'last' && feature.dayColumn === undefined && (feature.delayMs ?? 0) === 0;
  return [...steps, ...(isPlainLast ? newest(source, feature) : window(source, feature))];
}

function frame(feature: FeaturePlan): string {
  return feature.excludesCurrent === true ? BEFORE : PRECEDING;
}

function bySeq(source: RowSource, rows: string): string {
  return `OVER (PARTITION BY ${keyNames(source)}, life ORDER BY seq ${rows})`;
}

function wholeLife(source: RowSource, feature: FeaturePlan): Step[] {
  const kept = keptOf(feature, 'x');
  return [
    ['running', `SELECT ${identity(source)}, ${kept} ${bySeq(source, frame(feature))} AS kept FROM contributed`],
    ['valued', `SELECT ${identity(source)}, ${keptValue(feature, 'kept')} AS value FROM running`],
  ];
}

function keptOf({ aggregate }: FeaturePlan, x: string): string {
  if (aggregate === 'min' || aggregate === 'max') return `${aggregate}(${x})`;
  return `${aggregate === 'first' ? 'argMin' : 'argMax'}(${x}, if(${x} IS NULL, NULL, ${STAMP}))`;
}

function inSessions(source: RowSource, feature: FeaturePlan): Step[] {
  const over = `OVER (${partOf(source)} ORDER BY seq ${frame(feature)})`;
  const kept = `SELECT ${identity(source)}, is_row, ${keptOf(feature, 'part_x')} ${over} AS kept FROM seen`;
  return [
    ...sessionSteps(source, feature),
    ['running', `SELECT * FROM (${kept}) WHERE is_row`],
    ['valued', `SELECT ${identity(source)}, ${keptValue(feature, 'kept')} AS value FROM running`],
  ];
}

/** The newest of all that were ever inside is the last to fall out: it is the value as long as it is inside. */
function newest(source: RowSource, feature: FeaturePlan): Step[] {
  const over = bySeq(source, frame(feature));
  const inside = `intDiv(kept_t, ${feature.hopMs}) >= head - ${feature.windowMs / feature.hopMs}`;
  return [
    ['stamped', `SELECT *, if(direct, ${STAMP}, NULL) AS stamp FROM placed`],
    [
      'running',
      `SELECT ${identity(source)}, head, argMax(x, stamp) ${over} AS kept, argMax(t, stamp) ${over} AS kept_t FROM stamped`,
    ],
    ['valued', `SELECT ${identity(source)}, if(${inside}, ${keptValue(feature, 'kept')}, NULL) AS value FROM running`],
  ];
}

/** The contributing row before this one in seq, if it is inside. */
function before(source: RowSource, feature: FeaturePlan): Step[] {
  const over = bySeq(source, BEFORE);
  const head = isWindowed(feature) ? ', head' : '';
  const inside = isWindowed(feature)
    ? ` AND kept_place >= head - ${feature.dayColumn === undefined ? feature.windowMs / feature.hopMs : 0}`
    : '';
  const place = isWindowed(feature) ? `, anyLast(if(x IS NULL, NULL, place)) ${over} AS kept_place` : '';
  const value = feature.aggregate === 'previous' ? keptValue(feature, 'kept') : 'toFloat64(t - kept_t)';
  return [
    [
      'running',
      `SELECT ${identity(source)}${head}, anyLast(x) ${over} AS kept, anyLast(if(x IS NULL, NULL, t)) ${over} AS kept_t${place} ` +
        `FROM ${isWindowed(feature) ? 'placed' : 'contributed'}`,
    ],
    ['valued', `SELECT ${identity(source)}, if(kept_t IS NOT NULL${inside}, ${value}, NULL) AS value FROM running`],
  ];
}

function window(source: RowSource, feature: FeaturePlan): Step[] {
  const { aggregate } = feature;
  const span = feature.dayColumn === undefined ? feature.windowMs / feature.hopMs : 0;
  const delay = feature.dayColumn === undefined ? (feature.delayMs ?? 0) / feature.hopMs : 0;
  const entity = `PARTITION BY ${keyNames(source)}, life`;
  const frames: Frame[] = [
    { name: 'own', of: `level = ${ROW} AND direct`, over: `${entity}, at ORDER BY is_row, seq ${frame(feature)}` },
  ];
  if (span > 0) {
    const inOrder = delay === 0 ? `level = ${ROW} AND direct AND place = head` : `level = ${IN_ORDER}`;
    const over = `${entity} ORDER BY at RANGE BETWEEN ${span} PRECEDING AND 1 PRECEDING`;
    frames.push({ name: 'earlier', of: inOrder, over });
    for (let level = 0; 2 ** level <= span; level++) {
      const late = `${entity} ORDER BY at RANGE BETWEEN ${2 ** level - 1} PRECEDING AND CURRENT ROW`;
      frames.push({ name: `late_${level}`, of: `level = ${level}`, over: late });
    }
  }
  const isStamped = aggregate === 'first' || aggregate === 'last';
  const order = aggregate === 'min' || aggregate === 'first' ? 'min' : 'max';
  const states = frames.map((each) => (isStamped ? stampedState(each, order) : plainState(each, order)));
  const names = frames.map(({ name }) => name);
  return [
    ['copied', copies(source, span, delay)],
    ['framed', `SELECT * FROM (SELECT ${identity(source)}, is_row, ${states.join(', ')} FROM copied) WHERE is_row`],
    ...(isStamped ? chosenByStamp(source, names, order) : chosenByValue(source, names, order)),
    ['valued', `SELECT ${identity(source)}, ${keptValue(feature, 'kept')} AS value FROM chosen`],
  ];
}

/** One part of the window: which copies are in it, and over which frame of them. */
interface Frame {
  readonly name: string;
  readonly of: string;
  readonly over: string;
}

type Order = 'min' | 'max';

/** Stands for "none", beyond all that comes. */
const NO_VALUE: Readonly<Record<Order, string>> = { min: '9223372036854775807', max: '-9223372036854775807' };
const NO_STAMP: Readonly<Record<Order, string>> = {
  min: "toUInt128('340282366920938463463374607431768211455')",
  max: 'toUInt128(0)',
};
const BEST: Readonly<Record<Order, string>> = { min: 'least', max: 'greatest' };

/** A frame up to the current row is never empty, and without NULLs ClickHouse is twice as fast. */
function plainState({ name, of, over }: Frame, order: Order): string {
  const none = `toInt64(${NO_VALUE[order]})`;
  const missing = over.endsWith('CURRENT ROW') ? `ifNull(if(${of}, x, NULL), ${none})` : `if(${of}, x, NULL)`;
  return `${order}(${missing}) OVER (${over}) AS ${name}`;
}

function stampedState({ name, of, over }: Frame, order: Order): string {
  const stamp = `if((${of}) AND x IS NOT NULL, ${STAMP}, NULL)`;
  return `arg${order === 'min' ? 'Min' : 'Max'}(x, ${stamp}) OVER (${over}) AS ${name}, ${order}(${stamp}) OVER (${over}) AS ${name}_stamp`;
}

function chosenByValue(source: RowSource, names: readonly string[], order: Order): Step[] {
  const none = `toInt64(${NO_VALUE[order]})`;
  const all = names.map((name) => `ifNull(${name}, ${none})`);
  const best = all.length === 1 ? all[0]! : `${BEST[order]}(${all.join(', ')})`;
  return [['chosen', `SELECT ${identity(source)}, nullIf(${best}, ${none}) AS kept FROM framed`]];
}

function chosenByStamp(source: RowSource, names: readonly string[], order: Order): Step[] {
  const all = names.map((name) => `ifNull(${name}_stamp, ${NO_STAMP[order]})`);
  const best = all.length === 1 ? all[0]! : `${BEST[order]}(${all.join(', ')})`;
  const choices = names.map((name) => `ifNull(${name}_stamp = best, false), ${name}`);
  return [
    ['ranked', `SELECT *, ${best} AS best FROM framed`],
    ['chosen', `SELECT ${identity(source)}, multiIf(${choices.join(', ')}, NULL) AS kept FROM ranked`],
  ];
}

/** Two copies of a late row, of 2^level heads each, cover all heads under which it is still inside. */
function copies(source: RowSource, span: number, delay: number): string {
  const row = `(toInt64(${ROW}), head)`;
  const from = 'if(direct, head + 1, enter)';
  const level = `toInt64(floor(log2(greatest(1, leave - ${from}))))`;
  const late = `[${row}, (${level}, ${from}), (${level}, leave - bitShiftLeft(toInt64(1), ${level}))]`;
  const isLate = `entered AND place + ${delay} < head AND leave > ${from}`;
  const copiesOf =
    span === 0
      ? `[${row}]`
      : delay === 0
        ? `if(${isLate}, ${late}, [${row}])`
        : `multiIf(${isLate}, ${late}, entered AND place + ${delay} >= head, [${row}, (toInt64(${IN_ORDER}), place + ${delay})], [${row}])`;
  return (
    `SELECT ${identity(source)}, x, place, head, direct, arrayJoin(${copiesOf}) AS copy, copy.1 AS level, copy.2 AS at, ` +
    `level = ${ROW} AS is_row FROM placed`
  );
}
