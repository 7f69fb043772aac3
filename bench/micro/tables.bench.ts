/** The shared tables and lanes alone: what an entity look-up, a seq, an id and a record cost. */

import { shapeEntityTable } from '../../native-free-core/layout/entity-layout.ts';
import { REGION_BYTES_MAX } from '../../native-free-core/layout/region.ts';
import { claim, commit, createLane, openLane, release, reserve } from '../../native-free-core/ring/lane.ts';
import { createEntityRun, lockRun, orderRows, seekRow } from '../../native-free-core/state/entity-run.ts';
import {
  createEntityRegions,
  createRow,
  findRow,
  lockStripe,
  openEntityTable,
  unlockStripe,
} from '../../native-free-core/state/entity-table.ts';
import { createIdWindow, openIdWindow, takeId } from '../../native-free-core/state/id-window.ts';
import { createProducers, openProducers, seeProducer, takeSeq } from '../../native-free-core/state/producers.ts';
import { seeded } from '../../test/random.ts';
import type { Bench, BenchFigure } from '../bench.ts';

function timed(
  name: string,
  count: number,
  parameters: Record<string, unknown>,
  action: (i: number) => number,
): BenchFigure {
  let sum = 0;
  for (let i = 0; i < count / 10; i++) sum = (sum + action(i)) | 0;
  const begun = performance.now();
  for (let i = 0; i < count; i++) sum = (sum + action(i)) | 0;
  const value = ((performance.now() - begun) * 1e6) / count;
  return { name, unit: 'ns', value, checksum: String(sum >>> 0), parameters: { count, ...parameters } };
}

const BLOCK_ROWS = 8192;
const ROW_BYTES = 640;
/** f64 slots of a row's head, and one ring: what a player of the example game has. */
const HEAD_SLOTS = 21;
const RING = { hopMs: 60_000, buckets: 6, at: 28, bucketSlots: 6 };

/**
 * Rows of many entities in a random order, once looked up one by one, once in runs; each is written to where an event would.
 * In turns, the median of the ratios: neighbours on the machine disturb both alike.
 */
function runsFigure(entities: number, blocks: number): BenchFigure {
  const shape = shapeEntityTable(entities, ROW_BYTES, BLOCK_ROWS, REGION_BYTES_MAX);
  const table = openEntityTable(shape, createEntityRegions(shape));
  const keys = new Int32Array(4 * BLOCK_ROWS);
  const present = new Uint8Array(BLOCK_ROWS).fill(1);
  const run = createEntityRun({ table, keys, present, effective: new Float64Array(BLOCK_ROWS) }, HEAD_SLOTS, [RING]);
  for (let key = 1; key <= entities; key++) {
    lockStripe(table, key, 0, 0, 1);
    createRow(table, key, 0, 0, 1, 0);
    unlockStripe(table);
  }
  const oneByOne = (): void => {
    for (let r = 0; r < BLOCK_ROWS; r++) {
      lockStripe(table, keys[4 * r], 0, 0, 1);
      table.floats[findRow(table, keys[4 * r], 0, 0, 1) + HEAD_SLOTS - 1]++;
      unlockStripe(table);
    }
  };
  const inRuns = (): void => {
    const rows = orderRows(run, 0, BLOCK_ROWS);
    for (let begin = 0, end = 0; begin < rows; begin = end) {
      end = lockRun(run, begin);
      for (let i = begin; i < end; i++) {
        const at = run.places[i - begin];
        const r = run.order[i];
        table.floats[(table.words[2 * at] === keys[4 * r] ? at : seekRow(run, r)) + HEAD_SLOTS - 1]++;
      }
      unlockStripe(table);
    }
  };
  const spent = (action: () => void): number => {
    const before = process.cpuUsage();
    action();
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  const random = seeded(1);
  const ratios: number[] = [];
  const nanoseconds = { oneByOne: [] as number[], inRuns: [] as number[] };
  for (let block = 0; block < blocks; block++) {
    for (let r = 0; r < BLOCK_ROWS; r++) keys.set([1 + Math.floor(random() * entities), 0, 0, 1], 4 * r);
    const isFirst = block % 2 === 0;
    const early = isFirst ? spent(oneByOne) : 0;
    const runs = spent(inRuns);
    const ones = isFirst ? early : spent(oneByOne);
    if (block < blocks / 4) continue;
    ratios.push(runs / ones);
    nanoseconds.oneByOne.push((ones * 1000) / BLOCK_ROWS);
    nanoseconds.inRuns.push((runs * 1000) / BLOCK_ROWS);
  }
  const parameters = {
    entities,
    rowBytes: ROW_BYTES,
    blocks,
    nsOneByOne: Math.round(medianOf(nanoseconds.oneByOne)),
    nsInRuns: Math.round(medianOf(nanoseconds.inRuns)),
  };
  return {
    name: 'entity: runs of rows over one by one',
    unit: 'ratio',
    value: medianOf(ratios),
    checksum: String(run.touched),
    parameters,
  };
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

export const bench: Bench = {
  name: 'tables',
  run({ tiny }) {
    const count = tiny ? 10_000 : 2_000_000;
    const players = tiny ? 1000 : 200_000;
    const shape = shapeEntityTable(players, 640, 16384, REGION_BYTES_MAX);
    const table = openEntityTable(shape, createEntityRegions(shape));
    const ids = openIdWindow(createIdWindow(tiny ? 10_000 : 4_000_000, 600_000));
    const producers = openProducers(createProducers(4));
    const lane = createLane(1 << 20);
    const writer = openLane(lane);
    const reader = openLane(lane);
    const entity = (i: number): number => {
      const key = (Math.imul(i, 2654435761) >>> 0) % players;
      lockStripe(table, key, 0, 0, 1);
      let row = findRow(table, key, 0, 0, 1);
      if (row < 0) row = createRow(table, key, 0, 0, 1, 1);
      unlockStripe(table);
      return row;
    };
    const record = (i: number): number => {
      const at = reserve(writer, 1, 70);
      writer.bytes[at] = i;
      commit(writer);
      claim(reader);
      release(reader);
      return at;
    };
    return Promise.resolve([
      timed('entity: lock, find or create, unlock', count, { players }, entity),
      runsFigure(tiny ? 1000 : 200_000, tiny ? 8 : 200),
      runsFigure(tiny ? 2000 : 2_000_000, tiny ? 8 : 200),
      timed('id window: take a new id', count, {}, (i) =>
        takeId(ids, Math.imul(i, 2654435761), i, 1, 1, 1000 + i / 100),
      ),
      timed(
        'producer: take a seq',
        count,
        {},
        (i) => seeProducer(producers, 1, 0, 1000) + takeSeq(producers, 1, i + 1),
      ),
      timed('lane: reserve, commit, claim, release 70 bytes', count, {}, record),
    ]);
  },
};
