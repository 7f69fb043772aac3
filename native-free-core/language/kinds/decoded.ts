/** JavaScript that puts a decoded value into its column, and makes a row preset again: what several kinds have in common. */

import type { DecodedValue, DecodePart } from './kind.ts';

const UNSIGNED: ReadonlySet<DecodedValue['type']> = new Set(['uint32', 'fixed32', 'bool']);

/** Of a varint or four bytes, for fields of these types. */
export function storeNumber(name: string, types: readonly DecodedValue['type'][]): DecodePart['store'] {
  return ({ type, column, at }) => (types.includes(type) ? `c${column}_${name}[${at}] = v;` : null);
}

export function isReal(type: DecodedValue['type']): boolean {
  return type === 'float' || type === 'double';
}

export function storeReal(name: 'f32' | 'f64'): DecodePart['store'] {
  return ({ type, column, at }) => (isReal(type) ? `c${column}_${name}[${at}] = f;` : null);
}

/** Into an i32: whatever is a number on the wire and no real one. */
export const storeSigned: DecodePart['store'] = ({ type, form, column, at }) =>
  !isReal(type) && form === 'number' ? `c${column}_i32[${at}] = v;` : null;

/** Into two words; a number of 32 bits is extended by its sign. */
export const storeWords: DecodePart['store'] = ({ type, form, column, at }) => {
  if (isReal(type) || form === 'text') return null;
  const [low, high] = form === 'long' ? ['lo', 'hi'] : ['v', UNSIGNED.has(type) ? '0' : 'v >> 31'];
  return `c${column}_i32[2 * ${at}] = ${low}; c${column}_i32[2 * ${at} + 1] = ${high};`;
};

/** Into the heap. */
export const storeText: DecodePart['store'] = ({ type, form, column, at, element }) =>
  form !== 'text'
    ? null
    : `r = ${element ? 'pushText' : 'putText'}(t${column}, bytes, view, p, n, ${at}, ${type === 'string'});
if (r < 0) return r;
p = (p + n) | 0;`;

export function clearNumber(name: string): DecodePart['clear'] {
  return (array) => `${array}_${name}[row] = 0;`;
}

export const clearWords: DecodePart['clear'] = (array) => `${array}_i32[2 * row] = 0; ${array}_i32[2 * row + 1] = 0;`;

export const clearTextCode: DecodePart['clear'] = (_, column) => `clearText(${column}, row);`;
