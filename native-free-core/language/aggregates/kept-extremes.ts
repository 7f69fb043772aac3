/**
 * Aggregates that keep one value, in SQL: the least or the greatest, or the one of the least or greatest (time, seq).
 *
 * Over a whole life the running value will do. In a window it is put together from what came under the same head so far,
 * what came in order under earlier heads, which is a RANGE over heads, and what came late. The heads that can see a late row
 * are covered by two overlapping runs of 2^k heads; grouped by k, each look-up is one RANGE frame.
 */

import type { FeaturePlan } from '../../plan/plan.ts';
import type { Order } from './ring-tree.ts';
import { frameOf, partOf, type Rows, type SqlPart, type Step } from './sql-part.ts';
import { keptValue } from './sql-value.ts';

export interface Keeping {
  readonly order: Order;
  /** What is compared. */
  readonly by: 'value' | 'time';
  /** In a window: whether its newest contribution is the last to fall out, so that the running value will do there, too. */
  readonly isNewest: (feature: FeaturePlan) => boolean;
}

/** What a copy of a row is: the row itself; the row among those in order; or, 0 and more, a late row for 2^level heads. */
const ROW = -1;
const IN_ORDER = -2;

/** Time before seq, in one integer. */
const STAMP = 'bitShiftLeft(toUInt128(t), 64) + seq';

export function keepingSql(keeping: Keeping): SqlPart {
  return {
    life: ({ keys, identity }, feature) => {
      const over = `OVER (PARTITION BY ${keys}, life ORDER BY seq ${frameOf(feature)})`;
      return [
        ['running', `SELECT ${identity}, ${keptOf(keeping, 'x')} ${over} AS kept FROM contributed`],
        ['valued', `SELECT ${identity}, ${keptValue(feature, 'kept')} AS value FROM running`],
      ];
    },
    window: (rows, feature) => (keeping.isNewest(feature) ? newest(rows, feature) : inWindow(rows, feature, keeping)),
    session: (rows, feature) => {
      const { identity } = rows;
      const over = `OVER (${partOf(rows)} ORDER BY seq ${frameOf(feature)})`;
      const kept = `SELECT ${identity}, is_row, ${keptOf(keeping, 'part_x')} ${over} AS kept FROM seen`;
      return [
        ['running', `SELECT * FROM (${kept}) WHERE is_row`],
        ['valued', `SELECT ${identity}, ${keptValue(feature, 'kept')} AS value FROM running`],
      ];
    },
  };
}

function keptOf({ order, by }: Keeping, x: string): string {
  return by === 'value' ? `${order}(${x})` : `${argOf(order)}(${x}, if(${x} IS NULL, NULL, ${STAMP}))`;
}

function argOf(order: Order): string {
  return order === 'min' ? 'argMin' : 'argMax';
}

/** The newest of all that were ever inside is the last to fall out: it is the value as long as it is inside. */
function newest({ keys, identity }: Rows, feature: FeaturePlan): Step[] {
  const over = `OVER (PARTITION BY ${keys}, life ORDER BY seq ${frameOf(feature)})`;
  const inside = `intDiv(kept_t, ${feature.hopMs}) >= head - ${feature.windowMs / feature.hopMs}`;
  return [
    ['stamped', `SELECT *, if(direct, ${STAMP}, NULL) AS stamp FROM placed`],
    [
      'running',
      `SELECT ${identity}, head, argMax(x, stamp) ${over} AS kept, argMax(t, stamp) ${over} AS kept_t FROM stamped`,
    ],
    ['valued', `SELECT ${identity}, if(${inside}, ${keptValue(feature, 'kept')}, NULL) AS value FROM running`],
  ];
}

function inWindow({ keys, identity }: Rows, feature: FeaturePlan, { order, by }: Keeping): Step[] {
  const span = feature.dayColumn === undefined ? feature.windowMs / feature.hopMs : 0;
  const delay = feature.dayColumn === undefined ? (feature.delayMs ?? 0) / feature.hopMs : 0;
  const entity = `PARTITION BY ${keys}, life`;
  const frames: Frame[] = [
    { name: 'own', of: `level = ${ROW} AND direct`, over: `${entity}, at ORDER BY is_row, seq ${frameOf(feature)}` },
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
  const [state, chosen] = by === 'time' ? [stampedState, chosenByStamp] : [plainState, chosenByValue];
  const states = frames.map((each) => state(each, order));
  const names = frames.map(({ name }) => name);
  return [
    ['copied', copies(identity, span, delay)],
    ['framed', `SELECT * FROM (SELECT ${identity}, is_row, ${states.join(', ')} FROM copied) WHERE is_row`],
    ...chosen(identity, names, order),
    ['valued', `SELECT ${identity}, ${keptValue(feature, 'kept')} AS value FROM chosen`],
  ];
}

/** One part of the window: which copies are in it, and over which frame of them. */
interface Frame {
  readonly name: string;
  readonly of: string;
  readonly over: string;
}

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
  return `${argOf(order)}(x, ${stamp}) OVER (${over}) AS ${name}, ${order}(${stamp}) OVER (${over}) AS ${name}_stamp`;
}

function chosenByValue(identity: string, names: readonly string[], order: Order): Step[] {
  const none = `toInt64(${NO_VALUE[order]})`;
  const all = names.map((name) => `ifNull(${name}, ${none})`);
  const best = all.length === 1 ? all[0]! : `${BEST[order]}(${all.join(', ')})`;
  return [['chosen', `SELECT ${identity}, nullIf(${best}, ${none}) AS kept FROM framed`]];
}

function chosenByStamp(identity: string, names: readonly string[], order: Order): Step[] {
  const all = names.map((name) => `ifNull(${name}_stamp, ${NO_STAMP[order]})`);
  const best = all.length === 1 ? all[0]! : `${BEST[order]}(${all.join(', ')})`;
  const choices = names.map((name) => `ifNull(${name}_stamp = best, false), ${name}`);
  return [
    ['ranked', `SELECT *, ${best} AS best FROM framed`],
    ['chosen', `SELECT ${identity}, multiIf(${choices.join(', ')}, NULL) AS kept FROM ranked`],
  ];
}

/** Two copies of a late row, of 2^level heads each, cover all heads under which it is still inside. */
function copies(identity: string, span: number, delay: number): string {
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
    `SELECT ${identity}, x, place, head, direct, arrayJoin(${copiesOf}) AS copy, copy.1 AS level, copy.2 AS at, ` +
    `level = ${ROW} AS is_row FROM placed`
  );
}
