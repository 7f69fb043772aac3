/**
 * ClickHouse's lexical grammar, as far as the front must know it: where strings, comments and quoted names begin and end. It
 * follows the engine's own lexer; where the two could disagree the token is `odd`, and the guard refuses it. Child process.
 *
 *     'a\'b' 'a''b' ‘a’  string      "a" `a` “a”  quoted name      $tag$ ... $tag$  heredoc
 *     -- // #! #␣         comment to the end of the line            slash-star to star-slash  comment, not nested
 */

import { lookup } from '../../native-free-core/base/lookup.ts';

export type TokenKind = 'word' | 'quoted' | 'string' | 'number' | 'symbol' | 'odd' | 'end';

export interface SqlToken {
  readonly kind: TokenKind;
  /** For words and quoted names the name itself; otherwise the text as written. */
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

const BLANK = /[\s\u00a0\u200b\u2060\ufeff\u180e]/;
const WORD_START = /[A-Za-z_$]/;
const WORD = /[A-Za-z0-9_$]*/y;
const NUMBER = /0[xX][0-9a-fA-F]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9]+)?/y;
const HEREDOC_TAG = /\$[A-Za-z0-9_]*\$/y;

/** The token at or after `position`. Blanks and comments are skipped. */
export function nextToken(text: string, position: number): SqlToken {
  const start = skipBlanks(text, position);
  if (start >= text.length) return { kind: 'end', value: '', start: text.length, end: text.length };
  const character = text[start] ?? '';
  if (character === "'") return quotedToken(text, start, "'", 'string');
  if (character === '"' || character === '`') return quotedToken(text, start, character, 'quoted');
  if (character === '\u2018') return curlyToken(text, start, '\u2019', 'string');
  if (character === '\u201c') return curlyToken(text, start, '\u201d', 'quoted');
  if (character === '$') return dollarToken(text, start);
  if (WORD_START.test(character)) return matched(text, start, WORD, 'word');
  if (character >= '0' && character <= '9') return matched(text, start, NUMBER, 'number');
  const code = text.charCodeAt(start);
  if (code < 32 || code > 126) return { kind: 'odd', value: character, start, end: start + 1 };
  return { kind: 'symbol', value: character, start, end: start + 1 };
}

/** All tokens up to the end; the closing `end` token is not among them. */
export function tokensOf(text: string): SqlToken[] {
  const tokens: SqlToken[] = [];
  for (let token = nextToken(text, 0); token.kind !== 'end'; token = nextToken(text, token.end)) tokens.push(token);
  return tokens;
}

/** Whether the token is this keyword; quoted names never are. */
export function isKeyword(token: SqlToken | undefined, keyword: string): boolean {
  return token !== undefined && token.kind === 'word' && token.value.toUpperCase() === keyword;
}

export function isSymbol(token: SqlToken | undefined, symbol: string): boolean {
  return token !== undefined && token.kind === 'symbol' && token.value === symbol;
}

export function isName(token: SqlToken | undefined): token is SqlToken {
  return token !== undefined && (token.kind === 'word' || token.kind === 'quoted');
}

/** What a string literal stands for. */
export function stringValue(literal: string): string {
  return unescape(literal.slice(1, -1), literal[0] ?? "'");
}

/** A string literal that stands for the value. */
export function stringLiteral(value: string): string {
  return `'${value.replace(/\\/g, '\\\\').replace(/'/g, "\\'").replace(/\0/g, '\\0')}'`;
}

export function nameLiteral(name: string): string {
  return `\`${name.replace(/\\/g, '\\\\').replace(/`/g, '\\`').replace(/\0/g, '\\0')}\``;
}

function skipBlanks(text: string, position: number): number {
  let at = position;
  for (;;) {
    const character = text[at];
    if (character === undefined) return at;
    if (BLANK.test(character)) {
      at += 1;
    } else if (text.startsWith('/*', at)) {
      const close = text.indexOf('*/', at + 2);
      if (close < 0) return at;
      at = close + 2;
    } else if (startsLineComment(text, at)) {
      const newline = text.indexOf('\n', at);
      at = newline < 0 ? text.length : newline + 1;
    } else {
      return at;
    }
  }
}

function startsLineComment(text: string, at: number): boolean {
  const pair = text.slice(at, at + 2);
  return pair === '--' || pair === '//' || pair === '# ' || pair === '#!';
}

function quotedToken(text: string, start: number, quote: string, kind: 'string' | 'quoted'): SqlToken {
  let at = start + 1;
  for (;;) {
    const character = text[at];
    if (character === undefined) return { kind: 'odd', value: quote, start, end: text.length };
    if (character === '\\') at += 2;
    else if (character !== quote) at += 1;
    else if (text[at + 1] === quote) at += 2;
    else break;
  }
  const end = at + 1;
  const value = kind === 'quoted' ? unescape(text.slice(start + 1, at), quote) : text.slice(start, end);
  return { kind, value, start, end };
}

function curlyToken(text: string, start: number, close: string, kind: 'string' | 'quoted'): SqlToken {
  const at = text.indexOf(close, start + 1);
  if (at < 0) return { kind: 'odd', value: text[start] ?? '', start, end: text.length };
  const inner = text.slice(start + 1, at);
  return { kind, value: kind === 'quoted' ? inner : stringLiteral(inner), start, end: at + 1 };
}

/** The engine takes any text between two dollars as a heredoc's tag; only plain tags are accepted here. */
function dollarToken(text: string, start: number): SqlToken {
  HEREDOC_TAG.lastIndex = start;
  const tag = HEREDOC_TAG.exec(text)?.[0];
  if (tag === undefined) {
    const word = matched(text, start, WORD, 'word');
    return text.indexOf('$', start + 1) < 0 ? word : { ...word, kind: 'odd' };
  }
  const close = text.indexOf(tag, start + tag.length);
  if (close < 0) return { kind: 'odd', value: tag, start, end: text.length };
  const inner = text.slice(start + tag.length, close);
  return { kind: 'string', value: stringLiteral(inner), start, end: close + tag.length };
}

function matched(text: string, start: number, pattern: RegExp, kind: TokenKind): SqlToken {
  pattern.lastIndex = start;
  const value = pattern.exec(text)?.[0] ?? '';
  return { kind, value, start, end: start + Math.max(1, value.length) };
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  '0': '\0',
  e: '\x1b',
};

function unescape(inner: string, quote: string): string {
  const doubled = quote + quote;
  return inner.replace(/\\x([0-9a-fA-F]{2})|\\([\s\S])|''|""|``/g, (match, hex?: string, single?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    if (single !== undefined) return lookup(ESCAPES, single) ?? single;
    return match === doubled ? quote : match;
  });
}
