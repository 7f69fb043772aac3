/**
 * Group commit: takes the sealed blocks of all whole epochs that wait in the lanes, writes them with their commit records in
 * one vectored write, syncs once, and tells everybody who waits. All on the spool thread; `spool-thread.ts` runs the loop,
 * tests call it directly.
 *
 * Order of a group: write - fdatasync - mark (durable-mark.ts) - heads to the main thread - free the lanes - publish
 * "durable up to" - ring. A group lies in one segment; the former segment is synced before a record goes into the next one,
 * which is what recovery relies on.
 */

import type { SpoolFigures } from '../contract/figures.ts';
import { fail } from '../../native-free-core/base/fail.ts';
import {
  BELL_STRIDE,
  DURABLE_BELL,
  DURABLE_LOW,
  INGRESS_BELL,
  SPOOL_FULL,
} from '../../native-free-core/layout/control-layout.ts';
import { LANE_FULL } from '../../native-free-core/base/outcomes.ts';
import { epochHeadsBytes, writeEpochHeads } from '../../native-free-core/layout/epoch-heads-record.ts';
import { RECORD_HEADS } from '../../native-free-core/layout/record-kinds.ts';
import { ring } from '../../native-free-core/ring/doorbell.ts';
import { commit, laneRecordBytesMax, reserve, type Lane } from '../../native-free-core/ring/lane.ts';
import { storeWatermark } from '../../native-free-core/ring/watermark.ts';
import {
  MAGIC_EPOCH,
  MAGIC_RUN,
  MAGIC_SEGMENT,
  RECORD_BYTES,
  RECORD_BYTES_MAX,
  createRecord,
  recordBytes,
} from '../../native-free-core/layout/epoch-commit-record.ts';
import type { Totals } from '../../native-free-core/layout/log-totals.ts';
import { written, type Position } from '../contract/event-log.ts';
import { OperatingError } from '../errors.ts';
import { openMark } from './durable-mark.ts';
import type { MarkWriter } from './durable-mark.ts';
import { EpochLanes } from './epoch-lanes.ts';
import { encodeRecord } from './epoch-record.ts';
import type { RecoveredSpool } from './recover-spool.ts';
import { checkSizes, segmentBytesMin } from './segment-bytes.ts';
import { SegmentPool } from './segment-pool.ts';
import { isDiskFull } from './storage.ts';
import type { Storage } from './storage.ts';

export type SpoolLog = (level: 'info' | 'warn' | 'error', message: string) => void;

export interface SpoolWriterOptions {
  readonly storage: Storage;
  readonly directory: string;
  /** The durable mark. */
  readonly markFile: string;
  /** Size of a segment: a multiple of 4,096 that holds the largest epoch the lanes can bring. */
  readonly segmentBytes: number;
  /** From this many bytes of epochs on, ingress is told to refuse. In-flight blocks still go in: lanes bound them. */
  readonly spoolBytesMax: number;
  /** Files kept for later use, at most. */
  readonly sparesMax: number;
  readonly recovered: RecoveredSpool;
  /** The first epoch that the workers will seal. */
  readonly fromEpoch: Position;
  readonly control: Int32Array;
  /** One for each worker, in the workers' order. */
  readonly lanes: readonly Lane[];
  /** To the main thread: durable epochs without their columns, as far as there is room; default: none are handed over. */
  readonly heads?: Lane;
  readonly ingressCount: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly log: SpoolLog;
}

/** Epochs of one group: bounds the room for commit records, and how long the first of them waits for the last. */
const GROUP_EPOCHS_MAX = 256;
/** A group closes beyond this: a larger write saves nothing more, and its first answers would wait longer. */
const GROUP_BYTES_MAX = 8 << 20;
/** Pauses between attempts while the disk is full. */
const FULL_PAUSE_MS_MIN = 100;
const FULL_PAUSE_MS_MAX = 5000;
/** After a slice of a future segment, pause for this many times as long: one commit in five may meet a slice. */
const REST_PER_SLICE = 4;

