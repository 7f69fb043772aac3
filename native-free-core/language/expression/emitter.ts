/**
 * The expression compiler as keys, kernels and rules use it: one emitter for each function that is generated. It hands
 * out names, gathers what the emitted code refers to, and makes the runtime that the code is bound to.
 */

import type { Column } from '../../layout/column.ts';
import { columnAt, slotOf, VIEWS_FROM, type Expression, type Plan } from '../../plan/plan.ts';
import type { Dictionary } from '../../state/dictionary.ts';
import type { KeyList } from '../../state/key-list.ts';
import { compilePattern } from '../pattern/automaton.ts';
import type { ColumnAccess } from './emit-context.ts';
import type { TextCode } from './emitted-code.ts';
import { DECLARATIONS, openRuntime, rememberedDeclaration } from './declarations.ts';
import { emitCondition, emitExpression, emitTextValue, type ExpressionCode, type TextValueCode } from './emit.ts';
import { entryText } from './emit-text.ts';
import { openLists } from './list-entries.ts';
import type { ListCursor } from './runtime.ts';
import type { ZoneCursor } from './runtime-time.ts';
import { encodeUtf8 } from './constant-utf8.ts';
import type { LabelSlot, Gathered } from './gathered.ts';

/** Emitted code names column arrays `c<index>_<array>` (for example `c12_f64`, `c12_nulls`) and the row `r`. */
export interface ExpressionEmitter {
  (expression: Expression): ExpressionCode;
  /** Whether the expression is true; `absent` is null. Cheaper than value and absence where only truth counts. */
  condition(expression: Expression): ExpressionCode;
  /** The bytes of a string or bytes expression. */
  text(expression: Expression): TextValueCode;
  /** Constants that the emitted code refers to; asked for after emitting. */
  declarations(): string;
  /** Bound to the name `runtime` in the emitted code; asked for after emitting. */
  readonly runtime: unknown;
}

/** `keyLists`: in the order of `Plan.lists`; without them the lists are as the plan was compiled with. */
export function createEmitter(
  plan: Plan,
  columns: readonly Column[],
  dictionary: Dictionary,
  keyLists: readonly KeyList[] = openLists(plan),
): ExpressionEmitter {
  const gathered: Gathered = {
    bytes: [],
    slots: new Map(),
    lists: [],
    zones: new Map(),
    automata: new Map(),
    remembered: [],
    scratchBytes: 0,
    temporaries: 0,
  };
  const access = accessOf(plan, columns, gathered);
  let runtime: unknown = null;
  const emitter = (expression: Expression): ExpressionCode => emitExpression(expression, access);
  return Object.defineProperty(
    Object.assign(emitter, {
      condition: (expression: Expression) => emitCondition(expression, access),
      text: (expression: Expression) => emitTextValue(expression, access),
      declarations: () => [DECLARATIONS, ...gathered.remembered.map(rememberedDeclaration)].join('\n'),
      runtime: null as unknown,
    }),
    'runtime',
    { get: () => (runtime ??= openRuntime(gathered, dictionary, keyLists)) },
  );
}

function accessOf(plan: Plan, columns: readonly Column[], gathered: Gathered): ColumnAccess {
  const { slots } = gathered;
  return {
    column: (index) => columnAt(plan, index),
    elsewhere: (index) =>
      index < VIEWS_FROM ? null : `c${plan.system.type}_u16[r] !== ${columnAt(plan, index).branch}`,
    array: (index, array) => `c${slotOf(plan, index)}_${array}`,
    temporary: () => `$${++gathered.temporaries}`,
    constantText: (text) => constantText(gathered, text),
    dictionarySlot: (text) => {
      if (!slots.has(text)) slots.set(text, addText(gathered, text));
      return [...slots.keys()].indexOf(text);
    },
    listCursor: (column) => listCursor(gathered.lists, columns, column),
    zone: (name) => numberIn(gathered.zones, name, () => zoneCursor(plan, name)),
    automaton: (pattern) => numberIn(gathered.automata, pattern, () => compilePattern(pattern)),
    keyList: (name) => {
      const index = plan.lists?.findIndex((list) => list.name === name) ?? -1;
      if (index < 0) throw new Error(`the plan has no such list: list=${name}`);
      return index;
    },
    scratch: (bytes) => (gathered.scratchBytes += bytes) - bytes,
    remembered: (id, holds) => {
      const source = holds(entryText('id', []));
      const known = gathered.remembered.indexOf(source);
      const memory = known >= 0 ? known : gathered.remembered.push(source) - 1;
      return `($known${memory}[${id}] !== 0 ? $known${memory}[${id}] === 2 : $decide${memory}(${id}))`;
    },
  };
}

function addText(gathered: Gathered, text: string): LabelSlot {
  const from = gathered.bytes.length;
  for (const byte of encodeUtf8(text)) gathered.bytes.push(byte);
  return { from, bytes: gathered.bytes.length - from };
}

function constantText(gathered: Gathered, text: string): TextCode {
  const { from, bytes } = addText(gathered, text);
  return { heap: '$bytes', start: String(from), length: String(bytes), absent: [] };
}

/** The number of a name among those gathered, adding it where it is new. */
function numberIn<T>(all: Map<string, T>, name: string, make: () => T): number {
  if (!all.has(name)) all.set(name, make());
  return [...all.keys()].indexOf(name);
}

function listCursor(lists: ListCursor[], columns: readonly Column[], index: number): number {
  const column = columns[index];
  const at = lists.findIndex((list) => list.column === column);
  if (at >= 0) return at;
  return lists.push({ column, elements: column.elements!, generation: -1, row: 0, start: 0 }) - 1;
}

/** Throws where the plan has no such zone. */
export function zoneCursor(plan: Plan, name: string): ZoneCursor {
  const zone = plan.zones?.find((candidate) => candidate.name === name);
  if (zone === undefined) throw new Error(`the plan has no table of the time zone: zone=${name}`);
  const [changes, offsets] = [Float64Array.from(zone.changes), Float64Array.from(zone.offsets)];
  return { changes, offsets, from: Infinity, to: -Infinity, offset: 0 };
}
