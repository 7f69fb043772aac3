/**
 * What one entry of the table of column kinds holds (index.ts): everything that is decided by the kind of a column. Decoder,
 * keys, expressions, blocks and the warehouse ask the table. Where a room decides for itself, it does so for every kind by
 * name.
 */

import type { Column } from '../../layout/column.ts';
import type { ColumnKind, ColumnPlan, ExpressionType, FieldPlan } from '../../plan/plan.ts';
import type { NumberCode } from '../expression/emitted-code.ts';
import type { SqlNumber } from '../sql/sql-context.ts';
import type { KeyPart } from './key-of-value.ts';

export interface Kind {
  /** Of a value in expressions. A scalar u8 that holds a bool is a condition there. */
  readonly type: ExpressionType;
  readonly storage: ColumnStorage;
  /** Its values are ids of the shared dictionary's entries. */
  readonly isInterned: boolean;
  /** Labels or names by number, where ClickHouse stores those in place of the number. */
  names(plan: ColumnPlan): readonly (readonly [number, string])[] | null;
  /** Kinds that hold every value of it: rows of it can be read as theirs. */
  readonly widensTo: readonly ColumnKind[];
  readonly clickhouse: ClickHousePart;
  readonly decode: DecodePart;
  readonly key: KeyPart;
  /** null: it is no number there. */
  readonly kernel: NumberKernel | null;
  readonly sql: NumberSql | null;
  /** null: its values lie in the heap. */
  readonly cells: RowNumberPart | null;
}

/**
 * Which of a column's arrays hold row r. `words`: two 32-bit words, of which the higher is read from `high`. `heap`: bytes
 * of the heap, from `starts` on.
 */
export type ColumnStorage =
  | { readonly form: 'narrow'; readonly array: 'u8' | 'u16' | 'u32' | 'i32' | 'f32' | 'f64' }
  | { readonly form: 'words'; readonly high: 'u32' | 'i32' }
  | { readonly form: 'heap' };

export interface ClickHousePart {
  /** Of a value that is present; LowCardinality apart. */
  readonly type: string;
  /** All types that values can become without conversion, narrower ones first. */
  readonly types: readonly string[];
  readonly isLowCardinality: boolean;
  /**
   * Clause of a scalar column: what the plan itself says, and what its table adds where the plan says nothing; '' for none.
   */
  readonly plannedCodec: string;
  readonly codec: string;
  readonly native: NativeValues;
}

/** How values lie in a Native block. `lowCardinality`: texts of numbers of so many bytes. */
export type NativeValues =
  | { readonly form: 'fixed' }
  | { readonly form: 'text' }
  | {
      readonly form: 'lowCardinality';
      readonly width: 2 | 4;
      readonly signed: boolean;
      /** The text that a number stands for; null: the dictionary's entry of that id. */
      textOf(plan: ColumnPlan): ((number: number) => string | undefined) | null;
    };

export interface DecodePart {
  /**
   * JavaScript that stores what was read of the wire: `v` of a number, `f` of a float or double, `lo` and `hi` of 64 bits,
   * `n` bytes from `p` on of a text. null: a field of that type has no place in it.
   */
  store(value: DecodedValue): string | null;
  /**
   * JavaScript that makes a row preset again. `column`: the name of the column's object, which arrays' names begin with
   * otherwise.
   */
  clear(array: string, column: string): string;
}

export interface DecodedValue {
  readonly type: Exclude<FieldPlan['type'], 'message' | 'map'>;
  readonly form: 'number' | 'long' | 'text';
  /** Number of the column, `7`; of elements `7e`. */
  readonly column: string;
  /** JavaScript name of the row or element. */
  readonly at: string;
  readonly element: boolean;
}

/**
 * A column as a number in emitted code. `array` gives the JavaScript name of one of its arrays. `asDouble`: what the
 * expression takes it for.
 */
export type NumberKernel = (array: (name: string) => string, asDouble: boolean) => Omit<NumberCode, 'absent'>;

/** A column as a number in SQL. `name`: as the query has it. */
export type NumberSql = (plan: ColumnPlan, name: string, asDouble: boolean) => Omit<SqlNumber, 'nullable'>;

export interface RowNumberPart {
  /** Row r as a number; of 64 bits the lower half, which is all that a narrower column takes. */
  read(column: Column, r: number): number;
  write(column: Column, r: number, value: number): void;
}
