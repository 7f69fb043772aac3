/**
 * The expression compiler as keys, kernels and rules use it: one emitter for each function that is generated. It hands
 * out names, gathers the constants that the emitted code refers to, and makes the runtime that the code is bound to.
 */

import type { Column } from '../../layout/column.ts';
import type { Expression, Plan } from '../../layout/plan.ts';
import type { Dictionary } from '../../state/dictionary.ts';
import type { ColumnAccess, TextCode } from './context.ts';
import { emitCondition, emitExpression, type ExpressionCode } from './emit.ts';
import * as functions from './runtime.ts';
import type { ExpressionRuntime, ListCursor } from './runtime.ts';
import { utf8Bytes } from './utf8.ts';

/** Emitted code names column arrays `c<index>_<array>` (for example `c12_f64`, `c12_nulls`) and the row `r`. */
export interface ExpressionEmitter {
  (expression: Expression): ExpressionCode;
  /** Whether the expression is true; `absent` is null. Cheaper than value and absence where only truth counts. */
  condition(expression: Expression): ExpressionCode;
  /** Constants that the emitted code refers to; asked for after emitting. */
  declarations(): string;
  /** Bound to the name `runtime` in the emitted code; asked for after emitting. */
  readonly runtime: unknown;
}

export function createEmitter(plan: Plan, columns: readonly Column[], dictionary: Dictionary): ExpressionEmitter {
  const bytes: number[] = [];
  const slots = new Map<string, TextCode & { from: number; bytes: number }>();
  const lists: ListCursor[] = [];
  let temporaries = 0;
  const addText = (text: string): { from: number; bytes: number } => {
    const from = bytes.length;
    bytes.push(...utf8Bytes(text));
    return { from, bytes: bytes.length - from };
  };
  const access: ColumnAccess = {
    column: (index) => plan.columns[index],
    array: (index, array) => `c${index}_${array}`,
    temporary: () => `$${++temporaries}`,
    constantText: (text) => {
      const at = addText(text);
      return { heap: '$bytes', start: String(at.from), length: String(at.bytes), absent: [] };
    },
    dictionarySlot: (text) => {
      if (!slots.has(text)) slots.set(text, { ...access.constantText(text), ...addText(text) });
      return [...slots.keys()].indexOf(text);
    },
    listCursor: (column) => listCursor(lists, columns, column),
  };
  let runtime: ExpressionRuntime | null = null;
  const emitter = (expression: Expression): ExpressionCode => emitExpression(expression, access);
  return Object.defineProperty(
    Object.assign(emitter, {
      condition: (expression: Expression) => emitCondition(expression, access),
      declarations: () => DECLARATIONS,
      runtime: null as unknown,
    }),
    'runtime',
    { get: () => (runtime ??= { ...createRuntime(dictionary, bytes, [...slots.values()], lists) }) },
  );
}

const DECLARATIONS = `const $bytes = runtime.bytes, $labels = runtime.labels, $same = runtime.sameBytes, $compare = runtime.compareBytes;
const $learn = (slot, id) => runtime.learnLabel(runtime, slot, id);
const $listHas = (list, r, value) => runtime.listHas(runtime.lists[list], r, value);
const $listHasWords = (list, r, low, high) => runtime.listHasWords(runtime.lists[list], r, low, high);
const $listHasText = (list, r, heap, start, length) => runtime.listHasText(runtime.lists[list], r, heap, start, length);`;

function listCursor(lists: ListCursor[], columns: readonly Column[], index: number): number {
  const column = columns[index];
  const at = lists.findIndex((list) => list.column === column);
  if (at >= 0) return at;
  return lists.push({ column, elements: column.elements!, generation: -1, row: 0, start: 0 }) - 1;
}

/** The functions travel with the state, since generated code can import nothing. */
function createRuntime(
  dictionary: Dictionary,
  bytes: readonly number[],
  slots: readonly { from: number; bytes: number }[],
  lists: readonly ListCursor[],
): ExpressionRuntime & typeof functions {
  return {
    ...functions,
    dictionary,
    bytes: Uint8Array.from(bytes),
    // The empty string has id 0 in every dictionary.
    labels: Int32Array.from(slots, (slot) => (slot.bytes === 0 ? 0 : -1)),
    checked: new Int32Array(slots.length),
    labelStarts: Int32Array.from(slots, (slot) => slot.from),
    labelLengths: Int32Array.from(slots, (slot) => slot.bytes),
    lists,
  };
}
