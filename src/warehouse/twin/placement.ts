/**
 * Where each row stands in time, by (life, seq): the entity's clock, and the heads of the window between which the row
 * is inside (docs/semantics.md §5). Heads count hops, or days where the window is a calendar day.
 *
 *   head    of the window at this row: floor(clock / hop)
 *   place   of the row itself: floor(t / hop)
 *   direct  the row is inside as soon as it comes; without a delay: place >= head - span
 *   enter   head from which on a row that is not direct is inside (only with a delay)
 *   leave   first head at which it is outside again
 */

import type { FeaturePlan, Plan } from '../../../native-free-core/plan/plan.ts';
import { eventsSource, ROW_POSITION } from '../../contract/events-source.ts';
import { PRECEDING, type Rows, type Step } from '../../../native-free-core/language/aggregates/sql-part.ts';
import { contributionOf } from './contribution.ts';
import type { ColumnName } from '../../../native-free-core/language/sql/index.ts';

export interface RowSource {
  /** Names of the key's parts in the query, and what they are in `events`. */
  readonly keys: readonly { readonly name: string; readonly sql: string }[];
  readonly name: ColumnName;
  readonly plan: Plan;
  readonly seqColumn: number;
  readonly lifeColumn: number;
  /** The column of the rows' time. */
  readonly timeColumn: number;
  /** Further columns that are handed through: SQL over `events AS e`, with its alias. */
  readonly carried: readonly { readonly name: string; readonly sql: string }[];
  /** A further condition on the rows, or ''. */
  readonly where: string;
}

export function keyNames(source: RowSource): string {
  return source.keys.map((key) => key.name).join(', ');
}

/** The columns that every step hands on. */
export function identity(source: RowSource): string {
  return [...ROW_POSITION, keyNames(source), 'life', 'seq', 't', ...source.carried.map((c) => c.name)].join(', ');
}

/** As the steps of aggregates name them. */
export function rowsOf(source: RowSource): Rows {
  return { keys: keyNames(source), identity: identity(source) };
}

/** Steps `taken` and `contributed`: the rows that have this entity, each with its `x`, NULL where it does not contribute. */
export function contributedRows(source: RowSource, feature: FeaturePlan): Step[] {
  const { plan, name } = source;
  const { input, taken, value } = contributionOf(plan, feature, name);
  const day = feature.dayColumn === undefined ? [] : [`toInt64(ifNull(${name(feature.dayColumn)}, -1000000)) AS day`];
  const columns = [
    ...ROW_POSITION.map((name) => `e.${name} AS ${name}`),
    ...source.keys.map((key) => `${key.sql} AS ${key.name}`),
    `assumeNotNull(${name(source.lifeColumn)}) AS life`,
    `assumeNotNull(${name(source.seqColumn)}) AS seq`,
    `toUnixTimestamp64Milli(${name(source.timeColumn)}) AS t`,
    ...source.carried.map((c) => `${c.sql} AS ${c.name}`),
    ...day,
    `${input} AS input`,
    ...(feature.where === null ? [] : [`${taken} AS taken`]),
  ];
  const where = `WHERE ${name(source.seqColumn)} > 0${source.where === '' ? '' : ` AND ${source.where}`}`;
  return [
    ['taken_in', `SELECT ${columns.join(', ')} FROM ${eventsSource('all').from} AS e ${where}`],
    [
      'contributed',
      `SELECT ${identity(source)}${feature.dayColumn === undefined ? '' : ', day'}, ${value} AS x FROM taken_in`,
    ],
  ];
}

/** Steps `clocked` and `placed`. */
export function placedRows(source: RowSource, feature: FeaturePlan): Step[] {
  const by = `PARTITION BY ${keyNames(source)}, life ORDER BY seq ${PRECEDING}`;
  const { hopMs, windowMs, dayColumn } = feature;
  const isDay = dayColumn !== undefined;
  const span = isDay ? 0 : windowMs / hopMs;
  const delay = isDay ? 0 : (feature.delayMs ?? 0) / hopMs;
  const direct =
    delay === 0 ? `place >= head - ${span}` : `place >= head - ${delay + span} AND place < head - ${delay}`;
  const entered = delay === 0 ? 'direct' : `(direct OR place + ${delay} >= head)`;
  return [
    ['clocked', `SELECT *, max(${isDay ? 'day' : 't'}) OVER (${by}) AS clock FROM contributed`],
    [
      'hopped',
      isDay
        ? 'SELECT *, clock AS head, day AS place FROM clocked'
        : `SELECT *, intDiv(clock, ${hopMs}) AS head, intDiv(t, ${hopMs}) AS place FROM clocked`,
    ],
    [
      'placed',
      `SELECT *, x IS NOT NULL AND ${direct} AS direct, x IS NOT NULL AND ${entered} AS entered, ` +
        `place + ${delay + 1} AS enter, place + ${delay + span + 1} AS leave FROM hopped`,
    ],
  ];
}
