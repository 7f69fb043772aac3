/**
 * Functions of texts for emitted code. Texts are UTF-8 bytes: `length` bytes of `heap` from `start` on.
 */
// hot path: no allocation

/** A regular expression as an automaton that takes one step a byte (pattern/automaton.ts). */
export interface Automaton {
  readonly classOf: Uint8Array;
  readonly classes: number;
  /** Next state by state * classes + class. */
  readonly table: Uint16Array;
  readonly acceptsAtEnd: Uint8Array;
  readonly start: number;
}

/** The state in which a match has been found, whatever follows. */
export const AUTOMATON_MATCHED = 0;

export function matchesPattern(automaton: Automaton, heap: Uint8Array, start: number, length: number): boolean {
  const { classOf, classes, table } = automaton;
  const end = start + length;
  let state = automaton.start;
  for (let i = start; i < end; i++) {
    if (state === AUTOMATON_MATCHED) return true;
    state = table[state * classes + classOf[heap[i]]];
  }
  return state === AUTOMATON_MATCHED || automaton.acceptsAtEnd[state] !== 0;
}

/** Code points: bytes that do not continue one. */
export function codePoints(heap: Uint8Array, start: number, length: number): number {
  let count = 0;
  for (let i = start; i < start + length; i++) if ((heap[i] & 0xc0) !== 0x80) count++;
  return count;
}

export function startsWith(
  heap: Uint8Array,
  start: number,
  length: number,
  part: Uint8Array,
  partStart: number,
  partLength: number,
): boolean {
  if (partLength > length) return false;
  for (let i = 0; i < partLength; i++) if (heap[start + i] !== part[partStart + i]) return false;
  return true;
}

export function endsWith(
  heap: Uint8Array,
  start: number,
  length: number,
  part: Uint8Array,
  partStart: number,
  partLength: number,
): boolean {
  return partLength <= length && startsWith(heap, start + length - partLength, partLength, part, partStart, partLength);
}

export function containsText(
  heap: Uint8Array,
  start: number,
  length: number,
  part: Uint8Array,
  partStart: number,
  partLength: number,
): boolean {
  const last = start + length - partLength;
  for (let at = start; at <= last; at++) {
    if (startsWith(heap, at, partLength, part, partStart, partLength)) return true;
  }
  return false;
}
