/**
 * Tables of entities hold what they declare, however many keys one epoch brings, and find what they hold after rows have
 * moved.
 */

import { describe, expect, test } from 'vitest';
import { ROW_SEEN_SLOT } from '../../native-free-core/layout/entity-layout.ts';
import { shapeEntityTable } from '../../native-free-core/layout/entity-layout.ts';
import {
  createEntityRegions,
  createRow,
  entityCount,
  evictedCount,
  findRow,
  liveRows,
  lockStripe,
  openEntityTable,
  unlockStripe,
  type EntityTable,
} from '../../native-free-core/state/entity-table.ts';
import { trimEntities } from '../../native-free-core/state/trim-entities.ts';
import { seeded } from '../random.ts';

const EPOCH_ROWS = 16_384;

function tableOf(max: number): EntityTable {
  const shape = shapeEntityTable(max, 64, EPOCH_ROWS, 2 ** 30);
  return openEntityTable(shape, createEntityRegions(shape));
}

/** An event of this key; false where it found no room. */
function see(table: EntityTable, key: number, epoch: number, at = epoch): boolean {
  lockStripe(table, key, 0, 0, 1);
  let row = findRow(table, key, 0, 0, 1);
  if (row < 0) row = createRow(table, key, 0, 0, 1, epoch);
  if (row >= 0) table.floats[row + ROW_SEEN_SLOT] = at;
  unlockStripe(table);
  return row >= 0;
}

function has(table: EntityTable, key: number): boolean {
  lockStripe(table, key, 0, 0, 1);
  const row = findRow(table, key, 0, 0, 1);
  unlockStripe(table);
  return row >= 0;
}

describe.each([1, 100, 512, 513, 1000, 10_000])('a table for %i', (max) => {
  test('never holds more at the end of an epoch, and counts what left', () => {
    const table = tableOf(max);
    let key = 0;
    for (let epoch = 1; epoch <= 30; epoch++) {
      const newcomers = epoch % 10 === 0 ? 8192 : 200;
      let seen = 0;
      for (let i = 0; i < newcomers; i++) if (see(table, key++, epoch)) seen++;
      expect(seen, `epoch ${epoch}: all find room`).toBe(newcomers);
      trimEntities(table, epoch);
      expect(entityCount(table)).toBeLessThanOrEqual(max);
      let live = 0;
      for (let stripe = 0; stripe < table.shape.stripes; stripe++) live += liveRows(table, stripe);
      expect(live).toBe(entityCount(table));
      expect(live + evictedCount(table)).toBe(key);
    }
    expect(entityCount(table)).toBe(max);
    let found = 0;
    for (let i = 0; i < key; i++) if (has(table, i)) found++;
    expect(found).toBe(max);
  });
});

test('the longest idle leave first, and those that come again stay: seed 31', () => {
  const table = tableOf(100);
  const next = seeded(31);
  for (let key = 0; key < 100; key++) see(table, key, 1);
  for (let epoch = 2; epoch < 60; epoch++) {
    for (let key = 0; key < 50; key++) expect(see(table, key, epoch)).toBe(true);
    see(table, 1000 + Math.floor(next() * 1e6), epoch);
    trimEntities(table, epoch);
    for (let key = 0; key < 50; key++) expect(has(table, key), `key ${key} epoch ${epoch}`).toBe(true);
  }
});

test('what began in the next epoch already is not trimmed', () => {
  const table = tableOf(10);
  for (let key = 0; key < 20; key++) see(table, key, 7);
  trimEntities(table, 6);
  expect(entityCount(table)).toBe(20);
  trimEntities(table, 7);
  expect(entityCount(table)).toBe(10);
});
