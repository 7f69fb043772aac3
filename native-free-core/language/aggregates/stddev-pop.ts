/** `stddev_pop`: the standard deviation of the population, from the exact sum and the exact sum of squares (squares.ts). */

import type { Aggregate } from './aggregate.ts';
import { addingSql, EVENTS_TOTAL, INPUT_TOTAL } from './running-sums.ts';
import { emitServeValue, scaleOf } from './serve.ts';
import { doubleLiteralSql, bounded, roundedOnce } from './sql-value.ts';
import { NO_OPTIONS } from './aggregate-options.ts';
import { addSquare, addSquares, LIMBS, spread } from './squares.ts';
import { addingKernel, addSum, moveCount, moveSum, SUM_CELLS } from './sums.ts';
import { EVERY_WINDOW } from './windows.ts';

const SQUARE_CELLS = Array.from({ length: LIMBS }, (_, i) => `square${i}`);
const CELLS = [...SUM_CELLS, ...SQUARE_CELLS];

export const stddevPop: Aggregate = {
  check: { input: { kind: 'number', times: false }, result: 'number', windows: EVERY_WINDOW, options: NO_OPTIONS },
  cells: { floats: () => CELLS, hasCount: true },
  kernel: addingKernel({
    functions: { addSquare, addSquares, spread },
    add: (to, event) => `${addSum(to, event)} addSquare(f, ${to.at('square0')}, ${event.x}); ${to.count}++;`,
    move: (sign, to, from) =>
      `${moveSum(sign, to, from)} ${moveCount(sign, to, from)} addSquares(f, ${to.at('square0')}, ${from.at('square0')}, ${sign});`,
    cleared: CELLS,
    serve: ({ at, count, float }, { feature, plan }) => {
      const root = `Math.sqrt(spread(f, ${at('square0')}, ${count}, ${float('high')}, ${float('low')}))`;
      return `if (${count} !== 0) { ${emitServeValue(feature, `${root} / (${count} * ${scaleOf(feature)})`, plan, 1)} }`;
    },
  }),
  sql: addingSql({
    totals: (over) =>
      `${EVENTS_TOTAL(over)}, ${INPUT_TOTAL(over)}, sum(toInt256(ifNull(x, 0)) * ifNull(x, 0) * sign) ${over} AS squares`,
    value: (feature) => {
      const spread = 'toInt256(events) * squares - toInt256(total) * total';
      const root = `sqrt(${roundedOnce(`(${spread})`)})`;
      return `if(events = 0, NULL, ${bounded(`${root} / (toFloat64(events) * ${doubleLiteralSql(scaleOf(feature))})`)})`;
    },
  }),
  text: { subject: () => 'stddev_pop' },
  documentation: {
    input: 'a number',
    value: 'the standard deviation of the population',
    empty: 'absent',
    example: 'amount_spread: { agg: stddev_pop, of: event.payment.amount, window: 30d }',
  },
};
