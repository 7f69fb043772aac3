/**
 * Limits against an oracle that keeps every take in a list: seeded events of a few players and hunts, one and two workers
 * that meet by hand, late events, lives that end. Then recovery, in whatever order blocks come, and from a snapshot.
 */

import { describe, expect, test } from 'vitest';
import type { Tables } from '../../native-free-core/decide/shared-tables.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { compilePipeline } from '../../src/config/compile-pipeline.ts';
import { copyTables, createChunkRestorer, type TableChunk } from '../../src/memory/snapshot-tables.ts';
import { isLong } from '../long.ts';
import { seeded } from '../random.ts';
import { freshTables, limitState, limitWorld, replayed, type Row, type StoredBlock } from './limit-world.ts';

const PROTO = `syntax = "proto3";
package t;
message Event { uint64 player = 1; uint64 hunt = 2; int64 at = 3; uint32 kind = 4; }
`;
/** Rings for counts above the slots of their hops, lists of the newest takes for the others. */
const PIPELINE = `format: 1
pipeline: limits
events: { proto: events.proto, message: t.Event, time: at, accept: { max_age: 3650d, max_future: 5m } }
entities:
  player: { key: event.player, primary: true, max: 1000, ttl: 1h }
  hunt: { key: event.hunt, max: 100, ttl: 1h }
decisions:
  assistance:
    where: 'event.kind != 7'
    actions: [hint, nudge, tip, continue]
    rules:
      - { id: first, when: 'event.kind == 6', then: tip }
      - { id: stuck, when: 'event.kind >= 2', then: hint, limit: { count: 2, per: 1m, hop: 10s, entity: player } }
      - { id: crowd, when: 'event.kind >= 1', then: nudge, limit: { count: 12, per: 5m, hop: 30s, entity: hunt } }
      - { id: plain, when: 'event.kind == 3', then: tip }
    default: continue
  trust:
    actions: [allow, challenge]
    rules:
      - { id: often, when: 'event.kind <= 4', then: challenge, limit: { count: 8, per: 30s, hop: 10s, entity: player } }
    default: allow
`;
const START = 1_700_000_000_000;

interface OracleLimit {
  readonly decision: string;
  readonly rule: number;
  readonly entity: 'player' | 'hunt';
  readonly count: number;
  readonly hops: number;
  readonly hopMs: number;
  readonly matches: (kind: number) => boolean;
}
const LIMITS: readonly OracleLimit[] = [
  { decision: 'assistance', rule: 3, entity: 'player', count: 2, hops: 6, hopMs: 10_000, matches: (k) => k >= 2 },
  { decision: 'assistance', rule: 4, entity: 'hunt', count: 12, hops: 10, hopMs: 30_000, matches: (k) => k >= 1 },
  { decision: 'trust', rule: 2, entity: 'player', count: 8, hops: 3, hopMs: 10_000, matches: (k) => k <= 4 },
];

interface OracleKey {
  life: number;
  entityLife: number;
  seq: number;
  readonly takes: Map<OracleLimit, number[]>;
}

function compile(): Plan {
  return compilePipeline('limits.yaml', PIPELINE, (path) => (path === 'events.proto' ? { path, text: PROTO } : null))
    .plan;
}

function grouped<T>(all: readonly T[], keyOf: (one: T) => string | number): Map<string | number, T[]> {
  const groups = new Map<string | number, T[]>();
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return groups;
}

/** Clocks of every row by entity: the largest effective_time of its life up to its seq. */
function clocksOf(blocks: readonly StoredBlock[], entity: 'player' | 'hunt'): Map<Row, number> {
  const rows = blocks.flatMap((block) => block.rows).filter((row) => row[`${entity}_seq`] !== 0);
  const clocks = new Map<Row, number>();
  const byLife = grouped(rows, (row) => `${row[entity]}/${row[`${entity}_life`]}`);
  for (const life of byLife.values()) {
    let clock = -Infinity;
    for (const row of life.sort((a, b) => a[`${entity}_seq`]! - b[`${entity}_seq`]!)) {
      clock = Math.max(clock, row['effective_time']!);
      clocks.set(row, clock);
    }
  }
  return clocks;
}

/** What every row should say: rule, seq and life of both decisions, the blocks in the order in which they decided. */
function expected(blocks: readonly StoredBlock[]): Map<Row, Record<string, number>> {
  const clocks = { player: clocksOf(blocks, 'player'), hunt: clocksOf(blocks, 'hunt') };
  const keys = new Map<string, OracleKey>();
  const all = new Map<Row, Record<string, number>>();
  for (const { epoch, rows } of blocks) {
    for (const decision of ['assistance', 'trust']) {
      for (const row of rows) {
        const result = all.get(row) ?? {};
        all.set(row, Object.assign(result, decide(decision, row, epoch, clocks, keys)));
      }
    }
  }
  return all;
}

