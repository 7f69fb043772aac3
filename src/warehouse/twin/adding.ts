/**
 * Aggregates that add: count, rate, sum, avg, stddev_pop, count_distinct and ewma. A row enters the window once and leaves
 * it once, so a running sum over both moves, in the order of the window's head, is the window's sum: no row is read
 * again, however hot its entity and however late it came.
 */

import type { FeaturePlan } from '../../../native-free-core/plan/plan.ts';
import { partOf, sessionSteps } from './sessions.ts';
import { addedValue } from './value.ts';
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

/** Moves of a row: the row itself, which reads; its way in, where that is not the row itself; its way out. */
const OUT = 0;
const ROW = 1;
const IN = 2;

const ADDING: ReadonlySet<string> = new Set(['count', 'rate', 'sum', 'avg', 'stddev_pop', 'count_distinct', 'ewma']);

export function isAdding(feature: FeaturePlan): boolean {
  return ADDING.has(feature.aggregate);
}

export function isWindowed(feature: FeaturePlan): boolean {
  return feature.windowMs > 0 || feature.dayColumn !== undefined;
}

export function addingSteps(source: RowSource, feature: FeaturePlan): Step[] {
  if (feature.session !== undefined) return inSessions(source, feature);
  const steps = contributedRows(source, feature);
  if (!isWindowed(feature)) steps.push(...wholeLife(source, feature));
  else {
    steps.push(...placedRows(source, feature));
    if (feature.aggregate === 'ewma') steps.push(...weighed(source, feature));
    else {
      if (feature.aggregate === 'count_distinct') steps.push(...spells(source));
      steps.push(['moved', moves(source, feature)], ['summed', sums(source, feature)]);
    }
  }
  steps.push(['valued', `SELECT ${identity(source)}, ${addedValue(feature)} AS value FROM summed`]);
  return steps;
}

function frame(feature: FeaturePlan): string {
  return feature.excludesCurrent === true ? BEFORE : PRECEDING;
}

/** Without a window nothing leaves; a distinct value counts where it comes first. */
function wholeLife(source: RowSource, feature: FeaturePlan): Step[] {
  const over = `OVER (PARTITION BY ${keyNames(source)}, life ORDER BY seq ${frame(feature)})`;
  if (feature.aggregate !== 'count_distinct') {
    return [
      ['moved', 'SELECT *, toInt8(x IS NOT NULL) AS sign FROM contributed'],
      ['summed', `SELECT ${identity(source)}, ${totals(feature, over)} FROM moved`],
    ];
  }
  const first = `count() OVER (PARTITION BY ${keyNames(source)}, life, x ORDER BY seq ${BEFORE}) = 0`;
  return [
    ['moved', `SELECT *, toInt8(x IS NOT NULL AND ${first}) AS sign FROM contributed`],
    ['summed', `SELECT ${identity(source)}, ${totals(feature, over)} FROM moved`],
  ];
}

function inSessions(source: RowSource, feature: FeaturePlan): Step[] {
  const part = partOf(source);
  const isNew =
    feature.aggregate === 'count_distinct'
      ? `part_x IS NOT NULL AND count() OVER (${part}, part_x ORDER BY seq ${BEFORE}) = 0`
      : 'part_x IS NOT NULL';
  const sums = totals(feature, `OVER (${part} ORDER BY seq ${frame(feature)})`);
  return [
    ...sessionSteps(source, feature),
    ['moved', `SELECT ${identity(source)}, session, part, is_row, part_x AS x, toInt8(${isNew}) AS sign FROM seen`],
    ['summed', `SELECT * FROM (SELECT ${identity(source)}, is_row, ${sums} FROM moved) WHERE is_row`],
    ['valued', `SELECT ${identity(source)}, ${addedValue(feature)} AS value FROM summed`],
  ];
}

function moves(source: RowSource, feature: FeaturePlan): string {
  const isDistinct = feature.aggregate === 'count_distinct';
  const list =
    !isDistinct && (feature.delayMs ?? 0) === 0
      ? `if(entered, [${ROW}, ${OUT}], [${ROW}])`
      : `multiIf(NOT entered, [${ROW}], direct, [${ROW}, ${OUT}], [${ROW}, ${IN}, ${OUT}])`;
  return (
    `SELECT ${identity(source)}, x, arrayJoin(${list}) AS move, move = ${ROW} AS is_row, ` +
    `multiIf(is_row, head, move = ${OUT}, leave, enter) AS at, ` +
    `multiIf(is_row, toInt8(direct), move = ${OUT}, -1, 1) AS sign FROM ${isDistinct ? 'spelled' : 'placed'}`
  );
}

/** What leaves at a head stands before the rows that see that head. */
function sums(source: RowSource, feature: FeaturePlan): string {
  const over = `OVER (PARTITION BY ${keyNames(source)}, life ORDER BY at, is_row, seq ${frame(feature)})`;
  return `SELECT * FROM (SELECT ${identity(source)}, is_row, ${totals(feature, over)} FROM moved) WHERE is_row`;
}

function totals(feature: FeaturePlan, over: string): string {
  const events = `sum(toInt64(sign)) ${over} AS events`;
  const total = `sum(toInt128(sign * ifNull(x, 0))) ${over} AS total`;
  switch (feature.aggregate) {
    case 'sum':
      return total;
    case 'avg':
      return `${events}, ${total}`;
    case 'stddev_pop':
      return `${events}, ${total}, sum(toInt256(ifNull(x, 0)) * ifNull(x, 0) * sign) ${over} AS squares`;
    default:
      return events;
  }
}

/**
 * The rows of one value as spells in which at least one of them is inside: a row adds only the part of its stay that no
 * earlier one covers, so that the sum over all values counts each once.
 */
function spells(source: RowSource): Step[] {
  const over = `OVER (PARTITION BY ${keyNames(source)}, life, x ORDER BY start, at_once, seq ${BEFORE})`;
  const columns = `${identity(source)}, x, head, leave`;
  return [
    ['started', `SELECT ${columns}, direct AS at_once, entered AS stays, if(direct, head, enter) AS start FROM placed`],
    ['covered', `SELECT *, maxIf(leave, stays) ${over} AS until FROM started`],
    [
      'spelled',
      `SELECT ${columns}, at_once AND until <= head AS direct, stays AND until < leave AS entered, ` +
        `greatest(start, until) AS enter FROM covered`,
    ],
  ];
}

/** Weights change with every head, so that a row stands at each head under which it is inside, with the weight there. */
function weighed(source: RowSource, feature: FeaturePlan): Step[] {
  const over = `OVER (PARTITION BY ${keyNames(source)}, life, at ORDER BY is_row, seq ${frame(feature)})`;
  const delay = (feature.delayMs ?? 0) / feature.hopMs;
  const heads = `if(entered, arrayConcat([toInt64(-1)], range(if(direct, head + 1, greatest(enter, head + 1)), leave)), [toInt64(-1)])`;
  const weight = `[${(feature.weights ?? []).join(', ')}][at - place - ${delay} + 1]`;
  return [
    [
      'moved',
      `SELECT ${identity(source)}, x, arrayJoin(${heads}) AS g, g = -1 AS is_row, if(is_row, head, g) AS at, ` +
        `toInt64(if(x IS NULL OR (is_row AND NOT direct), 0, ${weight})) AS weight FROM placed`,
    ],
    [
      'summed',
      `SELECT * FROM (SELECT ${identity(source)}, is_row, sum(toInt128(weight)) ${over} AS events, ` +
        `sum(toInt128(weight) * ifNull(x, 0)) ${over} AS total FROM moved) WHERE is_row`,
    ],
  ];
}
