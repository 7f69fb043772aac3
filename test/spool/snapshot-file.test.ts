import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { createSnapshot } from '../../src/spool/snapshot-file.ts';
import { listSnapshots, snapshotPath } from '../../src/spool/snapshot-layout.ts';
import { restoreNewest, type LoadedSnapshot } from '../../src/spool/snapshot-load.ts';
import { nodeStorage } from '../../src/spool/storage.ts';
import type { Storage } from '../../src/spool/storage.ts';
import { LossyStorage, seededRandom } from './lossy-storage.ts';
import { positionOf, written } from '../../src/contract/event-log.ts';

let directory = '';
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'snapshots-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

const FAST = { bytesPerSecondMax: 1e12 };

interface Chunk {
  readonly name: string;
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** Chunks of all sizes, in shared memory as the tables are; larger and smaller than a slice, and empty. */
function chunksOf(epoch: number): Chunk[] {
  const random = seededRandom(epoch);
  return [0, 1, 7, 8, 1000, 1 << 20, 2_500_001, 3].map((length, index) => {
    const bytes = new Uint8Array(new SharedArrayBuffer(length));
    for (let at = 0; at < length; at += 97) bytes[at] = random() * 256;
    return { name: index % 2 === 0 ? 'entity:player' : 'Wörterbuch', index: index * 1e10, bytes };
  });
}

async function take(storage: Storage, folder: string, fromEpoch: number, atEpoch: number): Promise<number> {
  const header = {
    fromEpoch: positionOf(fromEpoch),
    pipelineVersion: `v${fromEpoch}`,
    sections: { 'entity:player': { rowBytes: 64 } },
  };
  const writer = createSnapshot(storage, folder, header, FAST);
  for (const chunk of chunksOf(atEpoch)) await writer.write(chunk.name, chunk.index, chunk.bytes);
  return written(await writer.complete(positionOf(atEpoch)));
}

interface Read {
  readonly snapshot: LoadedSnapshot;
  readonly chunks: readonly Chunk[];
}

/** Everything that the newest whole one holds. */
function readNewest(storage: Storage, folder: string, warn: (message: string) => void = () => undefined): Read | null {
  return restoreNewest(
    storage,
    folder,
    (snapshot) => {
      const chunks = Array.from(snapshot.chunks(), ({ name, index, bytes }) => {
        expect(bytes.byteOffset % 8).toBe(0);
        return { name, index, bytes: bytes.slice() };
      });
      return { snapshot, chunks };
    },
    warn,
  );
}

function expectLoaded(storage: Storage, folder: string, fromEpoch: number, atEpoch: number): string[] {
  const warnings: string[] = [];
  const loaded = readNewest(storage, folder, (message) => warnings.push(message));
  expect(loaded?.snapshot).toMatchObject({
    fromEpoch,
    atEpoch,
    pipelineVersion: `v${fromEpoch}`,
    sections: { 'entity:player': { rowBytes: 64 } },
  });
  const wanted = chunksOf(atEpoch);
  expect(loaded!.chunks.map(({ name, index }) => [name, index])).toEqual(
    wanted.map(({ name, index }) => [name, index]),
  );
  wanted.forEach(({ bytes }, i) => expect(Buffer.compare(loaded!.chunks[i]!.bytes, bytes)).toBe(0));
  return warnings;
}

test('round trip; two are kept, and the log may be trimmed below the older', async () => {
  expect(readNewest(nodeStorage, directory)).toBeNull();
  expect(await take(nodeStorage, directory, 5, 9)).toBe(5);
  expect(expectLoaded(nodeStorage, directory, 5, 9)).toEqual([]);
  expect(await take(nodeStorage, directory, 20, 24)).toBe(5);
  expect(await take(nodeStorage, directory, 30, 31)).toBe(20);
  await expect.poll(() => listSnapshots(nodeStorage, directory)).toEqual([31, 24]);
  expect(expectLoaded(nodeStorage, directory, 30, 31)).toEqual([]);
});

test('an unfinished one does not count', async () => {
  await take(nodeStorage, directory, 1, 2);
  const writer = createSnapshot(
    nodeStorage,
    directory,
    { fromEpoch: positionOf(3), pipelineVersion: 'v3', sections: {} },
    FAST,
  );
  await writer.write('entity:player', 0, new Uint8Array(100));
  expectLoaded(nodeStorage, directory, 1, 2);
  writer.abandon();
  writer.abandon();
  expect(fs.readdirSync(directory).length).toBe(1);
  createSnapshot(nodeStorage, directory, { fromEpoch: positionOf(3), pipelineVersion: 'v3', sections: {} }, FAST);
  expect(await take(nodeStorage, directory, 4, 5)).toBe(1);
});

test('a damaged one is named and the older one serves', async () => {
  const seed = 5;
  console.log(`seed=${seed}`);
  const random = seededRandom(seed);
  await take(nodeStorage, directory, 1, 2);
  await take(nodeStorage, directory, 7, 8);
  const file = snapshotPath(directory, positionOf(8));
  const whole = fs.readFileSync(file);
  for (let attempt = 0; attempt < 30; attempt++) {
    const cut = attempt % 3 === 0;
    const at = attempt < 3 ? attempt * 9 : Math.floor(random() * whole.length);
    const bytes = cut ? whole.subarray(0, at) : Uint8Array.from(whole);
    if (!cut) bytes[at] ^= 1 << (attempt % 8);
    fs.writeFileSync(file, bytes);
    // Padding is not covered: a flipped bit in it harms nobody.
    const warnings: string[] = [];
    const loaded = readNewest(nodeStorage, directory, (message) => warnings.push(message));
    if (loaded?.snapshot.atEpoch === positionOf(8)) expectLoaded(nodeStorage, directory, 7, 8);
    else {
      expect(warnings.join()).toContain(file);
      expect(expectLoaded(nodeStorage, directory, 1, 2)).toHaveLength(1);
    }
  }
  fs.writeFileSync(snapshotPath(directory, positionOf(2)), whole.subarray(0, 100));
  expect(readNewest(nodeStorage, directory)).toBeNull();
});

test(
  'after a power cut there is always a whole one, no older than the last complete',
  { timeout: 90_000 },
  async () => {
    const seed = 6;
    console.log(`seed=${seed}`);
    const random = seededRandom(seed);
    for (let image = 0; image < 40; image++) {
      let disk = new LossyStorage();
      await take(disk, '/s', 1, 1);
      let complete = 1;
      disk.crashAfter(1 + Math.floor(random() * 40), random);
      try {
        for (let epoch = 2; ; epoch++) {
          await take(disk, '/s', epoch, epoch);
          complete = epoch;
        }
      } catch (error) {
        if (!disk.crashed) throw error;
      }
      disk = disk.image(random);
      const found = readNewest(disk, '/s')?.snapshot;
      const atEpoch = found === undefined ? 0 : written(found.atEpoch);
      expect(atEpoch).toBeGreaterThanOrEqual(complete);
      expectLoaded(disk, '/s', atEpoch, atEpoch);
    }
  },
);
