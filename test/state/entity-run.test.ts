/**
 * Runs of rows: whatever the locks and regions, each row with a key comes once, rows of a key in the block's order, and the
 * place of each is the one that a search finds, though rows before it in its run have come or gone meanwhile.
 */

import { describe, expect, test } from 'vitest';
import { ROW_SEEN_SLOT, ROW_SEQ_SLOT, shapeEntityTable } from '../../native-free-core/layout/entity-layout.ts';
import {
  createEntityRun,
  lockRun,
  orderRows,
  RUN_ROWS,
  seekRow,
  type EntityRun,
} from '../../native-free-core/state/entity-run.ts';
import {
  createEntityRegions,
  createRow,
  findRow,
  openEntityTable,
  seekStripe,
  unlockStripe,
  type EntityTable,
} from '../../native-free-core/state/entity-table.ts';
import { trimEntities } from '../../native-free-core/state/trim-entities.ts';
import { seeded } from '../random.ts';

const ROWS = 1500;
const ROW_BYTES = 256;
const RINGS = [{ hopMs: 1000, buckets: 4, at: 12, bucketSlots: 5 }];

interface World {
  readonly table: EntityTable;
  readonly run: EntityRun;
}

function worldOf(max: number, locks: number, regionBytesMax: number): World {
  const shape = shapeEntityTable(max, ROW_BYTES, ROWS, regionBytesMax, locks);
  const table = openEntityTable(shape, createEntityRegions(shape));
  const input = {
    table,
    keys: new Int32Array(4 * ROWS),
    present: new Uint8Array(ROWS),
    effective: new Float64Array(ROWS),
  };
  return { table, run: createEntityRun(input, 12, RINGS) };
}

function keyOf({ keys }: EntityRun, r: number): [number, number, number, number] {
  return [keys[4 * r]!, keys[4 * r + 1]!, keys[4 * r + 2]!, keys[4 * r + 3]!];
}

function fill({ keys, present, effective }: EntityRun, random: () => number, keyCount: number, epoch: number): void {
  for (let r = 0; r < ROWS; r++) {
    // Two keys in three have the first word of another: that word alone is only a guess.
    const key = 1 + Math.floor(random() * keyCount);
    keys.set([Math.ceil(key / 3), key, 0, 1], 4 * r);
    present[r] = random() < 0.1 ? 0 : 1;
    effective[r] = epoch * 700 + r;
  }
}

function isOther({ table, run }: World, at: number, r: number): boolean {
  return keyOf(run, r).some((word, i) => table.words[2 * at + i] !== word);
}

/** What a kernel does with a block; calls `each` with the block's row and where the entity's row was found. */
function moveBlock(world: World, epoch: number, each: (r: number, at: number) => void): void {
  const { table, run } = world;
  const rows = orderRows(run, 0, ROWS);
  for (let begin = 0, end = 0; begin < rows; begin = end) {
    end = lockRun(run, begin);
    expect(end - begin).toBeLessThanOrEqual(RUN_ROWS);
    const lock = table.lock;
    expect(table.regionWords[0]![lock], 'held').toBe(1);
    for (let i = begin; i < end; i++) {
      const r = run.order[i]!;
      let at = run.places[i - begin]!;
      if (at < 0 || isOther(world, at, r)) at = seekRow(run, r);
      if (at < 0) at = createRow(table, ...keyOf(run, r), epoch);
      if (at < 0) throw new Error(`no room: row=${r}`);
      each(r, at);
      table.floats[at + ROW_SEEN_SLOT] = epoch;
      table.floats[at + ROW_SEQ_SLOT]!++;
    }
    unlockStripe(table);
    expect(table.regionWords[0]![lock], 'free').toBe(0);
  }
}

const SEED = 23;

describe.each([
  { name: 'one lock, one region', max: 5000, locks: 1, regionBytes: 2 ** 30, keys: 2000 },
  { name: 'eight locks, one region', max: 5000, locks: 8, regionBytes: 2 ** 30, keys: 2000 },
  { name: 'eight locks, several regions', max: 5000, locks: 8, regionBytes: 2 ** 20, keys: 2000 },
  { name: 'one lock, several regions', max: 5000, locks: 1, regionBytes: 2 ** 20, keys: 2000 },
  {
    name: 'more keys than rows: places change hands within a run',
    max: 400,
    locks: 2,
    regionBytes: 2 ** 30,
    keys: 1500,
  },
])(`$name, seed ${SEED}`, ({ max, locks, regionBytes, keys }) => {
  test('every row comes once, in its key’s order, with its entity', () => {
    const world = worldOf(max, locks, regionBytes);
    const { run, table } = world;
    const random = seeded(SEED);
    let changed = 0;
    for (let epoch = 1; epoch <= 6; epoch++) {
      fill(run, random, keys, epoch);
      const last = new Map<number, number>();
      const seen: number[] = [];
      moveBlock(world, epoch, (r, at) => {
        const [k0, k1, k2, k3] = keyOf(run, r);
        if ((last.get(k1) ?? -1) >= r) throw new Error(`out of the order of its key: row=${r}`);
        last.set(k1, r);
        seen.push(r);
        const { floats } = table;
        seekStripe(table, k0, k1, k2, k3);
        if (findRow(table, k0, k1, k2, k3) !== at || table.floats !== floats)
          throw new Error(`not its place: row=${r}`);
        if (table.floats[at + ROW_SEQ_SLOT] === 0) changed++;
      });
      const expected = Array.from({ length: ROWS }, (_, r) => r).filter((r) => run.present[r] === 1);
      expect(seen.sort((a, b) => a - b)).toEqual(expected);
      trimEntities(table, epoch);
    }
    expect(changed).toBeGreaterThanOrEqual(keys * 0.9);
  });
});

test('a table has as many locks as it may, and no more than stripes in its first region', () => {
  const locksOf = (max: number, regionBytes: number, locks: number): number =>
    shapeEntityTable(max, ROW_BYTES, ROWS, regionBytes, locks).locks;
  expect(locksOf(100_000, 2 ** 30, 64)).toBe(64);
  expect(locksOf(100_000, 2 ** 30, 1)).toBe(1);
  expect(locksOf(2000, 2 ** 30, 64)).toBe(4);
  expect(locksOf(5000, 2 ** 20, 64)).toBeLessThan(16);
});
