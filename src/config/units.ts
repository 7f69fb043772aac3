/** Counts with k and M, durations with ms s m h d: the numbers of a pipeline file. */

import { lookup } from '../../native-free-core/base/lookup.ts';

const DURATION_UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const COUNT_UNITS: Readonly<Record<string, number>> = { '': 1, k: 1000, M: 1_000_000 };

export const DURATION_PATTERN = /^(\d{1,12})(ms|s|m|h|d)$/;
export const COUNT_PATTERN = /^(\d{1,9})(k|M)?$/;

/** Milliseconds; the text has been checked against DURATION_PATTERN. */
export function durationMs(text: string): number {
  const [, digits, unit] = DURATION_PATTERN.exec(text)!;
  return Number(digits) * lookup(DURATION_UNITS_MS, unit!)!;
}

export function countOf(value: number | string): number {
  if (typeof value === 'number') return value;
  const [, digits, unit] = COUNT_PATTERN.exec(value)!;
  return Number(digits) * lookup(COUNT_UNITS, unit ?? '')!;
}

/** The shortest way to write a duration, for messages and `hunt check`. */
export function durationText(milliseconds: number): string {
  if (milliseconds === 0) return '0s';
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const unitMs = DURATION_UNITS_MS[unit];
    if (milliseconds % unitMs === 0) return `${milliseconds / unitMs}${unit}`;
  }
  return `${milliseconds}ms`;
}
