/** Constants as ClickHouse reads them. */

import { lookup } from '../../base/lookup.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '\0': '\\0',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** Lone surrogates become the replacement character, as in the core's own constants. */
export function textLiteral(text: string): string {
  const escaped = text.toWellFormed().replace(/[\\'\0\n\r\t]/g, (character) => lookup(ESCAPES, character)!);
  return `'${escaped}'`;
}

/** A Float64: digits alone would be an integer. */
export function doubleLiteral(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '(-inf)';
  const digits = Object.is(value, -0) ? '-0' : String(value);
  const text = /[.e]/.test(digits) ? digits : `${digits}.0`;
  return text.startsWith('-') ? `(${text})` : text;
}

export function integerLiteral(value: bigint | number): string {
  return value < 0 ? `(${value})` : String(value);
}
