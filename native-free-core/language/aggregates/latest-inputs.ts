/**
 * Aggregates that look at single inputs again: quantile and mode. An entity keeps the latest `cap` contributing inputs, by
 * seq, and the value is exact over those of them that are in the window.
 *
 * A sketch of a fixed size would be smaller than exact values of a large window. But a window forgets: it would need a
 * sketch for each hop, and every row of the query would have to build the same ones. The latest inputs are one list, which
 * forgets by itself, and which SQL finds again as a frame of `cap` rows, so that both sides agree bit for bit. Where a
 * window holds more, the row's overflow flag says so.
 */

import type { FeaturePlan } from '../../plan/plan.ts';
import type { CellsPart } from './aggregate.ts';
import type { CellSet } from './cells.ts';
import { gatherKept, KEPT_SLOTS, keepValue, leavesOut, mergeKept } from './kept-values.ts';
import type { EventCode, FeatureCode, KernelPart, RuntimeFunction, SetCode } from './kernel-part.ts';
import { CAP_MAX, type Option } from './aggregate-options.ts';
import { served, tailOf } from './plain.ts';
import { emitServeValue } from './serve.ts';
import { PRECEDING, type Rows, type SqlPart, type Step } from './sql-part.ts';
import { keptValue } from './sql-value.ts';

export const CAP_DEFAULT = 256;

export const CAP: Option = {
  shape: { kind: 'whole', most: CAP_MAX },
  default: CAP_DEFAULT,
  example: 'cap: 1000',
  description: `over so many of the latest inputs at most; default ${CAP_DEFAULT}`,
};

function capOf({ cap = CAP_DEFAULT }: FeaturePlan): number {
  return cap;
}

/** One more than is looked at says that there are more. */
function mostOf(feature: FeaturePlan): number {
  return capOf(feature) + 1;
}

/** Those in use are counted in `added`. */
export const LATEST_CELLS: CellsPart = {
  floats: (feature) => [
    'added',
    ...Array.from({ length: mostOf(feature) * KEPT_SLOTS }, (_, i) => (i === 0 ? 'kept' : `kept${i}`)),
  ],
  hasCount: false,
};

interface Latest {
  readonly functions: Readonly<Record<string, RuntimeFunction>>;
  /** The value among the first `count` that were put aside (kept-values.ts). */
  readonly choose: (count: string, feature: FeaturePlan) => string;
}

export function latestKernel({ functions, choose }: Latest): KernelPart {
  const set: SetCode = {
    add: keep,
    merge: (to, from, feature) =>
      `${to.float('added')} = mergeKept(f, ${to.at('kept')}, ${to.float('added')}, ${from.at('kept')}, ${from.float('added')}, ${mostOf(feature)});`,
    cleared: ['added'],
    serve: (from, code) => serve(from, code, '-Infinity', choose),
  };
  return {
    functions: { keepValue, mergeKept, gatherKept, leavesOut, ...functions },
    declaration: () => '',
    set,
    ring: () => null,
    plain: {
      update: (cells, event, code) => {
        const { feature } = code;
        if (feature.windowMs === 0)
          return served(feature, `if (${event.adds}) { ${keep(cells, event, feature, '0')} }`, set.serve(cells, code));
        const add = `if (${event.adds}) { const hop = Math.floor(t / ${feature.hopMs}); if (hop >= tail) { ${keep(cells, event, feature, 'hop')} } }`;
        return `{ const tail = ${tailOf(feature)};
    ${served(feature, add, serve(cells, code, 'tail', choose))} }`;
      },
      move: () => '',
      read: (cells, code) =>
        serve(cells, code, code.feature.windowMs === 0 ? '-Infinity' : tailOf(code.feature), choose),
    },
  };
}

function keep(to: CellSet, { x }: EventCode, feature: FeaturePlan, hop: string): string {
  const added = to.float('added');
  return `${added} = keepValue(f, ${to.at('kept')}, ${added}, ${mostOf(feature)}, ${x}, ${hop}, seq);`;
}

