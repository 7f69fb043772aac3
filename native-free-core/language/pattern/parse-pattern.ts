/**
 * Regular expressions for matches(): the part of RE2's syntax that means the same here and in ClickHouse's `match`.
 * A match may begin and end anywhere; `.` is any character, line ends too; everything runs in linear time.
 *
 *   pattern     = sequence { "|" sequence }
 *   sequence    = { atom [ "*" | "+" | "?" | "{n}" | "{n,}" | "{n,m}" ] [ "?" ] }
 *   atom        = character | "." | class | "(" pattern ")" | "(?:" pattern ")" | "^" | "$" | "\A" | "\z"
 *   class       = "[" [ "^" ] { character | character "-" character | "\d" … | "[:alpha:]" … } "]" | \d \D \w \W \s \S
 *   character   = itself | "\" punctuation | \n \t \r \f \v \a | \xHH | \x{HHHHHH}
 *
 * Refused: flags, names of groups, \b, \p{…}, back-references, look-around. Called when a pipeline is checked and compiled.
 */

import { lookup } from '../../base/lookup.ts';

/** Code points from, to, from, to, … ascending. */
export type Ranges = readonly number[];

export type PatternNode =
  | { readonly node: 'characters'; readonly ranges: Ranges }
  | { readonly node: 'sequence' | 'choice'; readonly parts: readonly PatternNode[] }
  /** `most` Infinity: without end. */
  | { readonly node: 'repeat'; readonly of: PatternNode; readonly least: number; readonly most: number }
  | { readonly node: 'begin' | 'end' };

export class PatternProblem extends Error {
  /** Character of the pattern. */
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

const CODE_POINT_MAX = 0x10ffff;
/** RE2's own bound. */
const REPEAT_MAX = 1000;
const NESTING_MAX = 50;

const DIGIT: Ranges = [48, 57];
const WORD: Ranges = [48, 57, 65, 90, 95, 95, 97, 122];
const SPACE: Ranges = [9, 10, 12, 13, 32, 32];

const NAMED: Readonly<Record<string, Ranges>> = {
  alnum: [48, 57, 65, 90, 97, 122],
  alpha: [65, 90, 97, 122],
  ascii: [0, 127],
  blank: [9, 9, 32, 32],
  cntrl: [0, 31, 127, 127],
  digit: DIGIT,
  graph: [33, 126],
  lower: [97, 122],
  print: [32, 126],
  punct: [33, 47, 58, 64, 91, 96, 123, 126],
  space: [9, 13, 32, 32],
  upper: [65, 90],
  word: WORD,
  xdigit: [48, 57, 65, 70, 97, 102],
};

const CONTROLS: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, f: 12, v: 11, a: 7 };

interface Reader {
  readonly characters: readonly string[];
  at: number;
  depth: number;
}

/** Throws a PatternProblem. */
export function parsePattern(text: string): PatternNode {
  const reader: Reader = { characters: Array.from(text), at: 0, depth: 0 };
  if (text.includes('\0')) throw new PatternProblem(text.indexOf('\0'), 'a pattern has no zero characters');
  const pattern = readChoice(reader);
  if (reader.at < reader.characters.length) throw problem(reader, 'a ) without its (');
  return pattern;
}

function problem(reader: Reader, message: string, at: number = reader.at): PatternProblem {
  return new PatternProblem(at, message);
}

function readChoice(reader: Reader): PatternNode {
  const parts = [readSequence(reader)];
  while (reader.characters[reader.at] === '|') {
    reader.at++;
    parts.push(readSequence(reader));
  }
  return parts.length === 1 ? parts[0] : { node: 'choice', parts };
}

function readSequence(reader: Reader): PatternNode {
  const parts: PatternNode[] = [];
  for (;;) {
    const next = reader.characters[reader.at];
    if (next === undefined || next === '|' || next === ')') return { node: 'sequence', parts };
    parts.push(readRepeat(reader, readAtom(reader)));
  }
}