export class SpoolWriter {
  readonly #options: SpoolWriterOptions;
  readonly #pool: SegmentPool;
  readonly #lanes: EpochLanes;
  readonly #durable: MarkWriter;
  readonly #record = createRecord();
  readonly #totalsBefore: Totals;
  /** Encoded records of the group: place 0 for SEGMENT or RUN, then one for each epoch. */
  readonly #records = new Uint8Array((GROUP_EPOCHS_MAX + 1) * RECORD_BYTES_MAX);
  readonly #recordsView = new DataView(this.#records.buffer);
  readonly #vector: Uint8Array[] = [];
  /** The blocks of each epoch of the group, from `first` on. */
  readonly #blocks: (readonly Uint8Array[])[] = [];
  readonly #figures: SpoolFigures;
  /** End of the written bytes in the segment, and what it will be once the group is written. */
  #position: number;
  #groupEnd = 0;
  #nextEpoch: number;
  #trimBelow = 0;
  /** While the disk is full: pause until the next attempt; `starved` once even the current segment cannot take more. */
  #fullPauseMs = 0;
  #retryAt = 0;
  #starved = false;
  #restUntil = 0;

  /** Returns with the log ready: a mark of this run is on the disk before the first epoch is taken. */
  constructor(options: SpoolWriterOptions) {
    checkSizes(options, segmentBytesMin(options.lanes.map(({ buffer }) => buffer)));
    const { recovered, storage, directory, segmentBytes, sparesMax } = options;
    const fromEpoch = written(options.fromEpoch);
    if (recovered.segments.length > 0 && written(recovered.lastEpoch) + 1 !== fromEpoch)
      fail('spool_from_epoch', fromEpoch);
    const { segments: live, spareSlots, slotMax } = recovered;
    this.#options = options;
    this.#pool = new SegmentPool({ storage, directory, segmentBytes, sparesMax, live, spareSlots, slotMax });
    this.#lanes = new EpochLanes(options.lanes);
    this.#position = recovered.position;
    this.#nextEpoch = fromEpoch;
    Object.assign(this.#record.totals, recovered.totals);
    this.#totalsBefore = { ...recovered.totals };
    this.#record.run = recovered.run + 1;
    this.#record.receivedAt = recovered.receivedAt;
    this.#record.segmentSequence = this.#pool.last?.sequence ?? 0;
    this.#figures = {
      durableEpoch: fromEpoch - 1,
      groups: 0,
      epochs: 0,
      bytes: 0,
      commitMs: 0,
      commitMsMax: 0,
      liveBytes: 0,
      spareSegments: 0,
      full: false,
      diskFull: false,
    };
    // Before the first segment of a new folder, so that whoever finds a segment misses the mark.
    const { folderId, totals, receivedAt } = recovered;
    this.#durable = openMark(storage, options.markFile, { folderId, epoch: fromEpoch - 1, totals, receivedAt });
    this.#begin();
    this.#publish();
  }

