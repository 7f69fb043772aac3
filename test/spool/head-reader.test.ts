/**
 * Epochs without their columns: what is counted of them is what is counted of whole ones, and whatever is not handed over,
 * since it is of before, finds no room or is too large, comes from the disk, each once and in order.
 */

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { readBlockHeader } from '../../native-free-core/columns/load-block.ts';
import { createLane, openLane, type Lane } from '../../native-free-core/ring/lane.ts';
import { positionOf, type LogReader } from '../../src/contract/event-log.ts';
import { HeadReader } from '../../src/spool/head-reader.ts';
import { openSpoolReader } from '../../src/spool/reader.ts';
import { nodeStorage } from '../../src/spool/storage.ts';
import { emptyEpochTotals, enterBlocks } from '../../src/warehouse/insert/batch.ts';
import { openLog, type LogShape, type OpenLog } from './open-log.ts';

const SHAPE: LogShape = { workers: 2, segmentBytes: 4 << 20, laneBytes: 64 * 1024, bytesMin: 1000, bytesMax: 1500 };
const LANE_BYTES = 64 * 1024;

let directory = '';
let lane: SharedArrayBuffer;
let log: OpenLog;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'spool-'));
  lane = createLane(LANE_BYTES);
  log = openLog(nodeStorage, directory, { ...SHAPE, heads: openLane(lane) });
});
afterEach(() => {
  log.writer.close();
  fs.rmSync(directory, { recursive: true });
});

function sealAndCommit(epochs: number): void {
  for (let count = 0; count < epochs; count++) {
    if (!log.workers.seal()) throw new Error('a block lane is full');
    while (log.writer.waiting()) log.writer.commitWaiting();
  }
}

const openHeads = (heads: Lane = openLane(lane)): HeadReader =>
  new HeadReader(heads, openSpoolReader(nodeStorage, directory));

/** Epoch by epoch what the follower counts. */
function counted(reader: LogReader, from: number, through: number): unknown[] {
  reader.seek(positionOf(from));
  const found: unknown[] = [];
  for (let entry = reader.next(positionOf(through)); entry !== null; entry = reader.next(positionOf(through))) {
    const totals = emptyEpochTotals();
    enterBlocks(totals, entry.blocks);
    found.push({ epoch: entry.epoch, blocks: entry.blocks.length, ...totals });
  }
  return found;
}

const fromDisk = (from: number, through: number): unknown[] =>
  counted(openSpoolReader(nodeStorage, directory), from, through);

test('epochs that were handed over count as those on the disk do, and are not read from it', () => {
  const heads = openHeads();
  sealAndCommit(20);
  expect(counted(heads, 1, 15)).toEqual(fromDisk(1, 15));
  sealAndCommit(7);
  expect(counted(heads, 16, 27)).toEqual(fromDisk(16, 27));
  expect(heads.figures).toEqual({ handed: 27, read: 0 });
});

test('a head has no columns, and the size of the whole block', () => {
  const heads = openHeads();
  sealAndCommit(1);
  const [block] = openSpoolReader(nodeStorage, directory).next(positionOf(1))!.blocks;
  const [head] = heads.next(positionOf(1))!.blocks;
  expect(readBlockHeader(head!)).toMatchObject({
    bytes: block!.length,
    columns: 0,
    rows: readBlockHeader(block!).rows,
  });
});

test('epochs that find no room come from the disk, in their place, and later ones from the lane again', () => {
  const heads = openHeads();
  // Heads of simulated blocks are nearly whole ones, so that some twenty epochs fill the lane.
  sealAndCommit(40);
  expect(counted(heads, 1, 30)).toEqual(fromDisk(1, 30));
  const { handed, read } = heads.figures;
  expect(handed).toBeGreaterThan(10);
  expect(read).toBe(30 - handed);
  sealAndCommit(10);
  expect(counted(heads, 31, 50)).toEqual(fromDisk(31, 50));
  expect(heads.figures.handed).toBe(handed + 10);
});

test('epochs of before come from the disk; what lies in the lane of epochs that are passed over is dropped', () => {
  sealAndCommit(3);
  log.writer.close();
  lane = createLane(LANE_BYTES);
  log = openLog(nodeStorage, directory, { ...SHAPE, heads: openLane(lane) });
  const heads = openHeads();
  sealAndCommit(6);
  expect(counted(heads, 1, 4)).toEqual(fromDisk(1, 4));
  expect(heads.figures).toEqual({ handed: 1, read: 3 });
  expect(counted(heads, 7, 9)).toEqual(fromDisk(7, 9));
  expect(heads.figures).toEqual({ handed: 4, read: 3 });
});

test('what is too large for the lane comes from the disk', () => {
  log.writer.close();
  fs.rmSync(directory, { recursive: true });
  fs.mkdirSync(directory);
  const small = createLane(4096);
  log = openLog(nodeStorage, directory, { ...SHAPE, heads: openLane(small) });
  const heads = openHeads(openLane(small));
  sealAndCommit(3);
  expect(counted(heads, 1, 3)).toEqual(fromDisk(1, 3));
  expect(heads.figures).toEqual({ handed: 0, read: 3 });
});
