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
import * as timeFunctions from './runtime-time.ts';
import type { ZoneCursor } from './runtime-time.ts';
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
  const zones = new Map<string, ZoneCursor>();
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
    zone: (name) => {
      if (!zones.has(name)) zones.set(name, zoneCursor(plan, name));
      return [...zones.keys()].indexOf(name);
    },
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
    { get: () => (runtime ??= createRuntime(dictionary, bytes, [...slots.values()], lists, [...zones.values()])) },
  );
}

const DECLARATIONS = `const $bytes = runtime.bytes, $labels = runtime.labels, $same = runtime.sameBytes, $compare = runtime.compareBytes;
const $learn = (slot, id) => runtime.learnLabel(runtime, slot, id);
const $listHas = (list, r, value) => runtime.listHas(runtime.lists[list], r, value);
const $listHasWords = (list, r, low, high) => runtime.listHasWords(runtime.lists[list], r, low, high);
const $listHasText = (list, r, heap, start, length) => runtime.listHasText(runtime.lists[list], r, heap, start, length);
const $zoneOffset = (zone, time) => runtime.zoneOffset(runtime.zones[zone], time);
const $yearOf = runtime.yearOf, $monthOf = runtime.monthOf, $dayOfMonth = runtime.dayOfMonth, $dayOfYear = runtime.dayOfYear;`;

function listCursor(lists: ListCursor[], columns: readonly Column[], index: number): number {
  const column = columns[index];
  const at = lists.findIndex((list) => list.column === column);
  if (at >= 0) return at;
  return lists.push({ column, elements: column.elements!, generation: -1, row: 0, start: 0 }) - 1;
}

function zoneCursor(plan: Plan, name: string): ZoneCursor {
  const zone = plan.zones?.find((candidate) => candidate.name === name);
  if (zone === undefined) throw new Error(`the plan has no table of the time zone: zone=${name}`);
  const [changes, offsets] = [Float64Array.from(zone.changes), Float64Array.from(zone.offsets)];
  return { changes, offsets, from: Infinity, to: -Infinity, offset: 0 };
}

/** The functions travel with the state, since generated code can import nothing. */
function createRuntime(
  dictionary: Dictionary,
  bytes: readonly number[],
  slots: readonly { from: number; bytes: number }[],
  lists: readonly ListCursor[],
  zones: readonly ZoneCursor[],
): ExpressionRuntime & typeof functions & typeof timeFunctions {
  return {
    ...functions,
    ...timeFunctions,
    dictionary,
    bytes: Uint8Array.from(bytes),
    // The empty string has id 0 in every dictionary.
    labels: Int32Array.from(slots, (slot) => (slot.bytes === 0 ? 0 : -1)),
    checked: new Int32Array(slots.length),
    labelStarts: Int32Array.from(slots, (slot) => slot.from),
    labelLengths: Int32Array.from(slots, (slot) => slot.bytes),
    lists,
    zones,
  };
}