function readAtom(reader: Reader): PatternNode {
  const at = reader.at;
  const character = reader.characters[reader.at++];
  switch (character) {
    case '.':
      return { node: 'characters', ranges: [0, CODE_POINT_MAX] };
    case '^':
      return { node: 'begin' };
    case '$':
      return { node: 'end' };
    case '(':
      return readGroup(reader, at);
    case '[':
      return { node: 'characters', ranges: readClass(reader, at) };
    case '\\':
      return readEscape(reader, at);
    case '*':
    case '+':
    case '?':
      throw problem(reader, `nothing stands before ${character} that it could repeat`, at);
    case '{':
      throw problem(reader, 'a { that repeats nothing is written \\{', at);
    default:
      return { node: 'characters', ranges: single(character.codePointAt(0)!) };
  }
}

function single(point: number): Ranges {
  return [point, point];
}

function readGroup(reader: Reader, at: number): PatternNode {
  if (reader.characters[reader.at] === '?') {
    if (reader.characters[reader.at + 1] !== ':')
      throw problem(reader, 'not supported: look-around, flags and names of groups; (?: ) is', at);
    reader.at += 2;
  }
  if (++reader.depth > NESTING_MAX) throw problem(reader, `more than ${NESTING_MAX} nested groups`, at);
  const inner = readChoice(reader);
  if (reader.characters[reader.at] !== ')') throw problem(reader, 'a ( without its )', at);
  reader.at++;
  reader.depth--;
  return inner;
}

const SETS: Readonly<Record<string, Ranges>> = { d: DIGIT, w: WORD, s: SPACE };

function readEscape(reader: Reader, at: number): PatternNode {
  const letter = reader.characters[reader.at];
  if (letter === 'A' || letter === 'z') {
    reader.at++;
    return { node: letter === 'A' ? 'begin' : 'end' };
  }
  const set = readSet(reader);
  return { node: 'characters', ranges: set ?? single(readEscaped(reader, at)) };
}

/** \d, \D and the like behind the backslash, or null. */
function readSet(reader: Reader): Ranges | null {
  const letter = reader.characters[reader.at] ?? '';
  const set = lookup(SETS, letter.toLowerCase());
  if (set === undefined) return null;
  reader.at++;
  return letter === letter.toLowerCase() ? set : complement(set);
}

