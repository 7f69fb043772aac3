/**
 * Versions of the stress pipeline, each a few edits away from the one before: features that go, come, come back and change,
 * on every kind of window, and a limit. Used by bit-exact.ts.
 */

import { readFileSync } from 'node:fs';

/** Replaces one line; the pipeline must have it. */
type Edit = readonly [line: string, replacement: string];

const EDITS: readonly (readonly Edit[])[] = [
  // Features go.
  [
    ['spread: { agg: stddev_pop, of: event.amount, window: 5m }', ''],
    ['high: { agg: max, of: event.amount, window: 5m }', ''],
  ],
  // One comes, one is another.
  [
    [
      'n_good: { agg: count, where: event.good }',
      'n_good: { agg: count, where: event.good }\n    n_bad: { agg: count, where: "!event.good", window: 2m }',
    ],
    [
      'mean: { agg: avg, of: event.amount, where: event.good, window: 5m }',
      'mean: { agg: avg, of: event.amount, window: 10m }',
    ],
  ],
  // Every kind of state, backfilled.
  [
    [
      'places: { agg: count_distinct, of: event.place, window: 5m, cap: 8 }',
      'places: { agg: count_distinct, of: event.place, window: 10m, cap: 16 }',
    ],
    [
      'amount_p90: { agg: quantile, of: event.amount, q: 0.9, window: 5m, cap: 64 }',
      'amount_p90: { agg: quantile, of: event.amount, q: 0.99, window: 10m, cap: 64 }',
    ],
    [
      'usual_place: { agg: mode, of: event.place, window: 5m, cap: 32 }',
      'usual_place: { agg: mode, of: event.place, window: 10m, cap: 16 }',
    ],
    ['opening: { agg: first, of: event.points, window: 5m }', 'opening: { agg: first, of: event.points, window: 10m }'],
    [
      'trend: { agg: ewma, of: event.amount, half_life: 1m, window: 5m }',
      'trend: { agg: ewma, of: event.amount, half_life: 2m, window: 5m }',
    ],
    [
      'visit_sum: { agg: sum, of: event.amount, window: { session: 30s } }',
      'visit_sum: { agg: sum, of: event.amount, window: { session: 45s } }',
    ],
    [
      'newest: { agg: last, of: event.points, where: event.good, window: 1m }',
      'newest: { agg: last, of: event.points, window: 2m }',
    ],
  ],
  // A rule and its limit; state stays where it is.
  [
    [
      "when: 'player.spent_5m > 5000.0 && derived.far < 100000.0'",
      "when: 'player.spent_5m > 4000.0 && derived.far < 100000.0'",
    ],
    ['limit: { count: 2, per: 1m, entity: player }', 'limit: { count: 3, per: 1m, entity: player }'],
  ],
  // Calendar, delay, exclusion, the whole life, texts.
  [
    [
      'today: { agg: count, window: { calendar: day, zone: Europe/Berlin } }',
      'today: { agg: sum, of: event.amount, window: { calendar: day, zone: Europe/Berlin } }',
    ],
    [
      'late_known: { agg: sum, of: event.amount, window: 5m, delay: 1m }',
      'late_known: { agg: max, of: event.amount, window: 5m, delay: 2m }',
    ],
    [
      'usual: { agg: max, of: event.amount, window: 1h, current_event: exclude }',
      'usual: { agg: min, of: event.amount, window: 1h, current_event: exclude }',
    ],
    ['best: { agg: max, of: event.points }', 'best: { agg: min, of: event.points }'],
    ['newest_place: { agg: last, of: event.place }', 'newest_place: { agg: first, of: event.place }'],
  ],
];

/** Texts of `count` versions: edits are made one group after another, then taken back one after another. */
export function variants(file: string, count: number): string[] {
  const original = readFileSync(file, 'utf8');
  return Array.from({ length: count }, (_, i) => {
    const step = (i + 1) % (2 * EDITS.length);
    const made = step < EDITS.length ? EDITS.slice(0, step) : EDITS.slice(step - EDITS.length);
    return made.flat().reduce(edit, original);
  });
}

/** The pipeline with all edits made: the other definition of every feature that changes. */
export function edited(file: string): string {
  return EDITS.flat().reduce(edit, readFileSync(file, 'utf8'));
}

function edit(text: string, [line, replacement]: Edit): string {
  const at = text.indexOf(line);
  if (at < 0) throw new Error(`the stress pipeline has no such line: ${line}`);
  return text.slice(0, at) + replacement + text.slice(at + line.length);
}
