/**
 * `count_distinct`: how many different inputs, up to a cap. The kernel keeps the cap + 1 values with the latest hop
 * (distinct-values.ts).
 */

import type { FeaturePlan } from '../../plan/plan.ts';
import type { Aggregate } from './aggregate.ts';
import type { CellSet } from './cells.ts';
import { addDistinct, DISTINCT_SLOTS, dropDistinct, mergeDistinct } from './distinct-values.ts';
import type { PlainCode, SetCode } from './kernel-part.ts';
import { CAP_MAX } from './aggregate-options.ts';
import { plainSet, served, tailOf } from './plain.ts';
import {
  EVENTS_TOTAL,
  isFirst,
  LATE_MOVES,
  summedMoves,
  summedOverLife,
  summedOverPart,
  type SumsSql,
} from './running-sums.ts';
import { emitPresent } from './serve.ts';
import { BEFORE, partOf, type Rows, type Step } from './sql-part.ts';
import { NOT_DELAYED } from './windows.ts';

const CAP_DEFAULT = 256;

function capOf({ cap = CAP_DEFAULT }: FeaturePlan): number {
  return cap;
}

/** One more than is told apart says that there are more. */
function mostOf(feature: FeaturePlan): number {
  return capOf(feature) + 1;
}

const set: SetCode = {
  add: (to, { low, high }, feature, hop) =>
    `${to.count} = addDistinct(f, w, ${to.at('values')}, ${to.count}, ${mostOf(feature)}, ${low}, ${high}, ${hop});`,
  merge: (to, from, feature) =>
    `${to.count} = mergeDistinct(f, w, ${to.at('values')}, ${to.count}, ${mostOf(feature)}, ${from.at('values')}, ${from.count});`,
  cleared: [],
  serve: ({ count }, { feature, plan }) => {
    const column = `c${feature.column}_u32[r]`;
    const most = mostOf(feature);
    return `${emitPresent(feature, plan)} if (${count} < ${most}) ${column} = ${count}; else { ${column} = ${most - 1}; flow = 1; }`;
  },
};

const overLife = plainSet(set);

const plain: PlainCode = {
  update: (cells, event, code) => {
    const { feature } = code;
    if (feature.windowMs === 0) return overLife.update(cells, event, code);
    const add = `if (${event.adds}) { const hop = Math.floor(t / ${feature.hopMs}); if (hop >= tail) { ${set.add(cells, event, feature, 'hop')} } }`;
    return `{ const tail = ${tailOf(feature)};
    if (clock !== before && !fresh) { ${drop(cells, 'tail')} }
    ${served(feature, add, set.serve(cells, code))} }`;
  },
  move: (cells, feature) => drop(cells, tailOf(feature)),
  read: set.serve,
};

function drop({ count, at }: CellSet, tail: string): string {
  return `if (${count} !== 0) ${count} = dropDistinct(f, ${at('values')}, ${count}, ${tail});`;
}

const SUMS: SumsSql = {
  totals: EVENTS_TOTAL,
  value: (feature) => `toUInt32(least(events, ${capOf(feature)}))`,
};

/**
 * The rows of one value as spells in which at least one of them is inside: a row adds only the part of its stay that no
 * earlier one covers, so that the sum over all values counts each once.
 */
function spells({ keys, identity }: Rows): Step[] {
  const over = `OVER (PARTITION BY ${keys}, life, x ORDER BY start, at_once, seq ${BEFORE})`;
  const columns = `${identity}, x, head, leave`;
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

export const countDistinct: Aggregate = {
  check: {
    input: { kind: 'anything' },
    result: 'count',
    windows: NOT_DELAYED,
    options: {
      keys: {
        cap: {
          shape: { kind: 'whole', most: CAP_MAX },
          default: CAP_DEFAULT,
          example: 'cap: 1000',
          description: `the largest count told apart; default ${CAP_DEFAULT}`,
        },
      },
      parameters: ({ cap = CAP_DEFAULT }) => ({ cap }),
    },
  },
  cells: {
    floats: (feature) =>
      Array.from({ length: mostOf(feature) * DISTINCT_SLOTS }, (_, i) => (i === 0 ? 'values' : `value${i}`)),
    hasCount: true,
  },
  kernel: {
    functions: { addDistinct, dropDistinct, mergeDistinct },
    declaration: () => '',
    set,
    ring: () => null,
    plain,
  },
  sql: {
    life: (rows, feature) => summedOverLife(rows, feature, SUMS, isFirst(`PARTITION BY ${rows.keys}, life`, 'x')),
    window: (rows, feature) => [...spells(rows), ...summedMoves(rows, feature, SUMS, LATE_MOVES, 'spelled')],
    session: (rows, feature) => summedOverPart(rows, feature, SUMS, isFirst(partOf(rows), 'part_x')),
  },
  text: { subject: () => 'count_distinct' },
  documentation: {
    input: 'anything',
    value: 'different values, at most `cap`',
    empty: '0',
    example: 'cards_1d: { agg: count_distinct, of: event.payment.card, window: 1d, cap: 100 }',
  },
};
