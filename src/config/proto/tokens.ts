/**
 * Cuts a .proto file into tokens as protoc's tokenizer does, and keeps its comments, which become comments of columns.
 * Used by parse-file.ts, when a pipeline is loaded.
 */

import { protoProblem, type ProtoFile } from './place.ts';

export interface ProtoToken {
  readonly kind: 'name' | 'integer' | 'float' | 'string' | 'symbol' | 'end';
  /** As written; of a string what it means. */
  readonly text: string;
  readonly offset: number;
  readonly line: number;
}

export interface Comment {
  /** First and last line that it stands on, counted from 1. */
  readonly line: number;
  readonly lastLine: number;
  /** Nothing but white space stands before it on its line. */
  readonly leading: boolean;
  /** Begins with two slashes. */
  readonly isLine: boolean;
  readonly text: string;
}

export interface Tokens {
  readonly tokens: readonly ProtoToken[];
  readonly comments: readonly Comment[];
}

const SPACE = /[ \t\r\n\v\f]+/y;
const LINE_COMMENT = /\/\/[^\n]*/y;
const BLOCK_COMMENT = /\/\*[\s\S]*?\*\//y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*'/y;
const ESCAPE =
  /\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U(00[01][0-9a-fA-F]{5})|([abfnrtv\\?'"])|([\s\S]))/g;
const PLAIN_ESCAPES = new Map(Object.entries({ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }));

export function tokenize(file: ProtoFile): Tokens {
  const { text } = file;
  const tokens: ProtoToken[] = [];
  const comments: Comment[] = [];
  let offset = text.startsWith('\uFEFF') ? 1 : 0;
  let line = 1;
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = offset;
    return pattern.exec(text)?.[0] ?? null;
  };
  const push = (kind: ProtoToken['kind'], source: string, meaning = source): void => {
    tokens.push({ kind, text: meaning, offset, line });
    offset += source.length;
  };
  while (offset < text.length) {
    const blank = take(SPACE) ?? take(LINE_COMMENT) ?? take(BLOCK_COMMENT);
    if (blank !== null) {
      if (blank.startsWith('/')) comments.push(commentAt(text, offset, line, blank));
      offset += blank.length;
      line += blank.split('\n').length - 1;
      continue;
    }
    if (text.startsWith('/*', offset)) throw protoProblem({ file, offset }, 'this comment has no end');
    const name = take(NAME);
    if (name !== null) {
      push('name', name);
      continue;
    }
    const number = take(NUMBER);
    if (number !== null) {
      pushNumber(file, number, offset, push);
      continue;
    }
    const string = take(STRING);
    if (string !== null) push('string', string, unescaped(file, offset, string));
    else if (/["']/.test(text[offset]!)) throw protoProblem({ file, offset }, 'this text has no end on its line');
    else if (/[\x21-\x7e]/.test(text[offset]!)) push('symbol', text[offset]!);
    else throw protoProblem({ file, offset }, 'a character that is none of the language’s');
  }
  tokens.push({ kind: 'end', text: 'the end of the file', offset, line });
  return { tokens, comments: joined(comments) };
}

function pushNumber(
  file: ProtoFile,
  number: string,
  offset: number,
  push: (kind: ProtoToken['kind'], source: string) => void,
): void {
  const behind = file.text[offset + number.length] ?? '';
  if (/[A-Za-z0-9_.]/.test(behind)) throw protoProblem({ file, offset }, 'not a number');
  const isHex = /^0[xX]/.test(number);
  const isFloat = !isHex && /[.eE]/.test(number);
  if (!isFloat && !isHex && /^0\d*[89]/.test(number)) {
    throw protoProblem({ file, offset }, 'a number that begins with 0 is octal and has no 8 or 9');
  }
  push(isFloat ? 'float' : 'integer', number);
}

function unescaped(file: ProtoFile, offset: number, source: string): string {
  return source.slice(1, -1).replace(ESCAPE, (escape: string, ...groups: (string | undefined)[]) => {
    const [octal, hex, short, long, plain] = groups;
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 255);
    const code = hex ?? short ?? long;
    if (code !== undefined) return String.fromCodePoint(Math.min(Number.parseInt(code, 16), 0x10ffff));
    if (plain !== undefined) return PLAIN_ESCAPES.get(plain) ?? plain;
    throw protoProblem({ file, offset }, `unknown escape ${escape} in a text`);
  });
}

function commentAt(text: string, offset: number, line: number, source: string): Comment {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const isLine = source.startsWith('//');
  const body = isLine ? source.slice(2) : source.slice(2, -2);
  const lines = body.split('\n').map((one) => one.replace(/^\s*\*?\/*/, '').trim());
  return {
    line,
    lastLine: line + lines.length - 1,
    leading: text.slice(lineStart, offset).trim() === '',
    isLine,
    text: lines.join('\n').trim(),
  };
}

/** Line comments that stand alone on lines that follow one another are one. */
function joined(comments: readonly Comment[]): Comment[] {
  const result: Comment[] = [];
  for (const comment of comments) {
    const last = result.at(-1);
    const follows = last !== undefined && last.lastLine + 1 === comment.line;
    if (!follows || ![last, comment].every((one) => one.leading && one.isLine)) result.push(comment);
    else result[result.length - 1] = { ...last, lastLine: comment.lastLine, text: `${last.text}\n${comment.text}` };
  }
  return result;
}
