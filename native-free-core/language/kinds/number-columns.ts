/** Columns as numbers in kernels, in SQL and one by one: what kinds of the same storage have in common. */

import { EXACT_LIMIT } from '../exact-limit.ts';
import { WORD } from '../../base/words.ts';
import type { NumberCode } from '../expression/emitted-code.ts';
import { type SqlNumber } from '../sql/sql-context.ts';
import type { RowNumberPart, NumberKernel, NumberSql } from './kind.ts';

export const INT32_BOUND = 2147483648;
export const UINT32_BOUND = 4294967295;

/** Integers of up to 32 bits. */
export function narrowKernel(name: string, bound: number): NumberKernel {
  return (array) => integerColumn(`${array(name)}[r]`, bound);
}

export function integerColumn(value: string, bound: number): Omit<NumberCode, 'absent'> {
  return { value, bound, integer: true, wild: false, words: null };
}

export function doubleColumn(value: string): Omit<NumberCode, 'absent'> {
  return { value, bound: Infinity, integer: false, wild: true, words: null };
}

export function narrowSql(bound: number): NumberSql {
  return (_, name) => ({ sql: name, type: 'narrow', bound });
}

export function doubleSql(sql: string): Omit<SqlNumber, 'nullable'> {
  return { sql, type: 'Float64', bound: Infinity, wild: true };
}

/** 64-bit integers keep their two words, so that they can be compared exactly. */
export function wideKernel(high: 'u32' | 'i32'): NumberKernel {
  return (array) => {
    const words = { low: `${array('u32')}[2 * r]`, high: `${array(high)}[2 * r + 1]` };
    return { value: `(${words.high} * ${WORD} + ${words.low})`, bound: Infinity, integer: true, wild: false, words };
  };
}

export const readLow: RowNumberPart['read'] = (column, r) => column.u32[2 * r];

export const writeWide: RowNumberPart['write'] = (column, r, value) => {
  column.u32[2 * r] = value;
  column.i32[2 * r + 1] = Math.floor(value / WORD);
};

/** A computed integer is stored as a double; those beyond 2^53 are absent already. */
export const COMPUTED_BOUND = EXACT_LIMIT - 1;
