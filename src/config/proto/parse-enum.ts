/** Enums. Used by parse-message.ts. */

import {
  accept,
  expect,
  peekToken,
  placeOf,
  takeCommentBefore,
  takeInteger,
  takeName,
  unexpected,
  type Cursor,
} from './cursor.ts';
import {
  ENUM_NUMBER_MAX,
  ENUM_NUMBER_MIN,
  parseInlineOptions,
  parseOptionStatement,
  parseReserved,
} from './parse-options.ts';
import type { EnumSyntax } from './proto-syntax.ts';

/** Behind `enum`. */
export function parseEnum(cursor: Cursor): EnumSyntax {
  takeCommentBefore(cursor, peekToken(cursor));
  const name = takeName(cursor, 'the enum’s name');
  const result: EnumSyntax = { name, values: [], options: [], reserved: { ranges: [], names: [] } };
  expect(cursor, '{');
  while (!accept(cursor, '}')) {
    if (peekToken(cursor).kind === 'end') throw unexpected(cursor, '"}"');
    if (accept(cursor, ';')) continue;
    if (accept(cursor, 'option')) result.options.push(parseOptionStatement(cursor));
    else if (accept(cursor, 'reserved')) parseReserved(cursor, result.reserved, ENUM_NUMBER_MIN, ENUM_NUMBER_MAX);
    else result.values.push(parseValue(cursor));
  }
  return result;
}

function parseValue(cursor: Cursor): EnumSyntax['values'][number] {
  const name = takeName(cursor, 'the name of an enum’s value');
  expect(cursor, '=');
  const place = placeOf(cursor);
  const number = takeInteger(cursor, 'the number of an enum’s value', ENUM_NUMBER_MIN, ENUM_NUMBER_MAX);
  parseInlineOptions(cursor);
  expect(cursor, ';');
  return { name, number, place };
}
