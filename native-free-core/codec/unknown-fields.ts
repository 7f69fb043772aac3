/**
 * Fields of events that the pipeline's message does not have: counted, and the first few of a frame named, so that a
 * mistyped name is not dropped without a word. One for each worker, cleared with every frame; filled by the readers of JSON
 * and by decide/take-frame.ts.
 */

import { nearest } from '../base/nearest.ts';
import { printable } from './rejection.ts';

export interface UnknownFields {
  /** In this frame. */
  count: number;
  /** How often each of the first few came, by its path. */
  readonly names: Map<string, UnknownField>;
}

export interface UnknownField {
  count: number;
  /** A name that was most likely meant, or ''. */
  readonly meant: string;
}

/** Names told of in one answer. */
export const UNKNOWN_NAMES_MAX = 8;
const NAME_CHARACTERS_MAX = 60;

export function createUnknownFields(): UnknownFields {
  return { count: 0, names: new Map() };
}

export function clearUnknownFields(unknown: UnknownFields): void {
  if (unknown.count === 0) return;
  unknown.count = 0;
  unknown.names.clear();
}

/** `known`: names that it could have been, for the first time it comes. */
export function addUnknownField(unknown: UnknownFields, path: string, known: () => readonly string[]): void {
  unknown.count++;
  const name = printable(path, NAME_CHARACTERS_MAX);
  const field = unknown.names.get(name);
  if (field !== undefined) field.count++;
  else if (unknown.names.size < UNKNOWN_NAMES_MAX)
    unknown.names.set(name, { count: 1, meant: nearest(path, known()) ?? '' });
}

/** `no field transfr; did you mean transfer?` */
export function unknownText(path: string, meant: string): string {
  return `no such field: ${path}${meant === '' ? '' : `; did you mean ${meant}?`}`;
}

/** One sentence for each name, for people. */
export function unknownTexts({ names }: UnknownFields): string[] {
  return [...names].map(([path, { meant }]) => unknownText(path, meant));
}