function decide(
  decision: string,
  row: Row,
  epoch: number,
  clocks: Readonly<Record<'player' | 'hunt', Map<Row, number>>>,
  keys: Map<string, OracleKey>,
): Record<string, number> {
  const kind = row['kind']!;
  const answer = (rule: number, seq = 0, life = 0): Record<string, number> => {
    return { [`${decision}_rule`]: rule, [`${decision}_seq`]: seq, [`${decision}_life`]: life };
  };
  if (decision === 'assistance' && kind === 7) return answer(0);
  if (decision === 'assistance' && kind === 6) return answer(2);
  for (const limit of LIMITS.filter((one) => one.decision === decision && one.matches(kind))) {
    const clock = clocks[limit.entity].get(row);
    if (clock === undefined) continue;
    const name = `${limit.entity}/${row[limit.entity]}`;
    const entityLife = row[`${limit.entity}_life`]!;
    let key = keys.get(name);
    if (key === undefined || (entityLife > key.entityLife && key.life < epoch))
      key = { life: epoch, entityLife, seq: 0, takes: new Map() };
    const takes = key.takes.get(limit) ?? [];
    const hop = Math.floor(row['effective_time']! / limit.hopMs);
    const tail = Math.max(Math.floor(clock / limit.hopMs), ...takes) - limit.hops;
    if (hop < tail || takes.filter((take) => take >= tail).length >= limit.count) continue;
    keys.set(name, key);
    key.takes.set(limit, [...takes, hop]);
    key.entityLife = Math.max(key.entityLife, entityLife);
    key.seq++;
    return answer(limit.rule, key.seq, key.life);
  }
  return answer(decision === 'assistance' && kind === 3 ? 5 : 1);
}

function event(next: () => number, now: number): object {
  const late = next() < 0.2 ? next() * 200_000 : next() * 5000;
  const hunt = next() < 0.2 ? {} : { hunt: 1 + Math.floor(next() * 3) };
  return { player: 1 + Math.floor(next() * 6), ...hunt, at: Math.floor(now - late), kind: Math.floor(next() * 8) };
}

interface Trial {
  readonly blocks: StoredBlock[];
  readonly state: Map<string, readonly number[]>;
  /** Copied while one worker had decided and the other had not, and the epoch in which that was. */
  readonly snapshot: TableChunk[];
  readonly snapshotEpoch: number;
}

function run(plan: Plan, workers: number, seed: number): Trial {
  const next = seeded(seed);
  const world = limitWorld(plan, workers);
  const blocks: StoredBlock[] = [];
  let snapshot: TableChunk[] = [];
  let snapshotEpoch = 0;
  world.now = START;
  for (let epoch = 1; epoch <= 60; epoch++) {
    world.now += next() < 0.05 ? 2 * 3_600_000 : Math.floor(next() * 30_000);
    for (let turn = 0; turn < 6; turn++) {
      const events = Array.from({ length: 1 + Math.floor(next() * 8) }, () => event(next, world.now));
      world.take(Math.floor(next() * workers), events);
    }
    const order = next() < 0.5 ? [0, 1] : [1, 0];
    blocks.push(
      ...world.end(workers === 1 ? [0] : order, () => {
        if (epoch !== 30) return;
        snapshotEpoch = epoch;
        snapshot = snapshotOf(plan, world.tables);
      }),
    );
  }
  return { blocks, state: limitState(plan, world.tables), snapshot, snapshotEpoch };
}

function snapshotOf(plan: Plan, tables: Tables): TableChunk[] {
  const chunks: TableChunk[] = [];
  for (const chunk of copyTables(plan, tables)) chunks.push({ ...chunk, bytes: chunk.bytes.slice() });
  return chunks;
}

function shuffledWithinEpochs(blocks: readonly StoredBlock[]): StoredBlock[] {
  return [...grouped(blocks, (block) => block.epoch).values()].flatMap((epoch) => [...epoch].reverse());
}

const TRIALS: readonly (readonly [workers: number, seed: number])[] = [
  [1, 11],
  [2, 12],
  [2, 13],
  ...(isLong ? [[2, 14] as const] : []),
];

describe.each(TRIALS)('%i workers, seed %i', (workers, seed) => {
  const plan = compile();
  const trial = run(plan, workers, seed);

  test('every row says what the oracle says', () => {
    const oracle = expected(trial.blocks);
    let takes = 0;
    for (const [row, wanted] of oracle) {
      expect(row).toMatchObject(wanted);
      takes += Math.sign(wanted['assistance_seq']!) + Math.sign(wanted['trust_seq']!);
    }
    expect(oracle.size).toBeGreaterThan(1000);
    expect(takes).toBeGreaterThan(200);
  });

  test('recovery gives the same limits, whichever of the blocks of an epoch comes first', () => {
    expect(limitState(plan, replayed(plan, trial.blocks))).toEqual(trial.state);
    expect(limitState(plan, replayed(plan, shuffledWithinEpochs(trial.blocks)))).toEqual(trial.state);
  });

  test('recovery from a snapshot of the middle of an epoch, over epochs that it has and lacks, again and again', () => {
    let chunks: readonly TableChunk[] = trial.snapshot;
    for (const from of [trial.snapshotEpoch, 1]) {
      const tables = freshTables(plan);
      const restore = createChunkRestorer(plan, tables);
      for (const chunk of chunks) restore(chunk);
      replayed(plan, shuffledWithinEpochs(trial.blocks.filter(({ epoch }) => epoch >= from)), tables);
      expect(limitState(plan, tables)).toEqual(trial.state);
      chunks = snapshotOf(plan, tables);
    }
  });
});