/** `tail`: the first hop of the window. */
function serve(from: CellSet, { feature, plan }: FeatureCode, tail: string, choose: Latest['choose']): string {
  const circle = `f, ${from.at('kept')}, ${from.float('added')}, ${mostOf(feature)}, ${tail}`;
  return `{ const count = gatherKept(${circle});
      if (leavesOut(${circle})) flow = 1;
      if (count !== 0) { ${emitServeValue(feature, choose('count', feature), plan)} } }`;
}

/** `choose`: SQL of the value in the array `inside`, the latest last, which is not empty. */
export function latestSql(choose: (feature: FeaturePlan) => string): SqlPart {
  const chosen = (identity: string, feature: FeaturePlan): Step[] => [
    ['chosen', `SELECT *, if(empty(inside), NULL, ${choose(feature)}) AS kept FROM looked_at`],
    ['valued', `SELECT ${identity}, ${keptValue(feature, 'kept')} AS value FROM chosen`],
  ];
  return {
    life: (rows, feature) => [
      ...latest(rows, feature, {
        from: 'contributed',
        part: 'life',
        adds: 'x IS NOT NULL',
        place: 'toInt64(0)',
        tail: '0',
      }),
      ...chosen(rows.identity, feature),
    ],
    window: (rows, feature) => {
      const span = feature.dayColumn === undefined ? feature.windowMs / feature.hopMs : 0;
      return [
        ...latest(rows, feature, {
          from: 'placed',
          part: 'life',
          adds: 'direct',
          place: 'place',
          tail: `head - ${span}`,
        }),
        ...chosen(rows.identity, feature),
      ];
    },
    session: (rows, feature) => [
      ['members', `SELECT * REPLACE (part_x AS x) FROM seen`],
      ...latest(rows, feature, {
        from: 'members',
        part: 'life, session, part',
        adds: 'x IS NOT NULL',
        place: 'toInt64(0)',
        tail: '0',
        only: 'is_row',
      }),
      ...chosen(rows.identity, feature),
    ],
  };
}

/** Columns of the step `from`. */
interface Source {
  readonly from: string;
  /** Of whose rows the latest are looked at, besides the key. */
  readonly part: string;
  readonly adds: string;
  readonly place: string;
  /** The first place that is inside. */
  readonly tail: string;
  /** Rows that read; all others only contribute. */
  readonly only?: string;
}

/**
 * Contributing rows are numbered, so that the latest of them are a RANGE, with the rows between as peers. A row that does
 * not count itself is the last of its own list.
 */
function latest({ keys, identity }: Rows, feature: FeaturePlan, source: Source): Step[] {
  const { from, part, adds, place, tail, only } = source;
  const cap = capOf(feature);
  const numbered = `OVER (PARTITION BY ${keys}, ${part} ORDER BY seq ${PRECEDING})`;
  const frame = `OVER (PARTITION BY ${keys}, ${part} ORDER BY nth RANGE BETWEEN ${cap} PRECEDING AND CURRENT ROW)`;
  const own = feature.excludesCurrent === true ? (list: string) => `if(adds, arrayPopBack(${list}), ${list})` : String;
  const lists = [own('xs'), own('places')].map(
    (list) => `arraySlice(${list}, greatest(1, length(${list}) - ${cap - 1}))`,
  );
  const columns = only === undefined ? '' : `, ${only}`;
  return [
    [
      'numbered',
      `SELECT *, ${adds} AS adds, ${place} AS at_place, ${tail} AS tail, sum(toInt64(adds)) ${numbered} AS nth FROM ${from}`,
    ],
    [
      'listed',
      `SELECT ${identity}${columns}, adds, tail, groupArray(if(adds, x, NULL)) ${frame} AS xs, ` +
        `groupArray(if(adds, at_place, NULL)) ${frame} AS places FROM numbered`,
    ],
    [
      'looked_at',
      `SELECT ${identity}, arrayFilter((_x, _place) -> _place >= tail, ${lists.join(', ')}) AS inside FROM listed` +
        (only === undefined ? '' : ` WHERE ${only}`),
    ],
  ];
}
