/**
 * Aggregates that keep one value: min, max, first, last, previous and time_since_last.
 *
 * Over a whole life, and for those whose newest value is the last to fall out, the running value will do. Otherwise the
 * window is put together from what came under the same head so far, and what came in order under earlier heads, which
 * is a RANGE over heads. A late row stands once more under each later head that still sees it.
 */

import type { FeaturePlan } from '../../../native-free-core/layout/plan.ts';
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

/** Where a copy of a row stands: at the row itself, among the rows in order, or (0 and more) at that head. */
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
  const order = aggregate === 'min' || aggregate === 'first' ? 'min' : 'max';
  const isStamped = aggregate === 'first' || aggregate === 'last';
  const own = `OVER (PARTITION BY ${keyNames(source)}, life, at ORDER BY is_row, seq ${frame(feature)})`;
  const earlier = `OVER (PARTITION BY ${keyNames(source)}, life ORDER BY at RANGE BETWEEN ${span} PRECEDING AND 1 PRECEDING)`;
  const state = (name: string, over: string): string =>
    isStamped
      ? `arg${order === 'min' ? 'Min' : 'Max'}(x, if(${name}, ${STAMP}, NULL)) ${over} AS ${name}_kept, ${order}(if(${name}, ${STAMP}, NULL)) ${over} AS ${name}_rank`
      : `${order}(if(${name}, x, NULL)) ${over} AS ${name}_kept, ${name}_kept AS ${name}_rank`;
  const states = span === 0 ? state('own', own) : `${state('own', own)}, ${state('earlier', earlier)}`;
  const better = order === 'min' ? '<' : '>';
  const kept =
    span === 0
      ? 'own_kept'
      : `if(earlier_rank IS NULL OR ifNull(own_rank ${better} earlier_rank, false), own_kept, earlier_kept)`;
  return [
    ['copied', copies(source, span, delay)],
    ['framed', `SELECT * FROM (SELECT ${identity(source)}, is_row, ${states} FROM copied) WHERE is_row`],
    ['chosen', `SELECT ${identity(source)}, ${kept} AS kept FROM framed`],
    ['valued', `SELECT ${identity(source)}, ${keptValue(feature, 'kept')} AS value FROM chosen`],
  ];
}

/** `own`: counts under its own head; `earlier`: counts for the heads that follow. */
function copies(source: RowSource, span: number, delay: number): string {
  const late = `arrayConcat([toInt64(${ROW})], range(if(direct, head + 1, enter), leave))`;
  const copiesOf =
    span === 0
      ? `[toInt64(${ROW})]`
      : delay === 0
        ? `if(entered AND place < head, ${late}, [toInt64(${ROW})])`
        : `multiIf(NOT entered, [toInt64(${ROW})], place + ${delay} >= head, [toInt64(${ROW}), toInt64(${IN_ORDER})], ${late})`;
  const at = delay === 0 ? `if(is_row, head, g)` : `multiIf(is_row, head, g = ${IN_ORDER}, place + ${delay}, g)`;
  const inOrder = delay === 0 ? 'is_row AND direct AND place = head' : `g = ${IN_ORDER}`;
  return (
    `SELECT ${identity(source)}, x, arrayJoin(${copiesOf}) AS g, g = ${ROW} AS is_row, ${at} AS at, ` +
    `(is_row AND direct) OR g >= 0 AS own, ${inOrder} AS earlier FROM placed`
  );
}
