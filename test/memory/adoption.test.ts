/**
 * State that moves over when a pipeline changes: rows adopted by events and by the sweep are, word by word, what tables of
 * the new version would hold had it seen every event.
 */

import { expect, test } from 'vitest';
import { moveState, decideRows } from '../../native-free-core/decide/decide-block.ts';
import { createDecider } from '../../native-free-core/decide/decider.ts';
import { startEpochs } from '../../native-free-core/decide/epoch.ts';
import { takeEvent } from '../../native-free-core/decide/take-frame.ts';
import { openSession } from '../../native-free-core/decide/sessions.ts';
import { transcodeText, transcodeJson } from '../../native-free-core/codec/json/json-frame.ts';
import { beginFrame } from '../../native-free-core/decide/taken-frame.ts';
import { resetColumn } from '../../native-free-core/layout/column.ts';
import { readOpen } from '../../native-free-core/layout/open-record.ts';
import { backfillPlan } from '../../native-free-core/plan/change-plan.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import {
  entityCount,
  findRow,
  lockStripe,
  unlockStripe,
  type EntityTable,
} from '../../native-free-core/state/entity-table.ts';
import { describeChange } from '../../src/config/index.ts';
import { allocateChange, sweepTables } from '../../src/memory/change-memory.ts';
import { allocateWarmUp } from '../../src/memory/regions.ts';
import { openTables } from '../../src/workers/open-tables.ts';
import { viewsOf } from '../../src/workers/warm-up/warm-up.ts';
import { changed, compileText } from '../config/pipelines.ts';
import { seeded } from '../random.ts';

const NOW = Date.UTC(2026, 5, 1);
const PLAYERS = 40;
const PLAYER = /    digs: [\s\S]*    quiet: .*\n/;
const OLD = changed(
  'player.digs_5m > 120',
  'event.lat > 1000.0',
  changed('max: 2M', 'max: 1k', changed('max: 100k', 'max: 1k')),
);

const withPlayers = (features: readonly string[]): string =>
  OLD.replace(PLAYER, () => features.map((line) => `    ${line}\n`).join(''));

const DIGS = `digs: { agg: count, where: "event.type == 'dig'", windows: [1m, 5m] }`;
const DEPTH = 'depth: { agg: avg, of: event.dig.depth, window: 1h }';
const POINTS = 'points: { agg: sum, of: event.find.points, window: 10m, hop: 1m }';
const LAST = 'last_lat: { agg: previous, of: event.lat, exact: false }';
const QUIET = 'quiet: { agg: time_since_last }';
/** One of each kind of cells: whole life, ring, calendar day, session, tree of extremes, values, weights. */
const NEW = [
  'all: { agg: count }',
  'deepest: { agg: max, of: event.dig.depth, window: 5m }',
  'first_lat: { agg: first, of: event.lat, exact: false, window: 10m, hop: 1m }',
  'spread: { agg: stddev_pop, of: event.dig.depth, window: 10m, hop: 1m }',
  'kinds: { agg: count_distinct, of: event.find.points, window: 10m, hop: 1m, cap: 5 }',
  'pace: { agg: ewma, of: event.dig.depth, half_life: 1m, window: 10m, hop: 1m }',
];

type Shared = ReturnType<typeof allocateWarmUp>;

function worker(plan: Plan, memory: Shared, tables = openTables(memory)): (event: object, at: number) => void {
  const control = new Int32Array(memory.control);
  startEpochs(control, 5, NOW);
  const decider = createDecider({
    ...viewsOf(memory, 0),
    plan,
    tables,
    control,
    now: () => NOW,
    monotonic: () => NOW,
    epochIntervalMs: 0,
    textOf: (bytes, from, to) => new TextDecoder().decode(bytes.slice(from, to)),
    utf8: (text) => new TextEncoder().encode(text),
  });
  const session = openSession(readOpen({ bytes: new Uint8Array(16), view: new DataView(new ArrayBuffer(16)) }, 0), 0);
  return (event, at) => {
    Object.assign(decider.block.ticket, { epoch: 5, epochLow: 5, receivedAt: at });
    const frame = transcodeText(plan, JSON.stringify(event), transcodeJson);
    decider.block.rows = 0;
    beginFrame(decider.frame, session, frame);
    decider.frame.dedup = false;
    expect(takeEvent(decider, frame, 0)).toBe(0);
    moveState(decider);
    decideRows(decider);
    for (const column of decider.block.columns) resetColumn(column, 1);
  };
}

