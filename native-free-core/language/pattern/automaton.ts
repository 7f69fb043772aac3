/**
 * From a parsed pattern to an automaton that reads bytes: first one with many states at once (Thompson), then the
 * equivalent with one (subset construction), so that matching is one table look-up a byte whatever the pattern. Called
 * when a pipeline is checked, and once per compiled function on the thread that runs it.
 */

import { AUTOMATON_MATCHED, type Automaton } from '../expression/runtime-text.ts';
import { parsePattern, PatternProblem, type PatternNode, type Ranges } from './parse-pattern.ts';
import { utf8Sequences } from './utf8-ranges.ts';

/** Beyond these a pattern is refused: they bound what loading a pipeline costs. */
const NODES_MAX = 20_000;
const STATES_MAX = 4096;
const STEPS_MAX = 20_000_000;
/** Nested {n} multiply; RE2's own bound. */
const REPEAT_PRODUCT_MAX = 1000;

/** One node of the first automaton: either a step over a byte, or a way to other nodes without one. */
interface Node {
  readonly from: number;
  readonly to: number;
  /** What the node does without a byte. */
  readonly kind: 'byte' | 'split' | 'begin' | 'end' | 'match';
  readonly next: number[];
}

interface Builder {
  readonly nodes: Node[];
}

/** Throws a PatternProblem. */
export function compilePattern(text: string): Automaton {
  const tree = parsePattern(text);
  checkRepeats(tree, 1);
  const builder: Builder = { nodes: [] };
  const match = addNode(builder, { from: 0, to: -1, kind: 'match', next: [] });
  const start = build(builder, tree, match);
  return determine(builder.nodes, start);
}

function checkRepeats(tree: PatternNode, product: number): void {
  if (tree.node === 'sequence' || tree.node === 'choice') for (const part of tree.parts) checkRepeats(part, product);
  if (tree.node !== 'repeat') return;
  const times = Math.max(1, tree.most === Infinity ? tree.least : tree.most);
  if (product * times > REPEAT_PRODUCT_MAX)
    throw new PatternProblem(0, `nested repetitions of more than ${REPEAT_PRODUCT_MAX} in all`);
  checkRepeats(tree.of, product * times);
}

function addNode(builder: Builder, node: Node): number {
  if (builder.nodes.length >= NODES_MAX) throw new PatternProblem(0, 'the pattern is too long');
  return builder.nodes.push(node) - 1;
}

/** Adds the nodes of a tree that goes on at `next`; returns where it begins. */
function build(builder: Builder, tree: PatternNode, next: number): number {
  switch (tree.node) {
    case 'characters':
      return buildCharacters(builder, tree.ranges, next);
    case 'sequence':
      return tree.parts.reduceRight((after, part) => build(builder, part, after), next);
    case 'choice':
      return split(
        builder,
        tree.parts.map((part) => build(builder, part, next)),
      );
    case 'begin':
    case 'end':
      return addNode(builder, { from: 0, to: -1, kind: tree.node, next: [next] });
    case 'repeat':
      return buildRepeat(builder, tree, next);
  }
}

function split(builder: Builder, next: number[]): number {
  return addNode(builder, { from: 0, to: -1, kind: 'split', next });
}

function buildCharacters(builder: Builder, ranges: Ranges, next: number): number {
  const starts: number[] = [];
  for (let i = 0; i < ranges.length; i += 2) {
    for (const sequence of utf8Sequences(ranges[i], ranges[i + 1])) {
      starts.push(
        sequence.reduceRight((after, [from, to]) => addNode(builder, { from, to, kind: 'byte', next: [after] }), next),
      );
    }
  }
  return starts.length === 1 ? starts[0] : split(builder, starts);
}

function buildRepeat(builder: Builder, tree: Extract<PatternNode, { node: 'repeat' }>, next: number): number {
  const { of, least, most } = tree;
  let start = next;
  if (most === Infinity) {
    const again = split(builder, [next]);
    builder.nodes[again].next.push(build(builder, of, again));
    start = again;
  } else for (let i = least; i < most; i++) start = split(builder, [next, build(builder, of, start)]);
  for (let i = 0; i < least; i++) start = build(builder, of, start);
  return start;
}

