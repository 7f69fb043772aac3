/**
 * Derived values: named expressions that rules, features, models and each other may read. Numbers and conditions become
 * computed columns, so that what was served is what is stored. Constants, names, texts and whole 64-bit fields do not:
 * there the name stands for its expression, which loses nothing.
 */

import { expressionAt, type Compilation } from './compilation.ts';
import { addComputed } from './computed.ts';
import { isSyntaxProblem, parseExpression, pathsOf } from './expression/syntax.ts';
import type { Typed } from './expression/typed.ts';

/** A derived value as expressions read it. */
export interface DerivedName {
  /** null: not compiled, because it is wrong (reported where it stands) or reads features that are not known yet. */
  readonly typed: Typed | null;
  /** Reads features, itself or through another: keys, inputs and conditions of features cannot read it. */
  readonly readsFeatures: boolean;
}

/** What a derived value reads, by its text alone. */
interface Reading {
  readonly derived: readonly string[];
  readonly features: boolean;
}

/** Compiles what reads the event only, before keys and features, which may read it; notes the rest. */
export function compileDerivedOfEvent(c: Compilation): void {
  const texts = c.declaration.derived ?? {};
  const readings = new Map(Object.keys(texts).map((name) => [name, readingOf(c, texts[name]!)]));
  for (const name of readings.keys()) visit(c, name, readings, []);
}

/** Compiles what reads features, once they are known. */
export function compileDerivedOfFeatures(c: Compilation): void {
  // In the order in which they were noted: what one reads stands before it.
  for (const [name, derived] of c.derived) {
    if (derived.readsFeatures && derived.typed === null) c.derived.set(name, compileDerived(c, name, true));
  }
}

function readingOf(c: Compilation, text: string): Reading {
  const tree = parseExpression(text);
  const paths = isSyntaxProblem(tree) ? [] : pathsOf(tree);
  const known = c.declaration.derived ?? {};
  const derived = paths.filter(([prefix, name]) => prefix === 'derived' && name !== undefined).map(([, name]) => name!);
  return {
    derived: [...new Set(derived)].filter((name) => Object.hasOwn(known, name)),
    features: paths.some(([prefix]) => Object.hasOwn(c.declaration.entities, prefix!)),
  };
}

/** Depth first, so that what a value reads is there before it. `trail`: the values on the way that led here. */
function visit(c: Compilation, name: string, readings: ReadonlyMap<string, Reading>, trail: readonly string[]): void {
  if (c.derived.has(name)) return;
  if (trail.includes(name)) {
    const circle = [...trail.slice(trail.indexOf(name)), name].map((one) => `derived.${one}`).join(' -> ');
    c.problems.add(['derived', name], `derived values read each other in a circle: ${circle}`);
    c.derived.set(name, { typed: null, readsFeatures: false });
    return;
  }
  const reading = readings.get(name)!;
  for (const other of reading.derived) visit(c, other, readings, [...trail, name]);
  if (c.derived.has(name)) return;
  const readsFeatures = reading.features || reading.derived.some((other) => c.derived.get(other)!.readsFeatures);
  c.derived.set(name, readsFeatures ? { typed: null, readsFeatures } : compileDerived(c, name, false));
}

function compileDerived(c: Compilation, name: string, readsFeatures: boolean): DerivedName {
  const path = ['derived', name];
  const text = c.declaration.derived![name]!;
  const typed = expressionAt(c, text, path, true);
  if (typed === null || !isStored(c, typed)) return { typed, readsFeatures };
  const { expression } = typed;
  const request = {
    name: `derived_${name}`,
    plainName: `derived.${name}`,
    expression,
    before: !readsFeatures,
    comment: text.replace(/\s+/g, ' '),
  };
  const column = addComputed(c, request, path);
  return { typed: { expression: { node: 'column', type: expression.type, column } }, readsFeatures };
}

function isStored(c: Compilation, { expression, labels, dictionary }: Typed): boolean {
  if (labels !== undefined || dictionary === true || expression.node === 'constant') return false;
  if (expression.type === 'string' || expression.type === 'bytes') return false;
  const kind = expression.node === 'column' ? c.columns.at(expression.column).kind : null;
  return kind !== 'u64' && kind !== 'i64' && kind !== 'time';
}
