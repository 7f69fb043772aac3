/**
 * Aggregates that add: an event is added once and taken off once. Their exact integer is high * 2^32 + low, 0 <= low < 2^32,
 * in two f64 cells, so that it never rounds. Kernel code and SQL of count, rate, sum, avg and stddev_pop.
 */

import type { CellSet } from './cells.ts';
import type { EventCode, KernelPart, RingCode, RuntimeFunction, SetCode } from './kernel-part.ts';
import { plainSet } from './plain.ts';
import { WORD } from '../../base/words.ts';

export const SUM_CELLS = ['high', 'low'];

/** 1: puts cells onto others; -1: takes them off. */
export type Sign = 1 | -1;

interface AddingCode {
  readonly functions: Readonly<Record<string, RuntimeFunction>>;
  readonly add: (to: CellSet, event: EventCode) => string;
  readonly move: (sign: Sign, to: CellSet, from: CellSet) => string;
  readonly cleared: readonly string[];
  readonly serve: SetCode['serve'];
}

/** Totals that every bucket is added to when it enters the window, and taken off when it falls out. */
export function addingKernel({ functions, add, move, cleared, serve }: AddingCode): KernelPart {
  const set: SetCode = { add, merge: (to, from) => move(1, to, from), cleared, serve };
  const ring: RingCode = {
    tree: null,
    inTotals: true,
    inBuckets: true,
    cleared,
    addToBucket: add,
    expire: ({ totals, bucket }) => move(-1, totals, bucket),
    enter: ({ totals, bucket }) => move(1, totals, bucket),
    addToWindow: ({ totals }, event) => add(totals, event),
    serve: (place) => serve(place.totals, place),
  };
  return { functions, declaration: () => '', set, ring: () => ring, plain: plainSet(set) };
}

export function addSum({ float }: CellSet, { x }: EventCode): string {
  const [high, low] = [float('high'), float('low')];
  return `{ const h = Math.floor(${x} / ${WORD}); ${high} += h; ${low} += ${x} - h * ${WORD};
        if (${low} >= ${WORD}) { ${low} -= ${WORD}; ${high} += 1; } }`;
}

export function moveSum(sign: Sign, to: CellSet, from: CellSet): string {
  const [high, low] = [to.float('high'), to.float('low')];
  const plus = sign === 1 ? '+' : '-';
  return `${high} ${plus}= ${from.float('high')}; ${low} ${plus}= ${from.float('low')};
        if (${low} < 0) { ${low} += ${WORD}; ${high} -= 1; } else if (${low} >= ${WORD}) { ${low} -= ${WORD}; ${high} += 1; }`;
}

export function moveCount(sign: Sign, to: CellSet, from: CellSet): string {
  return `${to.count} ${sign === 1 ? '+' : '-'}= ${from.count};`;
}

/** Both words as one double: one rounding. */
export function sumOf({ float }: CellSet): string {
  return `(${float('high')} * ${WORD} + ${float('low')})`;
}
