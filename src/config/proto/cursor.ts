/**
 * A place in the tokens of a .proto file, and the steps that every part of the parser takes. Used by the parse-*.ts files.
 */

import { protoProblem, type Place, type ProtoFile, type ProtoProblem } from './place.ts';
import type { Word } from './proto-syntax.ts';
import { tokenize, type ProtoToken } from './tokens.ts';

export interface Cursor {
  readonly file: ProtoFile;
  readonly tokens: readonly ProtoToken[];
  /** Comments that nothing has taken yet: those of lines of their own by their last line, the others by their line. */
  readonly before: Map<number, string>;
  readonly behind: Map<number, string>;
  at: number;
}

export function openCursor(file: ProtoFile): Cursor {
  const { tokens, comments } = tokenize(file);
  const before = new Map<number, string>();
  const behind = new Map<number, string>();
  for (const one of comments) {
    if (one.leading) before.set(one.lastLine, one.text);
    else if (!behind.has(one.line)) behind.set(one.line, one.text);
  }
  return { file, tokens, before, behind, at: 0 };
}

export function peekToken(cursor: Cursor): ProtoToken {
  return cursor.tokens[cursor.at]!;
}

/** The end is never passed. */
export function next(cursor: Cursor): ProtoToken {
  const token = peekToken(cursor);
  if (token.kind !== 'end') cursor.at++;
  return token;
}

export function placeOf(cursor: Cursor, token: ProtoToken = peekToken(cursor)): Place {
  return { file: cursor.file, offset: token.offset };
}

export function unexpected(cursor: Cursor, wanted: string): ProtoProblem {
  const token = peekToken(cursor);
  const found = token.kind === 'end' ? token.text : JSON.stringify(token.text);
  return protoProblem(placeOf(cursor), `expected ${wanted}, found ${found}`);
}

/** Whether the next token is this word or sign; texts do not count. */
export function isAt(cursor: Cursor, text: string): boolean {
  const token = peekToken(cursor);
  return token.text === text && (token.kind === 'name' || token.kind === 'symbol');
}

export function accept(cursor: Cursor, text: string): boolean {
  if (!isAt(cursor, text)) return false;
  cursor.at++;
  return true;
}

export function expect(cursor: Cursor, text: string): void {
  if (!accept(cursor, text)) throw unexpected(cursor, `"${text}"`);
}

/** A name that something is given. */
export function takeName(cursor: Cursor, wanted: string): Word {
  const token = peekToken(cursor);
  if (token.kind !== 'name') throw unexpected(cursor, wanted);
  if (token.text === '__proto__') {
    throw protoProblem(placeOf(cursor), 'nothing can be called __proto__ here: JavaScript loses such a name');
  }
  cursor.at++;
  return { text: token.text, place: placeOf(cursor, token) };
}

/** `a.b.c`, with a leading dot where a type is meant. */
export function takePath(cursor: Cursor, wanted: string, leadingDot: boolean): Word {
  const place = placeOf(cursor);
  let text = leadingDot && accept(cursor, '.') ? '.' : '';
  text += takeName(cursor, wanted).text;
  while (accept(cursor, '.')) text += `.${takeName(cursor, wanted).text}`;
  return { text, place };
}

export function takeText(cursor: Cursor, wanted: string): Word {
  if (peekToken(cursor).kind !== 'string') throw unexpected(cursor, wanted);
  const place = placeOf(cursor);
  let text = '';
  while (peekToken(cursor).kind === 'string') text += next(cursor).text;
  return { text, place };
}

/** An integer from `min` to `max`; both are below 2^53. */
export function takeInteger(cursor: Cursor, wanted: string, min: number, max: number): number {
  const place = placeOf(cursor);
  const negative = min < 0 && accept(cursor, '-');
  const token = peekToken(cursor);
  if (token.kind !== 'integer') throw unexpected(cursor, wanted);
  cursor.at++;
  const magnitude = /^0[0-7]+$/.test(token.text) ? Number.parseInt(token.text, 8) : Number(token.text);
  const value = negative ? -magnitude : magnitude;
  if (value < min || value > max)
    throw protoProblem(place, `${wanted} is out of range: ${negative ? '-' : ''}${token.text}`);
  return value === 0 ? 0 : value;
}

/** The comment on the line before the token's, or else behind it; what has been taken is not given again. */
export function takeComment(cursor: Cursor, token: ProtoToken): string {
  return takeFrom(cursor.before, token.line - 1) ?? takeFrom(cursor.behind, token.line) ?? '';
}

/** Of what has a block: a comment behind its brace may be about anything. */
export function takeCommentBefore(cursor: Cursor, token: ProtoToken): void {
  takeFrom(cursor.before, token.line - 1);
}

function takeFrom(comments: Map<number, string>, line: number): string | undefined {
  const text = comments.get(line);
  comments.delete(line);
  return text;
}
