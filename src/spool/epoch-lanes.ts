/**
 * The lanes from the decision workers, seen as one stream of epochs. An epoch is whole once as many lanes begin with a
 * block of it as its blocks announce. Used by the spool writer, on the spool thread.
 *
 *   begin - { countBlocks - bodyBytes - takeEpoch }* - release, or rewind where the group could not be written
 */

import { crc32 } from 'node:zlib';

import { fail } from '../../native-free-core/base/fail.ts';
import { BLOCK_HEADER_BYTES, readSealedHeader } from '../../native-free-core/layout/block-layout.ts';
import {
  BLOCK_BODY_AT,
  readBlockEpoch,
  readBlockParticipants,
  readBlockWorker,
} from '../../native-free-core/layout/block-record.ts';
import {
  FRAME_ENTRY_BYTES,
  FRAME_REJECTED,
  createFrameEntry,
  readFrameEntry,
} from '../../native-free-core/layout/frame-entry.ts';
import { RECORD_BLOCK } from '../../native-free-core/layout/record-kinds.ts';
import { claim, releaseTo, step } from '../../native-free-core/ring/lane.ts';
import type { Lane } from '../../native-free-core/ring/lane.ts';
import type { EpochRecord } from '../../native-free-core/layout/epoch-commit-record.ts';
import { paddedBytes } from './epoch-record.ts';

export class EpochLanes {
  readonly #lanes: readonly Lane[];
  /** Per lane the offset of the claimed payload, negative while none is; and the tail at `begin`. */
  readonly #heads: Int32Array;
  readonly #tails: Int32Array;

  constructor(lanes: readonly Lane[]) {
    this.#lanes = lanes;
    this.#heads = new Int32Array(lanes.length).fill(-1);
    this.#tails = new Int32Array(lanes.length);
  }

  /** Remembers where the lanes stand. */
  begin(): void {
    for (let index = 0; index < this.#lanes.length; index++) this.#tails[index] = this.#lane(index).tail;
  }

  /** How many blocks the epoch has where all of them have arrived, otherwise 0. */
  countBlocks(epoch: number): number {
    let blocks = 0;
    let participants = 0;
    for (let index = 0; index < this.#lanes.length; index++) {
      const lane = this.#lane(index);
      const at = this.#head(index);
      if (at < 0) continue;
      const found = readBlockEpoch(lane.view, at);
      if (found > epoch) continue;
      if (found < epoch) fail('spool_epoch_order', found);
      const announced = readBlockParticipants(lane.view, at);
      if (announced === 0 || (blocks > 0 && announced !== participants)) fail('spool_participants', announced);
      participants = announced;
      blocks++;
    }
    if (blocks > participants) fail('spool_blocks', blocks);
    return blocks === participants ? blocks : 0;
  }

  /** Bytes of the blocks that `countBlocks` found, each padded. */
  bodyBytes(epoch: number): number {
    let bytes = 0;
    for (let index = 0; index < this.#lanes.length; index++) {
      if (this.#takesPart(index, epoch)) bytes += paddedBytes(this.#lane(index).claimedBytes - BLOCK_BODY_AT);
    }
    return bytes;
  }

  /**
   * Appends the epoch's blocks to `vector`, steps over them, and fills in what `record` says about them, totals included.
   */
  takeEpoch(epoch: number, record: EpochRecord, vector: Uint8Array[]): void {
    record.workers.length = 0;
    record.blockBytes.length = 0;
    record.bodyCrc = 0;
    record.bodyBytes = 0;
    for (let index = 0; index < this.#lanes.length; index++) {
      if (!this.#takesPart(index, epoch)) continue;
      const lane = this.#lane(index);
      const head = this.#head(index);
      const at = head + BLOCK_BODY_AT;
      const bytes = lane.claimedBytes - BLOCK_BODY_AT;
      // The lane pads its records too, so the padding can be written with the block.
      const padded = new Uint8Array(lane.buffer, at, paddedBytes(bytes));
      record.workers.push(readBlockWorker(lane.view, head));
      record.blockBytes.push(bytes);
      record.bodyCrc = crc32(padded, record.bodyCrc);
      record.bodyBytes += padded.length;
      countBlock(record, lane.view, at, bytes);
      vector.push(padded);
      step(lane);
      this.#heads[index] = -1;
    }
    record.epoch = epoch;
    record.blocks = record.workers.length;
  }

  /** Frees what was taken since `begin`: the workers may overwrite it. */
  release(): void {
    for (let index = 0; index < this.#lanes.length; index++) {
      const lane = this.#lane(index);
      if (lane.tail !== this.#tails[index]) releaseTo(lane, lane.tail);
    }
  }

  /** Goes back to where `begin` was: the same epochs will be taken again. */
  rewind(): void {
    for (let index = 0; index < this.#lanes.length; index++) {
      this.#lane(index).tail = this.#tails[index] as number;
      this.#heads[index] = -1;
    }
  }

  #head(index: number): number {
    const head = this.#heads[index] as number;
    if (head >= 0) return head;
    const lane = this.#lane(index);
    const at = claim(lane);
    if (at < 0) return at;
    if (lane.claimedKind !== RECORD_BLOCK) fail('spool_record_kind', lane.claimedKind);
    this.#heads[index] = at;
    return at;
  }

  #takesPart(index: number, epoch: number): boolean {
    const head = this.#heads[index] as number;
    return head >= 0 && readBlockEpoch(this.#lane(index).view, head) === epoch;
  }

  #lane(index: number): Lane {
    return this.#lanes[index] as Lane;
  }
}

const entry = createFrameEntry();

/** Adds a block's counts to the record's totals, and refuses what is not a block. */
function countBlock(record: EpochRecord, view: DataView, at: number, bytes: number): void {
  const header = bytes < BLOCK_HEADER_BYTES ? null : readSealedHeader(view, at);
  if (header === null || !header.hasNames) return fail('spool_block_magic', view.getUint32(at, true));
  if (header.bytes !== bytes) fail('spool_block_size', bytes);
  const { totals } = record;
  const { frames, framesAt } = header;
  if (framesAt + frames * FRAME_ENTRY_BYTES > bytes) fail('spool_block_frames', frames);
  record.pipelineVersion = header.pipelineNumber;
  record.receivedAt = Math.max(record.receivedAt, header.receivedAt);
  totals.rows += header.rows;
  totals.frames += frames;
  totals.blockBytes += bytes;
  for (let frame = 0; frame < frames; frame++) {
    readFrameEntry(view, at + framesAt + frame * FRAME_ENTRY_BYTES, entry);
    if ((entry.flags & FRAME_REJECTED) !== 0) continue;
    totals.received += entry.received;
    totals.duplicates += entry.duplicates;
    totals.deadLettered += entry.dead;
  }
}