/** The code point of what follows a backslash. */
function readEscaped(reader: Reader, at: number): number {
  const letter = reader.characters[reader.at++];
  if (letter === undefined) throw problem(reader, 'a \\ at the end', at);
  if (/^[!-/:-@[-`{-~]$/.test(letter)) return letter.codePointAt(0)!;
  if (letter === 'x') return readHexadecimal(reader, at);
  const control = lookup(CONTROLS, letter);
  if (control !== undefined) return control;
  throw problem(reader, `not supported: \\${letter}${/^\d$/.test(letter) ? ' (back-references)' : ''}`, at);
}

function readHexadecimal(reader: Reader, at: number): number {
  const rest = reader.characters.slice(reader.at, reader.at + 9).join('');
  const match = /^(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})/.exec(rest);
  const point = match === null ? 0 : parseInt(match[1] ?? match[2], 16);
  if (match === null || point === 0 || point > CODE_POINT_MAX) throw problem(reader, 'write \\x41 or \\x{1f600}', at);
  reader.at += match[0].length;
  return point;
}

function readClass(reader: Reader, at: number): Ranges {
  const negated = reader.characters[reader.at] === '^';
  if (negated) reader.at++;
  const ranges: number[] = [];
  let isFirst = true;
  for (; reader.characters[reader.at] !== ']' || isFirst; isFirst = false) {
    if (reader.characters[reader.at] === ']') throw problem(reader, 'a ] in a class is written \\]');
    if (reader.at >= reader.characters.length) throw problem(reader, 'a [ without its ]', at);
    ranges.push(...readClassPart(reader, isFirst));
  }
  reader.at++;
  const sorted = normalised(ranges);
  return negated ? complement(sorted) : sorted;
}

function readClassPart(reader: Reader, isFirst: boolean): Ranges {
  const at = reader.at;
  const { characters } = reader;
  if (characters[at] === '[' && characters[at + 1] === ':') return readNamed(reader);
  if (characters[at] === '\\') {
    reader.at++;
    const set = readSet(reader);
    if (set !== null) return set;
    reader.at--;
  }
  if (characters[at] === '-' && !isFirst && characters[at + 1] !== ']')
    throw problem(reader, 'a - within a class is written \\-');
  const from = readClassCharacter(reader);
  if (characters[reader.at] !== '-' || characters[reader.at + 1] === ']') return single(from);
  reader.at++;
  const to = readClassCharacter(reader);
  if (to < from) throw problem(reader, 'a range that runs backwards', at);
  return [from, to];
}

function readClassCharacter(reader: Reader): number {
  const at = reader.at;
  const character = reader.characters[reader.at++];
  if (character === undefined) throw problem(reader, 'a [ without its ]', at);
  if (character === '[' && reader.characters[reader.at] === ':') throw problem(reader, 'a range of a class', at);
  return character === '\\' ? readEscaped(reader, at) : character.codePointAt(0)!;
}

function readNamed(reader: Reader): Ranges {
  const rest = reader.characters.slice(reader.at, reader.at + 12).join('');
  const name = /^\[:([a-z]+):\]/.exec(rest)?.[1] ?? '';
  const ranges = lookup(NAMED, name);
  if (ranges === undefined) throw problem(reader, 'no class of that name: [:alpha:], [:digit:], …');
  reader.at += name.length + 4;
  return ranges;
}

/** Sorted, and ranges that touch are one. */
function normalised(ranges: Ranges): number[] {
  const pairs: [number, number][] = [];
  for (let i = 0; i < ranges.length; i += 2) pairs.push([ranges[i], ranges[i + 1]]);
  pairs.sort((a, b) => a[0] - b[0]);
  const merged: number[] = [];
  for (const [from, to] of pairs) {
    const last = merged.length - 1;
    if (last > 0 && from <= merged[last] + 1) merged[last] = Math.max(merged[last], to);
    else merged.push(from, to);
  }
  return merged;
}

function complement(ranges: Ranges): number[] {
  const others: number[] = [];
  let next = 0;
  for (let i = 0; i < ranges.length; i += 2) {
    if (ranges[i] > next) others.push(next, ranges[i] - 1);
    next = ranges[i + 1] + 1;
  }
  if (next <= CODE_POINT_MAX) others.push(next, CODE_POINT_MAX);
  return others;
}

function readRepeat(reader: Reader, of: PatternNode): PatternNode {
  const at = reader.at;
  const bounds = readBounds(reader);
  if (bounds === null) return of;
  if (of.node === 'begin' || of.node === 'end') throw problem(reader, 'the beginning and the end do not repeat', at);
  // Reluctant repetition finds the same texts; whether there is a match is all that is asked.
  if (reader.characters[reader.at] === '?') reader.at++;
  if (readBounds({ ...reader }) !== null) throw problem(reader, 'a repetition of a repetition: put it into (?: )');
  return { node: 'repeat', of, ...bounds };
}

function readBounds(reader: Reader): { least: number; most: number } | null {
  const character = reader.characters[reader.at];
  if (character === '*' || character === '+' || character === '?') {
    reader.at++;
    return { least: character === '+' ? 1 : 0, most: character === '?' ? 1 : Infinity };
  }
  if (character !== '{') return null;
  const rest = reader.characters.slice(reader.at, reader.at + 12).join('');
  const match = /^\{(\d{1,4})(?:(,)(\d{1,4})?)?\}/.exec(rest);
  if (match === null) throw problem(reader, 'write {2}, {2,} or {2,5}, or \\{ for the character');
  const least = Number(match[1]);
  const most = match[2] === undefined ? least : match[3] === undefined ? Infinity : Number(match[3]);
  if (least > REPEAT_MAX || (most !== Infinity && most > REPEAT_MAX) || most < least)
    throw problem(reader, `repetitions go up to ${REPEAT_MAX}, the smaller number first`);
  reader.at += match[0].length;
  return { least, most };
}
