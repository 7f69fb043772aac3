/** Heads of sealed blocks tell the ledger and the follower what the whole blocks do: frames, names, dead letters, totals. */

import { expect, test } from 'vitest';
import { appendDeadLetter, appendFrame } from '../../../native-free-core/columns/block-logs.ts';
import { eachDictionaryEntry, readBlockHeader } from '../../../native-free-core/columns/load-block.ts';
import { EVENT_MALFORMED } from '../../../native-free-core/base/outcomes.ts';
import { ENCODING_CODES } from '../../../native-free-core/layout/encoding-codes.ts';
import { FRAME_HAS_SEQ } from '../../../native-free-core/layout/frame-entry.ts';
import {
  epochHeadsBytes,
  readHeads,
  readHeadsEpoch,
  writeEpochHeads,
} from '../../../native-free-core/layout/epoch-heads-record.ts';
import { createSeq } from '../../../native-free-core/layout/seq.ts';
import { Ledger } from '../../../src/audit/ledger.ts';
import { positionOf } from '../../../src/contract/event-log.ts';
import { enterLedger } from '../../../src/recovery/recover-tables.ts';
import { emptyEpochTotals, enterBlocks } from '../../../src/warehouse/insert/batch.ts';
import { createBlockWorld } from '../../columns/block-world.ts';
import { PLAN, PRODUCER } from './store-world.ts';

const ROWS = 30;
const EPOCH = 2 ** 40 + 5;

/** Rows, two frames, and `letters` dead letters. */
function sealed(letters: number): Uint8Array {
  const world = createBlockWorld(PLAN);
  const producer = world.producer(PRODUCER);
  world.writeRows(Array.from({ length: ROWS }, (_, r) => ({ id: `event-${r}`, producer: PRODUCER, type: 1 })));
  for (let letter = 0; letter < letters; letter++) {
    const bytes = new TextEncoder().encode(`letter number ${letter}`);
    const entry = {
      producer,
      seq: createSeq(9),
      index: letter,
      outcome: EVENT_MALFORMED,
      encoding: ENCODING_CODES.protobuf,
    };
    appendDeadLetter(world.deadLetters, { ...entry, length: bytes.length, detailLength: 0 }, bytes, 0);
  }
  const frame = {
    producer,
    flags: FRAME_HAS_SEQ,
    received: ROWS + letters,
    accepted: ROWS,
    duplicates: 2,
    dead: letters,
  };
  appendFrame(world.frames, { ...frame, seq: createSeq(9) });
  appendFrame(world.frames, { ...frame, seq: createSeq(12) });
  return world.seal(ROWS).slice();
}

function headsOf(blocks: readonly Uint8Array[]): Uint8Array[] {
  const bytes = new Uint8Array(epochHeadsBytes(blocks));
  const record = { bytes, view: new DataView(bytes.buffer) };
  writeEpochHeads(record, 0, EPOCH, blocks);
  expect(readHeadsEpoch(record.view, 0)).toBe(EPOCH);
  return readHeads(record, 0);
}

function told(blocks: readonly Uint8Array[]): unknown {
  const ledger = new Ledger();
  enterLedger(ledger, positionOf(EPOCH), blocks, () => new Uint8Array(0));
  const totals = emptyEpochTotals();
  enterBlocks(totals, blocks);
  const entries: string[] = [];
  for (const block of blocks)
    eachDictionaryEntry(block, (id, bytes, start, length) =>
      entries.push(`${id} ${Buffer.from(bytes.subarray(start, start + length)).toString()}`),
    );
  return { saved: Buffer.from(ledger.save()).toString(), totals, entries };
}

test.each([0, 1, 7])('with %i dead letters', (letters) => {
  const blocks = [sealed(letters), sealed(letters + 2)];
  const heads = headsOf(blocks);
  expect(told(heads)).toEqual(told(blocks));
  expect(heads.map((head) => readBlockHeader(head).columns)).toEqual([0, 0]);
  expect(heads[0]!.length).toBeLessThan(blocks[0]!.length);
});
