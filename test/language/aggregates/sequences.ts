/**
 * Many short histories of single entities, seeded, and every aggregate in every window that it takes: stored by the real
 * core, so that the kernels' values lie in the columns beside what they were made of. Used by agreement.test.ts.
 */

import type { AggregateName } from '../../../native-free-core/language/aggregates/aggregate-names.ts';
import { aggregateOf } from '../../../native-free-core/language/aggregates/index.ts';
import type { FeaturePlan, Plan } from '../../../native-free-core/plan/plan.ts';
import type { TestWarehouse } from '../../columns/warehouse.ts';
import { seeded } from '../../random.ts';
import { storeFrames, type Frame } from '../../warehouse/twin/core-world.ts';
import { valueByDefinition, type HistoryRow } from '../../warehouse/twin/definition.ts';
import { planFrom } from '../../warehouse/twin/random-steps.ts';

const DURATION = 'window: 10s, hop: 1s';
const START_MS = 1_700_000_000_000;
const DAY_MS = 86_400_000;
/** Rows of ClickHouse that become objects at once. */
const SEQUENCES_READ = 500;

/** Features of the aggregate, as YAML: one for each kind of window that it takes. */
function featuresOf(aggregate: AggregateName): string[] {
  const { input, windows, options } = aggregateOf({ aggregate }).check;
  const small: Readonly<Record<string, string>> = { cap: 'cap: 3', half_life: 'half_life: 3s', q: 'q: 0.75' };
  const own = Object.keys(options.keys).map((key) => small[key]!);
  const of = { none: [], number: ['of: event.amount'], kept: ['of: event.place'], anything: ['of: event.place'] }[
    input.kind
  ];
  const text = (...more: string[]): string => `{ ${[`agg: ${aggregate}`, ...of, ...own, ...more].join(', ')} }`;
  return [
    text(DURATION),
    text(DURATION, 'where: event.good'),
    ...(windows.currentEvent === null ? [text(DURATION, 'current_event: exclude')] : []),
    ...(windows.delay === null ? [text(DURATION, 'delay: 3s')] : []),
    ...(windows.life === null ? [text()] : []),
    ...(windows.day === null ? [text('window: { calendar: day, zone: UTC }', 'where: event.good')] : []),
    ...(windows.session === null ? [text('window: { session: 3s, late: 12s }')] : []),
    ...(input.kind === 'kept' ? [text(DURATION).replace('event.place', 'event.amount')] : []),
  ];
}

export function planOf(aggregates: readonly AggregateName[]): Plan {
  const lines = aggregates.flatMap((name) => featuresOf(name).map((text, i) => `    ${name}_${i}: ${text}\n`));
  return planFrom(`  player:\n${lines.join('')}`);
}

/** In order, late within the window and beyond it, at equal times, after pauses longer than windows, sessions and days. */
export function framesOf(seed: number, sequences: number): Frame[] {
  const next = seeded(seed);
  const frames: Frame[] = [];
  let now = START_MS;
  let id = 0;
  for (let first = 0; first < sequences; first += SEQUENCES_READ) {
    const keys = Array.from({ length: Math.min(SEQUENCES_READ, sequences - first) }, (_, i) => first + i + 1);
    for (let step = 0; step < 16; step++) {
      const present = keys.filter(() => next() < 0.7);
      const events = present.map((key) => ({
        id: `e${id++}`,
        player: String(key),
        hunt: 1,
        at: String(now - backMs(next)),
        ...(next() < 0.9 ? { amount: Math.floor(next() * 6) / 4 - 0.5 } : {}),
        good: next() < 0.6,
        place: `place-${Math.floor(next() * 5)}`,
      }));
      frames.push({ now, events });
      now += pauseMs(next);
    }
    now += DAY_MS;
  }
  return frames;
}

function backMs(next: () => number): number {
  const kind = next();
  const back = kind < 0.5 ? 0 : kind < 0.8 ? next() * 5000 : kind < 0.92 ? next() * 15_000 : next() * 40_000;
  return Math.floor(back / 250) * 250;
}

function pauseMs(next: () => number): number {
  const kind = next();
  return kind < 0.2
    ? 0
    : kind < 0.75
      ? Math.floor(next() * 3000)
      : kind < 0.95
        ? Math.floor(next() * 15_000)
        : DAY_MS / 3;
}

export function store(warehouse: TestWarehouse, plan: Plan, seed: number, sequences: number): void {
  storeFrames(warehouse, plan, framesOf(seed, sequences));
}

interface StoredRow {
  readonly life: string;
  readonly t: number;
  readonly amount: number | null;
  readonly place: string;
  readonly good: boolean;
  readonly day: number;
  readonly served: readonly (number | string | null)[];
}

/**
 * Features of the plan that were served otherwise than they are defined, with an example of each; and how many values were
 * compared.
 */
export function unlikeDefinition(
  warehouse: TestWarehouse,
  plan: Plan,
  sequences: number,
): { readonly wrong: Map<string, string>; readonly values: number } {
  const features = plan.entities[0]!.features;
  const wrong = new Map<string, string>();
  let values = 0;
  for (let first = 0; first < sequences; first += SEQUENCES_READ) {
    for (const rows of readSequences(warehouse, plan, first + 1, first + SEQUENCES_READ)) {
      features.forEach((feature, i) => {
        const history: HistoryRow[] = [];
        for (const row of rows) {
          history.push({ t: row.t, x: inputOf(plan, feature, row), day: row.day });
          const wanted = valueByDefinition(feature, history);
          const got = row.served[i]!;
          values++;
          if (!Object.is(got, wanted === 0 ? 0 : wanted) && !wrong.has(feature.name))
            wrong.set(feature.name, `key/life ${row.life} row ${history.length}: served ${got}, defined as ${wanted}`);
        }
      });
    }
  }
  return { wrong, values };
}

function readSequences(warehouse: TestWarehouse, plan: Plan, from: number, to: number): StoredRow[][] {
  const { columns, entities } = plan;
  const served = entities[0]!.features.map(({ column }) => columns[column]!.name);
  const dayColumn = entities[0]!.features.find((feature) => feature.dayColumn !== undefined)?.dayColumn;
  const day = dayColumn === undefined ? '0' : `toInt32(${columns[dayColumn]!.name})`;
  const rows = warehouse.rows<StoredRow & Readonly<Record<string, number | string | null>>>(
    `SELECT concat(toString(player), '/', toString(player_life)) AS life, toUInt64(toUnixTimestamp64Milli(effective_time)) AS t,
       amount, place, good, ${day} AS day, ${served.join(', ')}
     FROM events WHERE player BETWEEN ${from} AND ${to} ORDER BY player, player_life, player_seq`,
  );
  const byLife = new Map<string, StoredRow[]>();
  for (const row of rows) {
    const values = served.map((name) => row[name]!);
    const sequence = byLife.get(row.life) ?? [];
    sequence.push({ ...row, t: Number(row.t), served: values });
    byLife.set(row.life, sequence);
  }
  return [...byLife.values()];
}

function inputOf(plan: Plan, { of, where }: FeaturePlan, row: StoredRow): HistoryRow['x'] {
  if (where !== null && !row.good) return null;
  if (of === null) return 1;
  if (of.node !== 'column') throw new Error('only fields here');
  if (plan.columns[of.column]!.name === 'place') return row.place;
  return row.amount === null ? null : Math.round(row.amount * 100) + 0;
}