/** A set of nodes under way: those that wait for a byte, whether it has matched, and whether it would at the end. */
interface StateSet {
  readonly nodes: readonly number[];
  readonly matched: boolean;
  readonly acceptsAtEnd: boolean;
}

interface Determination {
  readonly nodes: readonly Node[];
  readonly states: StateSet[];
  readonly numbers: Map<string, number>;
  steps: number;
}

function determine(nodes: readonly Node[], start: number): Automaton {
  const classOf = byteClasses(nodes);
  const classes = Math.max(...classOf) + 1;
  const samples = Array.from({ length: classes }, (_, i) => classOf.indexOf(i));
  const matched: StateSet = { nodes: [], matched: true, acceptsAtEnd: true };
  const d: Determination = { nodes, states: [matched], numbers: new Map(), steps: 0 };
  const first = numberOf(d, closure(d, [start], true));
  const rows: number[][] = [Array.from({ length: classes }, () => AUTOMATON_MATCHED)];
  for (let state = 1; state < d.states.length; state++) {
    rows.push(samples.map((byte) => numberOf(d, step(d, d.states[state], byte, start))));
  }
  return {
    classOf,
    classes,
    table: Uint16Array.from(rows.flat()),
    acceptsAtEnd: Uint8Array.from(d.states, (state) => (state.acceptsAtEnd ? 1 : 0)),
    start: first,
  };
}

/** Bytes that no node tells apart are one class. */
function byteClasses(nodes: readonly Node[]): Uint8Array {
  const begins = new Uint8Array(257);
  for (const { kind, from, to } of nodes) {
    if (kind !== 'byte') continue;
    begins[from] = 1;
    begins[to + 1] = 1;
  }
  const classOf = new Uint8Array(256);
  for (let byte = 1; byte < 256; byte++) classOf[byte] = classOf[byte - 1] + begins[byte];
  return classOf;
}

/** A match may begin at every byte, so the start is always among the next nodes. */
function step(d: Determination, state: StateSet, byte: number, start: number): StateSet {
  const next = [start];
  for (const index of state.nodes) {
    const node = d.nodes[index];
    if (node.from <= byte && byte <= node.to) next.push(node.next[0]);
  }
  d.steps += state.nodes.length;
  return closure(d, next, false);
}

/** All that is reached without a byte. */
function closure(d: Determination, from: readonly number[], atBegin: boolean): StateSet {
  const seen = reach(d, from, atBegin, false);
  const matched = seen.some((index) => d.nodes[index].kind === 'match');
  const atEnd = matched || reach(d, from, atBegin, true).some((index) => d.nodes[index].kind === 'match');
  const nodes = seen.filter((index) => d.nodes[index].kind === 'byte').sort((a, b) => a - b);
  return { nodes, matched, acceptsAtEnd: atEnd };
}

function reach(d: Determination, from: readonly number[], atBegin: boolean, atEnd: boolean): number[] {
  const seen = new Set(from);
  for (const index of seen) {
    const { kind, next } = d.nodes[index];
    if (kind === 'split' || (kind === 'begin' && atBegin) || (kind === 'end' && atEnd)) {
      for (const other of next) seen.add(other);
    }
  }
  d.steps += seen.size;
  if (d.steps > STEPS_MAX) throw new PatternProblem(0, 'the pattern is too complicated');
  return [...seen];
}

function numberOf(d: Determination, state: StateSet): number {
  if (state.matched) return AUTOMATON_MATCHED;
  const key = `${state.acceptsAtEnd ? 1 : 0}:${state.nodes.join(',')}`;
  let number = d.numbers.get(key);
  if (number === undefined) {
    if (d.states.length >= STATES_MAX) throw new PatternProblem(0, 'the pattern is too complicated');
    number = d.states.push(state) - 1;
    d.numbers.set(key, number);
  }
  return number;
}
