/** Messages, their fields, and `extend`. Used by parse-file.ts. */

import {
  accept,
  expect,
  isAt,
  next,
  peekToken,
  placeOf,
  takeComment,
  takeCommentBefore,
  takeInteger,
  takeName,
  takePath,
  unexpected,
  type Cursor,
} from './cursor.ts';
import { parseEnum } from './parse-enum.ts';
import { FIELD_NUMBER_MAX, parseInlineOptions, parseOptionStatement, parseReserved } from './parse-options.ts';
import { protoProblem } from './place.ts';
import type { BodySyntax, ExtendSyntax, FieldSyntax, MessageSyntax, OneofSyntax } from './proto-syntax.ts';

/** protoc's own bound. */
const NESTED_MESSAGES_MAX = 32;

export function emptyBody(): BodySyntax {
  return { messages: [], enums: [], extends: [], options: [] };
}

/** What may stand in a file and in a message alike; false: something else begins here. */
export function parseBodyStatement(cursor: Cursor, body: BodySyntax, depth: number): boolean {
  if (accept(cursor, ';')) return true;
  if (accept(cursor, 'message')) body.messages.push(parseMessage(cursor, depth + 1));
  else if (accept(cursor, 'enum')) body.enums.push(parseEnum(cursor));
  else if (accept(cursor, 'extend')) body.extends.push(parseExtend(cursor));
  else if (accept(cursor, 'option')) body.options.push(parseOptionStatement(cursor));
  else return false;
  return true;
}

/** Behind `message`. */
function parseMessage(cursor: Cursor, depth: number): MessageSyntax {
  if (depth > NESTED_MESSAGES_MAX)
    throw protoProblem(placeOf(cursor), `messages nested deeper than ${NESTED_MESSAGES_MAX}`);
  takeCommentBefore(cursor, peekToken(cursor));
  const message: MessageSyntax = {
    ...emptyBody(),
    name: takeName(cursor, 'the message’s name'),
    fields: [],
    oneofs: [],
    reserved: { ranges: [], names: [] },
  };
  expect(cursor, '{');
  while (!accept(cursor, '}')) {
    if (peekToken(cursor).kind === 'end') throw unexpected(cursor, '"}"');
    if (parseBodyStatement(cursor, message, depth)) continue;
    if (accept(cursor, 'reserved')) parseReserved(cursor, message.reserved, 1, FIELD_NUMBER_MAX);
    else if (accept(cursor, 'oneof')) parseOneof(cursor, message);
    else if (isAt(cursor, 'extensions')) throw protoProblem(placeOf(cursor), 'proto3 has no extension ranges');
    else message.fields.push(parseField(cursor, null));
  }
  return message;
}

/** Behind `oneof`. */
function parseOneof(cursor: Cursor, message: MessageSyntax): void {
  takeCommentBefore(cursor, peekToken(cursor));
  const oneof: OneofSyntax = { name: takeName(cursor, 'the oneof’s name') };
  const before = message.fields.length;
  expect(cursor, '{');
  while (!accept(cursor, '}')) {
    if (accept(cursor, 'option')) parseOptionStatement(cursor);
    else if (!accept(cursor, ';')) message.fields.push(parseField(cursor, oneof));
  }
  if (message.fields.length === before) throw protoProblem(oneof.name.place, 'a oneof needs at least one field');
  message.oneofs.push(oneof);
}

/** Behind `extend`. */
function parseExtend(cursor: Cursor): ExtendSyntax {
  const extendee = takePath(cursor, 'the name of a message', true);
  const fields: FieldSyntax[] = [];
  expect(cursor, '{');
  while (!accept(cursor, '}')) {
    const field = parseField(cursor, null);
    if (field.mapKey !== null) throw protoProblem(field.name.place, 'a map cannot extend a message');
    fields.push(field);
  }
  return { extendee, fields };
}

function parseField(cursor: Cursor, oneof: OneofSyntax | null): FieldSyntax {
  const start = placeOf(cursor);
  const label = parseLabel(cursor);
  if (label !== '' && oneof !== null) throw protoProblem(start, `a field of a oneof cannot be ${label}`);
  const { type, mapKey } = parseFieldType(cursor);
  if (mapKey !== null && label !== '') throw protoProblem(start, `a map cannot be ${label}`);
  if (mapKey !== null && oneof !== null) throw protoProblem(start, 'a oneof cannot have a map');
  const name = takeName(cursor, 'the field’s name');
  expect(cursor, '=');
  const numberToken = peekToken(cursor);
  const numberPlace = placeOf(cursor);
  const number = takeInteger(cursor, 'a field’s number', 0, FIELD_NUMBER_MAX);
  const options = parseInlineOptions(cursor);
  expect(cursor, ';');
  const comment = takeComment(cursor, numberToken);
  return { label, type, mapKey, name, number, numberPlace, options, oneof, comment };
}

function parseLabel(cursor: Cursor): FieldSyntax['label'] {
  if (isAt(cursor, 'required')) throw protoProblem(placeOf(cursor), 'proto3 has no required fields');
  return isAt(cursor, 'optional') || isAt(cursor, 'repeated') ? (next(cursor).text as FieldSyntax['label']) : '';
}

function parseFieldType(cursor: Cursor): Pick<FieldSyntax, 'type' | 'mapKey'> {
  if (isAt(cursor, 'group')) throw protoProblem(placeOf(cursor), 'proto3 has no groups');
  const isMap = isAt(cursor, 'map') && cursor.tokens[cursor.at + 1]?.text === '<';
  if (!isMap) return { type: takePath(cursor, 'a field', true), mapKey: null };
  next(cursor);
  expect(cursor, '<');
  const mapKey = takePath(cursor, 'the type of the map’s keys', true);
  expect(cursor, ',');
  const type = takePath(cursor, 'the type of the map’s values', true);
  expect(cursor, '>');
  return { type, mapKey };
}
