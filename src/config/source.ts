/**
 * A pipeline file's text with the way back from values to lines and columns: from a path such as
 * ['features', 'player', 'digs'], and from a character within a text value, whichever way YAML wrote it.
 */

import { isMap, isPair, isScalar, parseDocument, visit, type Document, type Node, type Scalar } from 'yaml';
import { lookup } from '../../native-free-core/base/lookup.ts';

/** What is wrong with a pipeline file, and where. */
export interface Problem {
  readonly line: number;
  readonly column: number;
  /** Keys joined by dots; '' where the file as a whole is meant. */
  readonly path: string;
  readonly message: string;
  /** A name that exists and was probably meant. */
  readonly suggestion?: string;
}

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
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: true, version: '1.2' });
  const positionOf = (offset: number): { line: number; column: number } => {
    const before = text.slice(0, Math.max(0, offset)).split('\n');
    return { line: before.length, column: before.at(-1)!.length + 1 };
  };
  const syntax = firstOfEach([...document.errors, ...document.warnings], (offset) => positionOf(offset).line).map(
    (error) => problemAt(positionOf(error.pos[0]), YAML_WORDS.get(error.code) ?? error.message),
  );
  if (syntax.length === 0)
    syntax.push(...oddNodes(document).map(({ at, message }) => problemAt(positionOf(at), message)));
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

/** Where the parser's own words say what it did and not what to do. */
const YAML_WORDS: ReadonlyMap<string, string> = new Map([
  [
    'BAD_INDENT',
    'this line begins at another column than the keys beside it: give all keys of one section the same number of blanks in front',
  ],
  ['TAB_AS_INDENT', 'a tab stands in front: indent with blanks'],
  ['DUPLICATE_KEY', 'this key stands here twice: leave one out'],
]);

/**
 * One slip makes more errors on its line, and one of the same kind on every line behind it: the first is the one to mend.
 */
function firstOfEach<T extends { readonly code: string; readonly pos: readonly number[] }>(
  errors: readonly T[],
  lineOf: (offset: number) => number,
): T[] {
  const seen = new Set<string | number>();
  return errors.filter(({ code, pos }) => {
    const line = lineOf(pos[0]!);
    const isNews = !seen.has(line) && (code === 'DUPLICATE_KEY' || !seen.has(code));
    seen.add(line).add(code);
    return isNews;
  });
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

/** Keys that are no names, which would be turned into text or vanish on the way to plain objects; aliases of nothing. */
function oddNodes(document: Document): { at: number; message: string }[] {
  const odd: { at: number; message: string }[] = [];
  visit(document, {
    Pair: (_, { key }) => {
      const named = isScalar(key) && typeof key.value === 'string' && key.value !== '__proto__' && key.value !== '<<';
      if (!named) odd.push({ at: startOf(key), message: 'a key must be a plain name' });
    },
    Alias: (_, alias) => {
      if (alias.resolve(document) === undefined)
        odd.push({ at: startOf(alias), message: `unknown alias: ${alias.source}` });
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
 * Whichever way YAML wrote a text, folded, indented, quoted or escaped: the characters that are no white space come in
 * the same order in the value and in its source. So the n-th of one is the n-th of the other.
 */
function textOffset(source: string, node: Scalar, index: number): number {
  const value = String(node.value);
  const [start, end] = node.range ?? [0, 0];
  const isBlock = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED';
  const isQuoted = node.type === 'QUOTE_SINGLE' || node.type === 'QUOTE_DOUBLE';
  let at = isBlock ? source.indexOf('\n', start) + 1 : isQuoted ? start + 1 : start;
  let before = value.slice(0, index).replace(/\s/g, '').length;
  const wanted = index < value.length && !/\s/.test(value[index]!);
  let behind = at;
  while (at < end) {
    const length = sourceLength(source, at, node.type);
    if (!isSpace(source, at, node.type)) {
      if (before === 0 && wanted) return at;
      if (before-- === 0) break;
      behind = at + length;
    }
    at += length;
  }
  return behind;
}

function isSpace(source: string, at: number, type: Scalar['type']): boolean {
  if (type === 'QUOTE_DOUBLE' && source[at] === '\\') return /[nrtvfNLP_ \t\r\n]/.test(source[at + 1] ?? '');
  return /\s/.test(source[at] ?? '');
}

/** Characters of the source that write one character of the value. */
function sourceLength(source: string, at: number, type: Scalar['type']): number {
  if (type === 'QUOTE_SINGLE' && source[at] === "'") return 2;
  if (type !== 'QUOTE_DOUBLE' || source[at] !== '\\') return 1;
  const digits = lookup({ x: 2, u: 4, U: 8 }, source[at + 1] ?? '') ?? 0;
  return 2 + digits;
}