function events(random: () => number, count: number, from: number): { event: object; at: number }[] {
  const whole = (below: number): number => Math.floor(random() * below);
  return Array.from({ length: count }, (_, i) => {
    const at = NOW + (from + i) * 700;
    const branch = [{ dig: { depth: whole(400) / 100 } }, { find: { points: whole(9) } }, {}][whole(3)];
    const event = {
      event_id: `e${from + i}`,
      player_id: String(1 + whole(PLAYERS)),
      hunt_id: String(1 + whole(5)),
      event_time: new Date(at - (random() < 0.2 ? whole(300_000) : 0)).toISOString(),
      lat: whole(90),
      ...branch,
    };
    return { event, at };
  });
}

/** The key's row as words; null where it has none. */
function rowOf(table: EntityTable, key: number): Int32Array | null {
  lockStripe(table, key, 0, 0, 1);
  const at = findRow(table, key, 0, 0, 1);
  const row = at < 0 ? null : table.words.slice(at * 2, at * 2 + table.shape.rowBytes / 4);
  unlockStripe(table);
  return row;
}

interface Changed {
  readonly memory: Shared;
  readonly side: Shared;
  readonly to: Plan;
  readonly sidePlan: Plan;
}

function changeOf(from: Plan, text: string, memory: Shared): Changed {
  const to = compileText(text).plan;
  const { change } = describeChange(from, to);
  if (change === null) throw new Error('the change is refused');
  const { memory: next, side } = allocateChange(memory, from, to, change);
  return { memory: next as Shared, side: side as Shared, to, sidePlan: backfillPlan(to, change) };
}

test.each([
  ['in another order', [QUIET, LAST, POINTS, DEPTH, DIGS]],
  ['some of them gone', [DEPTH, QUIET]],
  ['one of them under another name', [DIGS, DEPTH.replace('depth:', 'mean_depth:'), QUIET]],
  ['others between them', [NEW[0]!, DIGS, NEW[1]!, NEW[2]!, DEPTH, POINTS, LAST, QUIET]],
  ['others instead', [...NEW]],
  ['all of it', [...NEW.slice(2), QUIET, POINTS, NEW[1]!, DIGS, NEW[0]!]],
])('features %s', (_name, features) => {
  const random = seeded(20260604);
  const from = compileText(OLD).plan;
  const before = allocateWarmUp(from);
  const { memory, side, to, sidePlan } = changeOf(from, withPlayers(features), before);
  const reference = allocateWarmUp(to);
  const [past, future] = [events(random, 600, 0), events(random, 40, 600)];

  const [live, alone] = [worker(from, before), worker(to, reference)];
  const backfill = side.entities.length > 0 ? worker(sidePlan, side) : null;
  for (const { event, at } of past) {
    live(event, at);
    alone(event, at);
    backfill?.(event, at);
  }
  const tables = openTables(memory);
  expect(entityCount(tables.entities[0]!)).toBe(0);
  const changedWorker = worker(to, memory, tables);
  for (const { event, at } of future) {
    changedWorker(event, at);
    alone(event, at);
  }
  const asked = entityCount(tables.entities[0]!);
  expect(asked).toBeGreaterThan(0);
  expect(asked).toBeLessThan(PLAYERS);
  const sweep = sweepTables(tables);
  let step = sweep.next();
  while (step.done !== true) step = sweep.next();
  expect(step.value).toEqual({ rows: PLAYERS - asked, lost: 0 });

  const wanted = openTables(reference).entities[0]!;
  expect(entityCount(tables.entities[0]!)).toBe(PLAYERS);
  for (let key = 1; key <= PLAYERS; key++) expect(rowOf(tables.entities[0]!, key)).toEqual(rowOf(wanted, key));
});

test('a row whose backfill is of another event is not adopted: the key begins a new life', () => {
  const random = seeded(7);
  const from = compileText(OLD).plan;
  const before = allocateWarmUp(from);
  const { memory, side, sidePlan } = changeOf(from, withPlayers([DIGS, NEW[0]!]), before);
  const [live, backfill] = [worker(from, before), worker(sidePlan, side)];
  const past = events(random, 300, 0);
  const late = past.findLast(() => true)!;
  for (const { event, at } of past) {
    live(event, at);
    if (event !== late.event) backfill(event, at);
  }
  const tables = openTables(memory);
  const sweep = sweepTables(tables);
  let step = sweep.next();
  while (step.done !== true) step = sweep.next();
  const players = entityCount(openTables(before).entities[0]!);
  expect(step.value).toEqual({ rows: players - 1, lost: 1 });
  expect(rowOf(tables.entities[0]!, Number((late.event as { player_id: string }).player_id))).toBeNull();
});
