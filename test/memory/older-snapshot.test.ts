/** Snapshots of before producers had a table of their own: names lay in the dictionary, and rows were found by their ids. */

import { expect, test } from 'vitest';
import {
  PRODUCER_ROW_BYTES_1,
  ROW_BITMAP,
  ROW_HIGHEST_LOW,
  ROW_SEEN,
} from '../../native-free-core/layout/producer-layout.ts';
import { dictionaryCount } from '../../native-free-core/state/dictionary.ts';
import { findProducer, producerCount } from '../../native-free-core/state/producer-names.ts';
import { SEQ_NEW, SEQ_TAKEN, highestSeq, takeSeq } from '../../native-free-core/state/producers.ts';
import { loadPipeline } from '../../src/config/index.ts';
import { restoreTables } from '../../src/recovery/recover-tables.ts';
import { allocateMemory } from '../../src/memory/regions.ts';
import { namesRoom, type TableChunk } from '../../src/memory/snapshot-tables.ts';
import { Ledger } from '../../src/audit/ledger.ts';
import { openTables } from '../../src/workers/open-tables.ts';
import { PIPELINE } from '../decide/decider-world.ts';

const NOW = 1_700_000_000_000;
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** In id order from 1 on. */
function dictionaryChunk(texts: readonly string[]): TableChunk {
  const entries = texts.map((text) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(encode(text).length);
    return Buffer.concat([length, encode(text)]);
  });
  return { name: 'dictionary', index: 0, bytes: new Uint8Array(Buffer.concat(entries)) };
}

/** Rows of the dictionary's ids from 0 on; `seqs`: the highest taken, each alone. */
function producersChunk(seqs: readonly number[]): TableChunk {
  const bytes = new Uint8Array(seqs.length * PRODUCER_ROW_BYTES_1);
  const view = new DataView(bytes.buffer);
  seqs.forEach((seq, id) => {
    const at = id * PRODUCER_ROW_BYTES_1;
    if (seq === 0) return;
    view.setUint32(at + ROW_HIGHEST_LOW * 4, seq, true);
    view.setFloat64(at + ROW_SEEN * 8, NOW, true);
    view.setUint32(at + (ROW_BITMAP + ((seq % 1024) >> 5)) * 4, (1 << (seq & 31)) >>> 0, true);
  });
  return { name: 'producers', index: 0, bytes };
}

test('its producers, its ledger and its strings are taken over', async () => {
  const plan = await loadPipeline(PIPELINE);
  const line = {
    received: 3,
    accepted: 1,
    duplicates: 1,
    deadLettered: 1,
    framesRejected: 2,
    highestSeq: 9,
    framesTaken: 2,
  };
  const saved = {
    epoch: 7,
    receivedAt: NOW,
    lines: [
      [0, line],
      [2, line],
    ],
    dedups: [0, 2],
  };
  const chunks: TableChunk[] = [
    { name: 'ledger', index: 0, bytes: encode(JSON.stringify(saved)) },
    dictionaryChunk(['forest', 'phone-1', 'cave', 'phone-2']),
    producersChunk([0, 0, 9, 0, 1500]),
  ];
  const memory = allocateMemory(plan, 1, 1, namesRoom(plan, chunks));
  const tables = openTables(memory);
  const ledger = new Ledger();
  expect(restoreTables({ plan, tables }, ledger, chunks)).toBe(3);

  const { producers, dictionary } = tables;
  expect(dictionaryCount(dictionary)).toBe(5);
  // What blocks of that version may still add: fields and producers together.
  expect(dictionary.entriesMax).toBeGreaterThanOrEqual(plan.dictionaryMax + 262_144);
  expect(producerCount(producers)).toBe(2);
  const rowOf = (name: string): number => findProducer(producers, encode(name), 0, encode(name).length);
  expect([rowOf('forest'), rowOf('cave')]).toEqual([0, 0]);
  expect(highestSeq(producers, rowOf('phone-1'), NOW)).toBe(9);
  expect(highestSeq(producers, rowOf('phone-2'), NOW)).toBe(1500);
  expect(takeSeq(producers, rowOf('phone-1'), 9)).toBe(SEQ_TAKEN);
  expect(takeSeq(producers, rowOf('phone-1'), 8)).toBe(SEQ_NEW);

  expect([...ledger.lines().keys()]).toEqual(['', 'phone-1']);
  // Once, all dead letters were kept.
  expect(ledger.lines().get('phone-1')).toMatchObject({ ...line, lettersKept: 3 });
  expect([...ledger.dedups]).toEqual(['', 'phone-1']);
  expect(ledger.total()).toMatchObject({ received: 6, lettersKept: 6 });
});
