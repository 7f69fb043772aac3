/**
 * Emits what is done to the cells of one aggregate, wherever they lie: add the event, put one set of cells onto another, clear.
 * `base` names the f64 index of the cells' begin, `<base>w` the Int32 index. Used by all emitters of features.
 *
 * Names of the emitted code: f, w row and table views; t the event's effective time; x<i> its exact input.
 */

import { lookup } from '../base/lookup.ts';
import type { AggregateName, FeaturePlan } from '../plan/plan.ts';
import { CAP_DEFAULT, type Cells } from './record-layout.ts';

interface Names {
  readonly count: string;
  readonly high: string;
  readonly low: string;
  readonly value: string;
  readonly time: string;
  /** f64 indices. */
  readonly squares: string;
  readonly values: string;
}

export function cellNames(base: string, cells: Cells): Names {
  const float = (name: string): string => `f[${base} + ${lookup(cells.floats, name)}]`;
  return {
    count: `w[${base}w + ${cells.count}]`,
    high: float('high'),
    low: float('low'),
    value: float('value'),
    time: float('time'),
    squares: `${base} + ${cells.floats['square0']}`,
    values: `${base} + ${cells.floats['values']}`,
  };
}

export function mostDistinct(feature: FeaturePlan): number {
  return (feature.cap ?? CAP_DEFAULT) + 1;
}

/** Adds x<i>. `hop` is what a distinct value remembers. */
export function emitAddTo(feature: FeaturePlan, base: string, cells: Cells, i: number, hop = '0'): string {
  const { count, high, low, value, time, squares, values } = cellNames(base, cells);
  const x = `x${i}`;
  const sum = `{ const h = Math.floor(${x} / 4294967296); ${high} += h; ${low} += ${x} - h * 4294967296;
        if (${low} >= 4294967296) { ${low} -= 4294967296; ${high} += 1; } }`;
  switch (feature.aggregate) {
    case 'count':
    case 'rate':
      return `${count}++;`;
    case 'sum':
      return sum;
    case 'avg':
    case 'ewma':
      return `${sum} ${count}++;`;
    case 'stddev_pop':
      return `${sum} addSquare(f, ${squares}, ${x}); ${count}++;`;
    case 'first':
      return `if (${count} === 0 || t < ${time}) { ${time} = t; ${value} = ${x}; ${count} = 1; }`;
    case 'last':
      return `if (${count} === 0 || t >= ${time}) { ${time} = t; ${value} = ${x}; ${count} = 1; }`;
    case 'count_distinct':
      return `${count} = addDistinct(f, w, ${values}, ${count}, ${mostDistinct(feature)}, xl${i}, xh${i}, ${hop});`;
    default:
      return `if (${count} === 0 || ${x} ${feature.aggregate === 'min' ? '<' : '>'} ${value}) ${value} = ${x}; ${count}++;`;
  }
}

/** Puts the cells at `from` onto those at `base`, or takes them off (sign -1) where the aggregate adds. */
export function emitMove(
  feature: FeaturePlan,
  sign: 1 | -1,
  base: string,
  to: Cells,
  from: string,
  cells: Cells,
): string {
  const a = cellNames(base, to);
  const b = cellNames(from, cells);
  const plus = sign === 1 ? '+' : '-';
  const sum = `${a.high} ${plus}= ${b.high}; ${a.low} ${plus}= ${b.low};
        if (${a.low} < 0) { ${a.low} += 4294967296; ${a.high} -= 1; } else if (${a.low} >= 4294967296) { ${a.low} -= 4294967296; ${a.high} += 1; }`;
  const count = `${a.count} ${plus}= ${b.count};`;
  const better = (condition: string): string =>
    `if (${b.count} !== 0 && (${a.count} === 0 || ${condition})) { ${a.value} = ${b.value};`;
  switch (feature.aggregate) {
    case 'count':
    case 'rate':
      return count;
    case 'sum':
      return sum;
    case 'avg':
    case 'ewma':
      return `${sum} ${count}`;
    case 'stddev_pop':
      return `${sum} ${count} addSquares(f, ${a.squares}, ${b.squares}, ${sign});`;
    case 'first':
      return `${better(`${b.time} < ${a.time}`)} ${a.time} = ${b.time}; ${a.count} = 1; }`;
    case 'last':
      return `${better(`${b.time} >= ${a.time}`)} ${a.time} = ${b.time}; ${a.count} = 1; }`;
    case 'count_distinct':
      return `${a.count} = mergeDistinct(f, w, ${a.values}, ${a.count}, ${mostDistinct(feature)}, ${b.values}, ${b.count});`;
    default:
      return `${better(`${b.value} ${feature.aggregate === 'min' ? '<' : '>'} ${a.value}`)} } ${count}`;
  }
}

const CLEARED: Readonly<Partial<Record<AggregateName, readonly string[]>>> = {
  sum: ['high', 'low'],
  avg: ['high', 'low'],
  ewma: ['high', 'low'],
  stddev_pop: ['high', 'low', 'square0', 'square1', 'square2', 'square3', 'square4', 'square5'],
};

/** Nothing in the cells: what a count of 0 hides may stay. */
export function emitClear(feature: FeaturePlan, base: string, cells: Cells): string {
  const floats = (CLEARED[feature.aggregate] ?? []).map((name) => `f[${base} + ${lookup(cells.floats, name)}] = 0;`);
  return `${cells.count < 0 ? '' : `w[${base}w + ${cells.count}] = 0;`} ${floats.join(' ')}`;
}