  /** Writes and syncs the whole epochs that wait, at most one group. Returns how many epochs became durable. */
  commitWaiting(): number {
    if (this.#starved && this.pauseMs() > 0) return 0;
    const first = this.#nextEpoch;
    Object.assign(this.#totalsBefore, this.#record.totals);
    this.#lanes.begin();
    try {
      if (this.#collect() === 0) return 0;
      this.#writeGroup();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#lanes.rewind();
      Object.assign(this.#record.totals, this.#totalsBefore);
      this.#nextEpoch = first;
      this.#starved = true;
      this.#pauseForSpace(error);
      return 0;
    }
    if (this.#starved) this.#fullPauseMs = 0;
    this.#starved = false;
    this.#promise();
    this.#handOver(first);
    this.#lanes.release();
    this.#figures.epochs += this.#nextEpoch - first;
    this.#publish();
    this.#keepPace();
    return this.#nextEpoch - first;
  }

  /** Whether `commitWaiting` would find something to write. */
  waiting(): boolean {
    if (this.#starved && this.pauseMs() > 0) return false;
    return this.#lanes.countBlocks(this.#nextEpoch) > 0;
  }

  /** How long the full disk is still left alone. */
  pauseMs(): number {
    return this.#fullPauseMs === 0 ? 0 : Math.max(0, this.#retryAt - this.#options.now());
  }

  /** A slice of work for quiet moments: trims and prepares segments. Returns whether it did something. */
  work(): boolean {
    if (this.#pool.trimOne(this.#trimBelow)) {
      if (!this.#starved && this.#pool.spareCount > 0) this.#fullPauseMs = 0;
      this.#updateFull();
      return true;
    }
    if (this.nextChoreMs() > 0) return false;
    const begun = this.#options.now();
    this.#prepare();
    const ended = this.#options.now();
    this.#restUntil = ended + (ended - begun) * REST_PER_SLICE;
    return true;
  }

  /** How long until `work` goes on preparing segments; infinite while none is needed. */
  nextChoreMs(): number {
    if (this.#pool.preparedShare() >= 1) return Number.POSITIVE_INFINITY;
    return Math.max(0, this.#restUntil - this.#options.now(), this.pauseMs());
  }

  /** Epochs below are no longer needed: their segments become spare, one with each `work`. */
  trim(belowEpoch: Position): void {
    const below = written(belowEpoch);
    if (below > this.#nextEpoch) fail('spool_trim_beyond_durable', below);
    this.#trimBelow = Math.max(this.#trimBelow, below);
    // A full disk may be waiting for just this.
    this.#retryAt = 0;
  }

  /** The figures so far; the longest commit starts anew. The object is the caller's. */
  takeFigures(): SpoolFigures {
    const figures = { ...this.#figures };
    this.#figures.commitMsMax = 0;
    return figures;
  }

  close(): void {
    this.#pool.close();
    this.#durable.close();
  }

  /** A RUN record, or a new segment, durable before the first epoch: what lies behind it can never be believed again. */
  #begin(): void {
    const last = this.#pool.last;
    if (last === undefined || this.#position + RECORD_BYTES > last.bytes) this.#startSegment();
    else this.#mark(MAGIC_RUN, 0);
    this.#writeGroup();
  }

  #startSegment(): void {
    const info = this.#pool.take(this.#record.segmentSequence + 1, this.#nextEpoch);
    this.#record.segmentSequence = info.sequence;
    this.#position = 0;
    this.#mark(MAGIC_SEGMENT, info.bytes);
  }

  /** Begins the group with a SEGMENT or RUN record. */
  #mark(magic: number, bodyBytes: number): void {
    const record = this.#record;
    record.magic = magic;
    record.epoch = this.#nextEpoch - 1;
    record.durableEpoch = this.#figures.durableEpoch;
    record.blocks = 0;
    record.bodyBytes = bodyBytes;
    record.bodyCrc = this.#options.recovered.folderId;
    const length = encodeRecord(this.#records, this.#recordsView, 0, record);
    this.#vector.length = 0;
    this.#vector.push(this.#records.subarray(0, length));
    this.#groupEnd = this.#position + length;
  }

  /** Gathers whole epochs into the vector, in order, as far as the segment and a group reach. Returns how many. */
  #collect(): number {
    this.#vector.length = 0;
    this.#blocks.length = 0;
    this.#groupEnd = this.#position;
    // Only after a failed write: the segment has been taken, and its first record never reached it.
    if (this.#position === 0) this.#mark(MAGIC_SEGMENT, this.#segmentEnd());
    let epochs = 0;
    while (epochs < GROUP_EPOCHS_MAX && this.#groupEnd - this.#position < GROUP_BYTES_MAX) {
      const blocks = this.#lanes.countBlocks(this.#nextEpoch);
      if (blocks === 0) break;
      const bytes = recordBytes(blocks) + this.#lanes.bodyBytes(this.#nextEpoch);
      if (this.#groupEnd + bytes > this.#segmentEnd()) {
        if (epochs > 0) break;
        this.#startSegment();
      }
      epochs++;
      this.#append(epochs);
    }
    return epochs;
  }

  /** Puts the next epoch into the vector; its commit record is encoded at `place`. */
  #append(place: number): void {
    const record = this.#record;
    const recordIndex = this.#vector.length;
    this.#vector.push(this.#records);
    this.#lanes.takeEpoch(this.#nextEpoch, record, this.#vector);
    this.#blocks.push(this.#vector.slice(recordIndex + 1));
    record.magic = MAGIC_EPOCH;
    record.durableEpoch = this.#figures.durableEpoch;
    const from = place * RECORD_BYTES_MAX;
    const length = encodeRecord(this.#records, this.#recordsView, from, record);
    this.#vector[recordIndex] = this.#records.subarray(from, from + length);
    this.#groupEnd += length + record.bodyBytes;
    this.#nextEpoch++;
  }

  /** One write, one sync. After a failed sync nobody knows what is on the disk: the error ends the process. */
  #writeGroup(): void {
    const begun = this.#options.now();
    const file = this.#pool.current;
    file.writev(this.#vector, this.#position);
    try {
      file.fdatasync();
    } catch (cause) {
      const advice = 'what it covered may be lost; look at the disk, then start again';
      throw new OperatingError('spool_sync', `fdatasync failed: file=${file.path}; ${advice}`, { cause });
    }
    const figures = this.#figures;
    const spent = this.#options.now() - begun;
    figures.groups++;
    figures.bytes += this.#groupEnd - this.#position;
    figures.commitMs += spent;
    figures.commitMsMax = Math.max(figures.commitMsMax, spent);
    this.#position = this.#groupEnd;
    this.#vector.length = 0;
  }

  /** What a start must find, before anybody is told that it is durable. */
  #promise(): void {
    const durable = this.#durable;
    durable.epoch = this.#nextEpoch - 1;
    durable.receivedAt = this.#record.receivedAt;
    Object.assign(durable.totals, this.#record.totals);
    durable.write();
  }

  /** Before "durable up to" says so. What finds no room is read from the disk by whoever wants it. */
  #handOver(first: number): void {
    const { heads } = this.#options;
    if (heads === undefined) return;
    for (let i = 0; i < this.#blocks.length; i++) {
      const blocks = this.#blocks[i]!;
      const bytes = epochHeadsBytes(blocks);
      const at = bytes > laneRecordBytesMax(heads.capacity) ? LANE_FULL : reserve(heads, RECORD_HEADS, bytes);
      if (at < 0) continue;
      writeEpochHeads(heads, at, first + i, blocks);
      commit(heads);
    }
    this.#blocks.length = 0;
  }

  #publish(): void {
    const { control, ingressCount } = this.#options;
    const durable = this.#nextEpoch - 1;
    this.#figures.durableEpoch = durable;
    storeWatermark(control, DURABLE_LOW, durable);
    ring(control, DURABLE_BELL);
    for (let index = 0; index < ingressCount; index++) ring(control, INGRESS_BELL + index * BELL_STRIDE);
    this.#updateFull();
  }

  #updateFull(): void {
    const { control, spoolBytesMax } = this.#options;
    const figures = this.#figures;
    figures.liveBytes = this.#pool.liveBytes(this.#position);
    figures.spareSegments = this.#pool.spareCount;
    figures.diskFull = this.#fullPauseMs !== 0;
    figures.full = figures.liveBytes >= spoolBytesMax || figures.diskFull;
    Atomics.store(control, SPOOL_FULL, figures.full ? 1 : 0);
  }

  /** The next segment must be ready in time even where no moment is quiet: twice as far as the current one is full. */
  #keepPace(): void {
    const share = (2 * this.#position) / this.#segmentEnd();
    if (this.#pool.preparedShare() < Math.min(1, share) && this.pauseMs() === 0) this.#prepare();
  }

  #prepare(): void {
    try {
      this.#pool.prepareSlice();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#pauseForSpace(error);
      return;
    }
    this.#fullPauseMs = 0;
    this.#updateFull();
  }

  /** The disk is full: nothing is lost, blocks stay in their lanes, ingress refuses, and it is tried again. */
  #pauseForSpace(error: unknown): void {
    this.#fullPauseMs = Math.min(FULL_PAUSE_MS_MAX, Math.max(FULL_PAUSE_MS_MIN, this.#fullPauseMs * 2));
    this.#retryAt = this.#options.now() + this.#fullPauseMs;
    this.#updateFull();
    const message = error instanceof Error ? error.message : String(error);
    this.#options.log('error', `${message}; frames are refused meanwhile retry_ms=${this.#fullPauseMs}`);
  }

  #segmentEnd(): number {
    return this.#pool.last?.bytes ?? 0;
  }
}
