/** Options and what is reserved. Custom options are read over: nothing here goes by them. Used by the parse-*.ts files. */

import {
  accept,
  expect,
  isAt,
  next,
  peekToken,
  placeOf,
  takeInteger,
  takeName,
  takePath,
  takeText,
  unexpected,
  type Cursor,
} from './cursor.ts';
import { protoProblem } from './place.ts';
import type { OptionSyntax, ReservedSyntax, Word } from './proto-syntax.ts';

/** Highest number of a field, 2^29 - 1. */
export const FIELD_NUMBER_MAX = 0x1fffffff;
export const ENUM_NUMBER_MIN = -0x80000000;
export const ENUM_NUMBER_MAX = 0x7fffffff;

/** Behind `option`. */
export function parseOptionStatement(cursor: Cursor): OptionSyntax {
  const option = parseOption(cursor);
  expect(cursor, ';');
  return option;
}

/** `[a = 1, b = 2]`, where it stands. */
export function parseInlineOptions(cursor: Cursor): OptionSyntax[] {
  const options: OptionSyntax[] = [];
  if (!accept(cursor, '[')) return options;
  do options.push(parseOption(cursor));
  while (accept(cursor, ','));
  expect(cursor, ']');
  return options;
}

function parseOption(cursor: Cursor): OptionSyntax {
  const name = parseOptionName(cursor);
  expect(cursor, '=');
  const place = placeOf(cursor);
  if (isAt(cursor, '{')) {
    skipBraces(cursor);
    return { name, value: { text: '', place }, isText: false };
  }
  if (peekToken(cursor).kind === 'string') return { name, value: takeText(cursor, 'a text'), isText: true };
  const sign = accept(cursor, '-') ? '-' : '';
  const token = peekToken(cursor);
  if (token.kind !== 'integer' && token.kind !== 'float' && token.kind !== 'name') {
    throw unexpected(cursor, 'the option’s value');
  }
  next(cursor);
  return { name, value: { text: sign + token.text, place }, isText: false };
}

function parseOptionName(cursor: Cursor): Word {
  const place = placeOf(cursor);
  let text = '';
  do {
    if (text !== '') text += '.';
    if (accept(cursor, '(')) {
      text += `(${takePath(cursor, 'an option’s name', true).text})`;
      expect(cursor, ')');
    } else text += takeName(cursor, 'an option’s name').text;
  } while (accept(cursor, '.'));
  return { text, place };
}

function skipBraces(cursor: Cursor): void {
  let depth = 0;
  do {
    if (peekToken(cursor).kind === 'end') throw unexpected(cursor, '"}"');
    if (isAt(cursor, '{')) depth++;
    if (isAt(cursor, '}')) depth--;
    next(cursor);
  } while (depth > 0);
}

/** Behind `reserved`. */
export function parseReserved(cursor: Cursor, reserved: ReservedSyntax, min: number, max: number): void {
  if (peekToken(cursor).kind === 'string') {
    do reserved.names.push(takeText(cursor, 'a name in quotes'));
    while (accept(cursor, ','));
  } else if (peekToken(cursor).kind === 'name') {
    throw protoProblem(placeOf(cursor), 'reserved names stand in quotes in proto3');
  } else {
    do {
      const place = placeOf(cursor);
      const first = takeInteger(cursor, 'a reserved number', min, max);
      const isRange = accept(cursor, 'to');
      const last = !isRange ? first : accept(cursor, 'max') ? max : takeInteger(cursor, 'a reserved number', min, max);
      if (last < first) throw protoProblem(place, `a range that ends before it begins: ${first} to ${last}`);
      reserved.ranges.push({ first, last, place });
    } while (accept(cursor, ','));
  }
  expect(cursor, ';');
}
