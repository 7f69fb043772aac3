/**
 * What one entry of the table of functions holds (index.ts): everything that the language knows of one operation. An
 * operator such as `+` is a function, too. The checker, both compilers and the explanations ask the table and know no
 * operation by name.
 */

import type { Call } from '../../plan/expression-plan.ts';
import type { EmitContext } from '../expression/emit-context.ts';
import type { NumberCode, TextCode } from '../expression/emitted-code.ts';
import type { SqlCode, SqlContext, SqlNumber } from '../sql/sql-context.ts';
import type { CallSite } from './call-site.ts';
import type { Phrase, Writer } from './phrase.ts';
import type { Typed } from './typed.ts';

/** What a pipeline writes for an operation. Several ways of writing can mean one: getDate() and getDayOfMonth(). */
export interface WrittenForm {
  /** `startsWith`, `geo.tile`; of an operator the parser's sign: `+`, `-_`, `?:`. */
  readonly name: string;
  /** A method may be called as a function, and a function as a method, too: this says which form is usual. */
  readonly form: 'operator' | 'function' | 'method';
  /** The typed call; null after a complaint. */
  check(site: CallSite): Typed | null;
  readonly documentation: FunctionDocumentation;
  /** CEL counts from 0 what the operation counts from 1: the checker writes `operation - 1` for it. */
  readonly isLessOne?: true;
}

export interface FunctionDocumentation {
  /** `geo.tile(lat, lon, precision)`. */
  readonly syntax: string;
  readonly meaning: string;
  /** An expression, and its value as an expression; null where it depends on the event. */
  readonly example: readonly [expression: string, value: string | null];
}

/** Where the operation is a number: an integer, a double or a time. */
export interface NumberPart {
  kernel(context: EmitContext, call: Call): NumberCode;
  sql(context: SqlContext, call: Call): SqlNumber;
}

/** Where it is a string or bytes. */
export interface TextPart {
  kernel(context: EmitContext, call: Call): TextCode;
  sql(context: SqlContext, call: Call): SqlCode;
}

/** How a condition is put together of others. */
export type CompoundKind = 'and' | 'or' | 'not' | 'conditional';

/** Where it is true or false. */
export interface ConditionPart {
  /** The JavaScript condition under which it is what is wanted. Where it is absent it is neither. */
  kernel(context: EmitContext, call: Call, wanted: boolean): string;
  /** Whether it has a value on every row. */
  neverAbsent(context: EmitContext, call: Call): boolean;
  sql(context: SqlContext, call: Call): SqlCode;
  /** Explanations show its operands as conditions of their own; null: it is a test, whose values they show. */
  readonly compound: CompoundKind | null;
}

/**
 * Whether ClickHouse repeats it to the last bit. `inexact`: libraries differ. `zoned`: outside UTC, since tables of zones
 * differ by their year. `list`: the list that it asks is replaced while the engine runs. What cannot be repeated is stored
 * with the row.
 */
export type Repeats = 'exact' | 'inexact' | 'zoned' | 'list';

interface Common {
  /** None: the compiler alone makes it. */
  readonly written: readonly WrittenForm[];
  readonly repeats: Repeats;
  /** As a pipeline file writes it, for explanations. */
  phrase(call: Call, writer: Writer): Phrase;
}

export interface NumberFunction extends Common {
  readonly number: NumberPart;
  readonly text?: never;
  readonly condition?: never;
}

export interface TextFunction extends Common {
  readonly number?: never;
  readonly text: TextPart;
  readonly condition?: never;
}

export interface ConditionFunction extends Common {
  readonly number?: never;
  readonly text?: never;
  readonly condition: ConditionPart;
}

/** Of whatever type its operands are. */
export interface GenericFunction extends Common {
  readonly number: NumberPart;
  readonly text: TextPart;
  readonly condition: ConditionPart;
}

export type ExpressionFunction = NumberFunction | TextFunction | ConditionFunction | GenericFunction;
