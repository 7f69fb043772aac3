/** Pipelines over one small message, and seeded frames of it: what tests of the twin recompute. */

import type { Plan } from '../../../native-free-core/plan/plan.ts';
import { compilePipeline } from '../../../src/config/compile-pipeline.ts';
import { readerOf } from '../../config/pipelines.ts';
import { seeded } from '../../random.ts';
import type { Frame } from './core-world.ts';

const PROTO = `syntax = "proto3";
enum Tool { HANDS = 0; SPADE = 1; DRILL = 7; }
message Step {
  string id = 1; uint64 player = 2; optional string device = 3; int64 at = 4;
  optional double amount = 5; optional int64 points = 6; bool good = 7; string place = 8; uint32 hunt = 9;
  Tool tool = 10; optional Tool spare = 11;
}`;

const HEAD = `format: 1
pipeline: twin
events:
  proto: step.proto
  message: Step
  id: id
  time: at
  accept: { max_age: 3650d, max_future: 10m }
  max_future_skew: 5s
  dedup: { window: 10m, ids_max: 100k }
  fields: { amount: { decimals: 2 }, place: { dictionary: true } }
entities:
  player: { key: event.player, primary: true, max: 10k, ttl: 40s }
  device: { key: [event.device, event.hunt], max: 10k, ttl: 30d }
features:
`;

export const FEATURES = `  player:
    n: { agg: count, windows: [1m, 5m] }
    n_good: { agg: count, where: event.good, window: 1m }
    n_ever: { agg: count }
    spent: { agg: sum, of: event.amount, windows: [1m, 1h] }
    spent_ever: { agg: sum, of: event.amount, where: event.good }
    mean: { agg: avg, of: event.amount, where: event.good, window: 1m }
    mean_ever: { agg: avg, of: event.points }
    low: { agg: min, of: event.amount, window: 1m }
    high: { agg: max, of: event.points, where: event.good, window: 5m }
    high_ever: { agg: max, of: event.amount }
    newest: { agg: last, of: event.amount, window: 1m }
    newest_ever: { agg: last, of: event.points, where: event.good }
    newest_float: { agg: last, of: event.amount, exact: false, window: 1m }
    before: { agg: previous, of: event.amount, exact: false }
    before_good: { agg: previous, of: event.points, where: event.good, window: 1m }
    slope: { agg: sum, of: event.amount / event.hunt, decimals: 3, window: 1m }
    steep: { agg: count, where: "event.amount / 0.0 > 1.0 || 1.0 / event.amount > 0.1", window: 1m }
    huge: { agg: last, of: event.amount * 1e306, exact: false, window: 1m }
    quiet: { agg: time_since_last }
    quiet_good: { agg: time_since_last, where: event.good, window: 1m }
    pace: { agg: rate, window: 1m }
    opening: { agg: first, of: event.points, window: 1m }
    opening_ever: { agg: first, of: event.amount }
    opening_place: { agg: first, of: event.place, window: 1m }
    newest_place: { agg: last, of: event.place, window: 1m }
    before_place: { agg: previous, of: event.place }
    opening_tool: { agg: first, of: event.tool, window: 1m }
    newest_tool: { agg: last, of: event.tool, where: event.good, window: 1m }
    newest_spare: { agg: last, of: event.spare }
    before_spare: { agg: previous, of: event.spare }
    visit_tool: { agg: first, of: event.tool, window: { session: 4s } }
    today_spare: { agg: last, of: event.spare, window: { calendar: day, zone: Europe/Berlin } }
    spread: { agg: stddev_pop, of: event.amount, window: 1m }
    spread_points: { agg: stddev_pop, of: event.points, where: event.good, window: 5m }
    places: { agg: count_distinct, of: event.place, window: 1m, cap: 8 }
    places_ever: { agg: count_distinct, of: event.place }
    trend: { agg: ewma, of: event.amount, half_life: 20s, window: 1m }
    known_late: { agg: sum, of: event.amount, window: 1m, delay: 30s }
    low_late: { agg: min, of: event.points, window: 1m, delay: 30s }
    usual: { agg: max, of: event.amount, window: 1h, current_event: exclude }
    usual_mean: { agg: avg, of: event.amount, window: 1m, current_event: exclude }
    today: { agg: count, window: { calendar: day, zone: Europe/Berlin } }
    low_today: { agg: min, of: event.amount, window: { calendar: day, zone: Europe/Berlin } }
    visit: { agg: count, window: { session: 4s } }
    visit_sum: { agg: sum, of: event.amount, where: event.good, window: { session: 4s, late: 60s } }
    visit_high: { agg: max, of: event.points, window: { session: 4s } }
    visit_first: { agg: first, of: event.amount, window: { session: 4s } }
    typical: { agg: quantile, of: event.amount, q: 0.75, window: 1m, cap: 12 }
    typical_ever: { agg: quantile, of: event.points, q: 0.5, where: event.good, cap: 20 }
    typical_before: { agg: quantile, of: event.amount, q: 0.1, window: 5m, current_event: exclude, cap: 7 }
    usual_place: { agg: mode, of: event.place, window: 1m, cap: 12 }
    usual_tool: { agg: mode, of: event.tool, where: event.good, window: { calendar: day, zone: Europe/Berlin }, cap: 15 }
    usual_points: { agg: mode, of: event.points, current_event: exclude, cap: 20 }
    visit_usual: { agg: mode, of: event.spare, window: { session: 4s, late: 60s }, cap: 5 }
    visit_typical: { agg: quantile, of: event.amount, q: 0.9, window: { session: 4s }, cap: 5 }
    visit_places: { agg: count_distinct, of: event.place, window: { session: 4s } }
  device:
    n: { agg: count, window: 1m }
    spent: { agg: sum, of: event.amount, window: 1m }
    low: { agg: min, of: event.points, window: 1m }
`;

