/** Tables and what comes back of them: into the same shape in whole stripes, into others row by row. */

import { expect, test } from 'vitest';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import {
  createRow,
  entityCount,
  enterStripe,
  findRow,
  lockStripe,
  restoreStripe,
  rowWord,
  unlockStripe,
  type EntityTable,
} from '../../native-free-core/state/entity-table.ts';
import { STRIPE_USED } from '../../native-free-core/layout/entity-layout.ts';
import { allocateMemory } from '../../src/memory/regions.ts';
import { copyTables, createChunkRestorer, type TableChunk } from '../../src/memory/snapshot-tables.ts';
import { openTables } from '../../src/workers/open-tables.ts';
import { changed, compileText, PIPELINE } from '../config/pipelines.ts';
import { seeded } from '../random.ts';

const ENTITIES = 20_000;

function planFor(max: string): Plan {
  return compileText(changed('max: 2M', `max: ${max}`, PIPELINE)).plan;
}

const openFor = (plan: Plan) => openTables(allocateMemory(plan, 1, 1));

function fill(table: EntityTable, random: () => number): void {
  for (let key = 1; key <= ENTITIES; key++) {
    lockStripe(table, key, 0, 0, 1);
    const at = createRow(table, key, 0, 0, 1, 7);
    for (let slot = 3; slot < table.shape.rowBytes / 8; slot++) table.floats[at + slot] = random();
    unlockStripe(table);
  }
}

function rowOf(table: EntityTable, key: number): string {
  lockStripe(table, key, 0, 0, 1);
  const at = findRow(table, key, 0, 0, 1);
  const row = at < 0 ? '' : String(table.floats.slice(at, at + table.shape.rowBytes / 8));
  unlockStripe(table);
  return row;
}

function chunksOf(plan: Plan, tables: ReturnType<typeof openFor>): TableChunk[] {
  return Array.from(copyTables(plan, tables), ({ name, index, bytes }) => ({ name, index, bytes: bytes.slice() }));
}

test.each([
  ['the same table', '40k', '40k', true],
  ['a larger table', '40k', '400k', false],
  ['a smaller table that has room', '400k', '25k', false],
])('every entity comes back into %s', (_name, before, after, isWhole) => {
  const from = openFor(planFor(before));
  const plan = planFor(after);
  const to = openFor(plan);
  fill(from.entities[0]!, seeded(1));
  expect(from.entities[0]!.shape.stripes === to.entities[0]!.shape.stripes).toBe(isWhole);
  const restore = createChunkRestorer(plan, to);
  for (const chunk of chunksOf(planFor(before), from)) expect(restore(chunk)).toBe(true);
  expect(entityCount(to.entities[0]!)).toBe(ENTITIES);
  for (let key = 1; key <= ENTITIES + 10; key++)
    expect(rowOf(to.entities[0]!, key)).toBe(rowOf(from.entities[0]!, key));
  expect(restore({ name: 'ledger', index: 0, bytes: new Uint8Array(8) })).toBe(false);
});

test('a stripe is put back whole only where it belongs and nothing is', () => {
  const [from, to] = [openFor(planFor('40k')).entities[0]!, openFor(planFor('40k')).entities[0]!];
  fill(from, seeded(2));
  enterStripe(from, 3);
  const first = rowWord(from, 0);
  const rows = from.words.slice(first, first + (from.words[from.stripe + STRIPE_USED]! * from.shape.rowBytes) / 4);
  unlockStripe(from);
  expect(rows.length).toBeGreaterThan(0);
  expect(restoreStripe(to, 4, rows)).toBe(false);
  expect(entityCount(to)).toBe(0);
  expect(restoreStripe(to, 3, rows)).toBe(true);
  const count = entityCount(to);
  expect(count).toBe(rows.length / (from.shape.rowBytes / 4));
  expect(restoreStripe(to, 3, rows)).toBe(false);
  expect(entityCount(to)).toBe(count);
  expect(restoreStripe(to, to.shape.stripes, rows)).toBe(false);
});
