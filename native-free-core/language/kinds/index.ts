/**
 * The kinds of columns, each with everything that is decided by it. A new one is a file beside this one, a name in
 * plan/plan.ts and a line here; the compiler then names the rooms that decide something for every kind themselves.
 */

import type { ColumnKind } from '../../plan/plan.ts';
import { bytes } from './bytes.ts';
import { code } from './code.ts';
import { dictionary } from './dictionary.ts';
import { enumeration } from './enum.ts';
import { f32 } from './f32.ts';
import { f64 } from './f64.ts';
import { i32 } from './i32.ts';
import { i64 } from './i64.ts';
import type { Kind } from './kind.ts';
import { string } from './string.ts';
import { time } from './time.ts';
import { u32 } from './u32.ts';
import { u64 } from './u64.ts';
import { u8 } from './u8.ts';

export const KINDS: Readonly<Record<ColumnKind, Kind>> = {
  u8,
  u32,
  i32,
  u64,
  i64,
  time,
  f32,
  f64,
  string,
  bytes,
  code,
  enum: enumeration,
  dictionary,
};

/** Whether every value of the first is one of the second. */
export function widensTo(from: ColumnKind, to: ColumnKind): boolean {
  return from === to || KINDS[from].widensTo.includes(to);
}

/** Of 64 bits, which no double holds all of. */
export function isWide(kind: ColumnKind): boolean {
  return KINDS[kind].storage.form === 'words';
}

/** Whether its values are texts or bytes of the event. */
export function isText(kind: ColumnKind): boolean {
  const { type } = KINDS[kind];
  return type === 'string' || type === 'bytes';
}
