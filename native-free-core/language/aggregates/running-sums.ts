/**
 * Sums in SQL: a row enters the window once and leaves it once, so a running sum over both moves, in the order of the
 * window's head, is the window's sum. No row is read again, however hot its entity and however late it came. Used by all
 * aggregates that add, count_distinct among them.
 *
 * `totals`: window sums over the moves, each with its `sign`; `value`: the feature from these sums.
 */

import type { FeaturePlan } from '../../plan/plan.ts';
import { BEFORE, frameOf, partOf, type Rows, type SqlPart, type Step } from './sql-part.ts';

/** Moves of a row: the row itself, which reads; its way in, where that is not the row itself; its way out. */
const OUT = 0;
const ROW = 1;
const IN = 2;

export interface SumsSql {
  readonly totals: (over: string) => string;
  readonly value: (feature: FeaturePlan) => string;
}

export const EVENTS_TOTAL = (over: string): string => `sum(toInt64(sign)) ${over} AS events`;
export const INPUT_TOTAL = (over: string): string => `sum(toInt128(sign * ifNull(x, 0))) ${over} AS total`;

export function addingSql(sums: SumsSql): SqlPart {
  return {
    life: (rows, feature) => summedOverLife(rows, feature, sums, 'x IS NOT NULL'),
    window: (rows, feature) => summedMoves(rows, feature, sums, directMoves(feature)),
    session: (rows, feature) => summedOverPart(rows, feature, sums, 'part_x IS NOT NULL'),
  };
}

/** Without a window nothing leaves. `adds`: whether a row is added. */
export function summedOverLife({ keys, identity }: Rows, feature: FeaturePlan, sums: SumsSql, adds: string): Step[] {
  const over = `OVER (PARTITION BY ${keys}, life ORDER BY seq ${frameOf(feature)})`;
  return [
    ['moved', `SELECT *, toInt8(${adds}) AS sign FROM contributed`],
    ['summed', `SELECT ${identity}, ${sums.totals(over)} FROM moved`],
    valued(identity, sums, feature),
  ];
}

export function summedOverPart(rows: Rows, feature: FeaturePlan, sums: SumsSql, adds: string): Step[] {
  const { identity } = rows;
  const totals = sums.totals(`OVER (${partOf(rows)} ORDER BY seq ${frameOf(feature)})`);
  return [
    ['moved', `SELECT ${identity}, session, part, is_row, part_x AS x, toInt8(${adds}) AS sign FROM seen`],
    ['summed', `SELECT * FROM (SELECT ${identity}, is_row, ${totals} FROM moved) WHERE is_row`],
    valued(identity, sums, feature),
  ];
}

/**
 * `moves`: which moves each row of the step `from` makes. What leaves at a head stands before the rows that see that head.
 */
export function summedMoves(
  { keys, identity }: Rows,
  feature: FeaturePlan,
  sums: SumsSql,
  moves: string,
  from = 'placed',
): Step[] {
  const over = `OVER (PARTITION BY ${keys}, life ORDER BY at, is_row, seq ${frameOf(feature)})`;
  return [
    [
      'moved',
      `SELECT ${identity}, x, arrayJoin(${moves}) AS move, move = ${ROW} AS is_row, ` +
        `multiIf(is_row, head, move = ${OUT}, leave, enter) AS at, ` +
        `multiIf(is_row, toInt8(direct), move = ${OUT}, -1, 1) AS sign FROM ${from}`,
    ],
    ['summed', `SELECT * FROM (SELECT ${identity}, is_row, ${sums.totals(over)} FROM moved) WHERE is_row`],
    valued(identity, sums, feature),
  ];
}

/** A row that may come in behind itself. */
export const LATE_MOVES = `multiIf(NOT entered, [${ROW}], direct, [${ROW}, ${OUT}], [${ROW}, ${IN}, ${OUT}])`;

function directMoves(feature: FeaturePlan): string {
  return (feature.delayMs ?? 0) === 0 ? `if(entered, [${ROW}, ${OUT}], [${ROW}])` : LATE_MOVES;
}

export function valued(identity: string, sums: Pick<SumsSql, 'value'>, feature: FeaturePlan): Step {
  return ['valued', `SELECT ${identity}, ${sums.value(feature)} AS value FROM summed`];
}

/** Whether a value comes for the first time, in an order that ends with seq. */
export function isFirst(partition: string, x: string): string {
  return `${x} IS NOT NULL AND count() OVER (${partition}, ${x} ORDER BY seq ${BEFORE}) = 0`;
}
