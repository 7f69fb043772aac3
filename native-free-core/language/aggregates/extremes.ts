/** What min and max share; `order` is all that tells them apart. */

import type { CellsPart, Check } from './aggregate.ts';
import type { CellSet } from './cells.ts';
import type { KernelPart, SetCode, SimpleSet } from './kernel-part.ts';
import { keepingSql } from './kept-extremes.ts';
import { NO_OPTIONS } from './aggregate-options.ts';
import { plainSet } from './plain.ts';
import { TREE_FUNCTIONS, treeOfValues, type Order } from './ring-tree.ts';
import { emitServeValue } from './serve.ts';
import type { SqlPart } from './sql-part.ts';
import { EVERY_WINDOW } from './windows.ts';

const BETTER: Readonly<Record<Order, string>> = { min: '<', max: '>' };

export const EXTREME_CHECK: Check = {
  input: { kind: 'number', times: true },
  result: 'number',
  windows: EVERY_WINDOW,
  options: NO_OPTIONS,
};

export const EXTREME_CELLS: CellsPart = { floats: () => ['value'], hasCount: true };

export function extremeKernel(order: Order): KernelPart {
  const set: SimpleSet = {
    add: (to, { x }) => {
      const value = to.float('value');
      return `if (${to.count} === 0 || ${x} ${BETTER[order]} ${value}) ${value} = ${x}; ${to.count}++;`;
    },
    merge: (to, from) => {
      const [value, other] = [to.float('value'), from.float('value')];
      const isBetter = `${from.count} !== 0 && (${to.count} === 0 || ${other} ${BETTER[order]} ${value})`;
      return `if (${isBetter}) { ${value} = ${other}; } ${to.count} += ${from.count};`;
    },
    cleared: [],
    serve: serveKept,
  };
  return {
    functions: TREE_FUNCTIONS,
    declaration: () => '',
    set,
    ring: ({ delayMs = 0 }) => treeOfValues(order, delayMs > 0, set.add),
    plain: plainSet(set),
  };
}

/** The one value that is kept, where there is one. */
export function serveKept(from: CellSet, { feature, plan }: Parameters<SetCode['serve']>[1]): string {
  return `if (${from.count} !== 0) { ${emitServeValue(feature, from.float('value'), plan)} }`;
}

export function extremeSql(order: Order): SqlPart {
  return keepingSql({ order, by: 'value', isNewest: () => false });
}
