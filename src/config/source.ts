/**
 * A pipeline file's text with the way back from values to lines and columns: from a path such as
 * ['features', 'player', 'digs'], and from a character within a text value, whichever way YAML wrote it.
 */

import {
  LineCounter,
  isMap,
  isPair,
  isScalar,
  parseDocument,
  visit,
  type Document,
  type Node,
  type Scalar,
} from 'yaml';
import type { Problem } from './problems.ts';

export type Path = readonly (string | number)[];

export interface PipelineSource {
  readonly text: string;
  /** As plain objects; meaningless where `syntax` is not empty. */
  readonly value: unknown;
  readonly syntax: readonly Problem[];
  /** Offset of the value at a path; of the nearest parent where there is none. */
  offsetOf(path: Path): number;
  /** Offset of the key that a path ends with. */
  keyOffsetOf(path: Path): number;
  /** Offset of character `index` of the text at a path. */
  textOffsetOf(path: Path, index: number): number;
  positionOf(offset: number): { line: number; column: number };
}

/** YAML of a pipeline needs no more; a bound keeps a file of nested aliases from growing without end. */
const ALIASES_MAX = 100;

export function readSource(text: string): PipelineSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, version: '1.2' });
  const positionOf = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(Math.max(0, Math.min(offset, text.length)));
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const syntax = [...document.errors, ...document.warnings].map((error) =>
    problemAt(positionOf(error.pos[0]), error.message),
  );
  if (syntax.length === 0)
    syntax.push(...oddKeys(document).map((at) => problemAt(positionOf(at), 'a key must be a plain name')));
  return {
    text,
    value: syntax.length === 0 ? plainValue(document, syntax) : null,
    syntax,
    offsetOf: (path) => startOf(nearestNode(document, path)),
    keyOffsetOf: (path) => startOf(keyNode(document, path) ?? nearestNode(document, path)),
    textOffsetOf: (path, index) => {
      const node = document.getIn(path, true);
      return isScalar(node) ? textOffset(text, node, index) : startOf(nearestNode(document, path));
    },
    positionOf,
  };
}

function problemAt(position: { line: number; column: number }, message: string): Problem {
  return { ...position, path: '', message: `not YAML: ${message}` };
}

function plainValue(document: Document, syntax: Problem[]): unknown {
  try {
    return document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    syntax.push(problemAt({ line: 1, column: 1 }, (error as Error).message));
    return null;
  }
}

/** Keys that are no names would be turned into text, or vanish, on the way to plain objects. */
function oddKeys(document: Document): number[] {
  const odd: number[] = [];
  visit(document, {
    Pair: (_, pair) => {
      const key = pair.key;
      if (!isScalar(key) || typeof key.value !== 'string' || key.value === '__proto__' || key.value === '<<') {
        odd.push(startOf(key as Node | null));
      }
    },
  });
  return odd;
}

function startOf(node: unknown): number {
  return (node as Node | null | undefined)?.range?.[0] ?? 0;
}

function nearestNode(document: Document, path: Path): unknown {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (node !== undefined && node !== null && startOf(node) > 0) return node;
  }
  return document.contents;
}

function keyNode(document: Document, path: Path): unknown {
  const parent = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents;
  if (!isMap(parent)) return undefined;
  const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === path.at(-1));
  return pair?.key;
}

/**
 * Walks the value and its source side by side. They differ by quotes, escapes, folded lines and indentation only, so
 * each character of the value is found in the source at, or some white space behind, the place of the one before.
 */
function textOffset(source: string, node: Scalar, index: number): number {
  const value = String(node.value);
  const [start, end] = node.range ?? [0, 0];
  let at = start;
  if (node.type === 'QUOTE_SINGLE' || node.type === 'QUOTE_DOUBLE') at++;
  if (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED') at = source.indexOf('\n', start) + 1;
  let here = at;
  for (let i = 0; i <= Math.min(index, value.length - 1); i++) {
    const character = value[i]!;
    if (isSpace(source[at]) && !(character === source[at]))
      while (at < end && isSpace(source[at]) && !isSpace(character)) at++;
    here = at;
    if (isSpace(character) && isSpace(source[at]))
      at = character === source[at] && character === ' ' ? at + 1 : spaceEnd(source, at, end);
    else at += sourceLength(source, at, node.type);
  }
  const beyond = index >= value.length ? 1 : 0;
  return Math.min(here + beyond, Math.max(start, end));
}

function isSpace(character: string | undefined): boolean {
  return character === ' ' || character === '\n' || character === '\r' || character === '\t';
}

function spaceEnd(source: string, from: number, end: number): number {
  let at = from;
  while (at < end && isSpace(source[at])) at++;
  return at;
}

/** Characters of the source that write one character of the value. */
function sourceLength(source: string, at: number, type: Scalar['type']): number {
  if (type === 'QUOTE_SINGLE' && source[at] === "'") return 2;
  if (type !== 'QUOTE_DOUBLE' || source[at] !== '\\') return 1;
  const digits = { x: 2, u: 4, U: 8 }[source[at + 1] ?? ''] ?? 0;
  return 2 + digits;
}