/** The last one has no name: the enum is open. */
const TOOLS = ['HANDS', 'SPADE', 'DRILL', 5] as const;

/** As protobuf's JSON has them. To expressions they are absent. */
const NO_NUMBERS = ['NaN', 'Infinity', '-Infinity'];

/** A fifth out of order by up to two windows, some beyond, equal times, some from the future, silences that end lives. */
export function randomFrames(seed: number, count: number, players: number): Frame[] {
  const next = seeded(seed);
  const frames: Frame[] = [];
  let now = 1_700_000_000_000;
  for (let i = 0; i < count;) {
    const events: object[] = [];
    for (let size = 1 + Math.floor(next() * 40); size > 0; size--, i++) {
      const kind = next();
      const back =
        kind < 0.2 ? next() * 120_000 : kind < 0.25 ? next() * 4_000_000 : kind < 0.27 ? -next() * 60_000 : 0;
      events.push({
        id: `e${i}`,
        player: String(1 + Math.floor(next() ** 2 * players)),
        hunt: Math.floor(next() * 3),
        ...(next() < 0.7 ? { device: `d${Math.floor(next() * players)}` } : {}),
        at: String(Math.floor((now - back) / 100) * 100),
        ...(next() < 0.9 ? { amount: amountOf(next) } : {}),
        ...(next() < 0.8 ? { points: String(Math.floor((next() - 0.3) * 2 ** (next() < 0.2 ? 53 : 20))) } : {}),
        good: next() < 0.4,
        place: `place-${Math.floor(next() ** 2 * 30)}`,
        tool: TOOLS[Math.floor(next() * TOOLS.length)]!,
        ...(next() < 0.5 ? { spare: TOOLS[Math.floor(next() * TOOLS.length)]! } : {}),
      });
    }
    frames.push({ now, events });
    now += Math.floor(next() * 2000);
    if (next() < 0.01) now += 60_000;
  }
  return frames;
}

function amountOf(next: () => number): number | string {
  const kind = next();
  if (kind > 0.98) return NO_NUMBERS[Math.floor(next() * NO_NUMBERS.length)]!;
  if (kind < 0.01) return 2 ** 52;
  if (kind < 0.05) return -0.005;
  return kind < 0.1 ? Math.round(next() * 1e6) / 1000 : (Math.floor(next() * 100_000) - 20_000) / 100;
}

export function planFrom(features: string): Plan {
  return compilePipeline('twin.yaml', HEAD + features, readerOf({ 'step.proto': PROTO })).plan;
}
