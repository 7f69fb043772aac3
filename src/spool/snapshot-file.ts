/**
 * Writes a snapshot while the engine works on (layout: snapshot-layout.ts). Main thread, in slices, at a bounded pace.
 *
 *   writer = createSnapshot(...); for each chunk: await writer.write(...); once its epochs are durable: await writer.complete(...)
 */

import path from 'node:path';
import { crc32 } from 'node:zlib';

import { fail } from '../../native-free-core/base/fail.ts';
import { earlier, LAST, written, type Position } from '../contract/event-log.ts';
import { OperatingError } from '../errors.ts';
import { paddedBytes } from './epoch-record.ts';
import {
  SNAPSHOT_FORMAT,
  SNAPSHOT_CHUNK_BYTES_MAX,
  SNAPSHOT_TEMPORARY,
  checksum,
  listSnapshots,
  snapshotPath,
} from './snapshot-layout.ts';
import type { SnapshotHeader } from './snapshot-layout.ts';
import { readSnapshotHeader } from './snapshot-load.ts';
import type { Storage, StorageFile } from './storage.ts';
import { CHECKED_FROM, writeChecksum } from '../../native-free-core/layout/checked-record.ts';
import {
  SNAPSHOT_HEADER_BYTES,
  SNAPSHOT_CHUNK_BYTES,
  SNAPSHOT_FOOTER_BYTES,
  writeSnapshotHeader,
  writeChunkHeader,
  writeSnapshotFooter,
} from '../../native-free-core/layout/snapshot-sections.ts';

export interface SnapshotOptions {
  /** Paces the writing, so that group commits do not queue behind it. Default 64 MB/s. */
  readonly bytesPerSecondMax?: number;
}

export { restoreNewest, type LoadedSnapshot } from './snapshot-load.ts';

/** The second one serves where the disk has damaged the newest. */
export const SNAPSHOTS_KEPT = 2;

/** Bytes are written and synced in slices of this size: what a group commit may find before it in the disk's queue. */
const SLICE_BYTES = 1 << 20;
const BYTES_PER_SECOND_MAX = 64e6;

/** Begins a snapshot; one at a time in a folder. An unfinished one of before is dropped. */
export function createSnapshot(
  storage: Storage,
  directory: string,
  header: SnapshotHeader,
  options: SnapshotOptions = {},
): SnapshotWriter {
  storage.makeDirectory(directory);
  if (storage.list(directory).includes(SNAPSHOT_TEMPORARY)) storage.unlink(path.join(directory, SNAPSHOT_TEMPORARY));
  return new SnapshotWriter(storage, directory, header, options);
}

export class SnapshotWriter {
  readonly #storage: Storage;
  readonly #directory: string;
  readonly #file: StorageFile;
  #bytesPerSecondMax: number;
  readonly #begun = performance.now();
  /** The slice being filled, and where in the file it begins. */
  readonly #slice = new Uint8Array(SLICE_BYTES);
  #sliceBytes = 0;
  #position = 0;
  #chunks = 0;
  #closed = false;

  constructor(storage: Storage, directory: string, header: SnapshotHeader, options: SnapshotOptions) {
    this.#storage = storage;
    this.#directory = directory;
    this.#bytesPerSecondMax = options.bytesPerSecondMax ?? BYTES_PER_SECOND_MAX;
    this.#file = storage.create(path.join(directory, SNAPSHOT_TEMPORARY));
    const json = new TextEncoder().encode(JSON.stringify({ format: SNAPSHOT_FORMAT, ...header }));
    if (json.length > SLICE_BYTES / 2) fail('snapshot_header_bytes', json.length);
    const start = new Uint8Array(SNAPSHOT_HEADER_BYTES);
    const view = new DataView(start.buffer);
    writeSnapshotHeader(view, json.length);
    writeChecksum(view, 0, crc32(json, crc32(start.subarray(CHECKED_FROM))));
    this.#slice.set(start);
    this.#slice.set(json, SNAPSHOT_HEADER_BYTES);
    this.#sliceBytes = SNAPSHOT_HEADER_BYTES + paddedBytes(json.length);
  }

  /** Bytes of the file so far. */
  get bytes(): number {
    return this.#position + this.#sliceBytes;
  }

  /** Appends a chunk. Its bytes must not change before the promise settles, and may be used anew afterwards. */
  async write(name: string, index: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length > SNAPSHOT_CHUNK_BYTES_MAX) fail('snapshot_chunk_bytes', bytes.length);
    const nameBytes = new TextEncoder().encode(name);
    const start = new Uint8Array(SNAPSHOT_CHUNK_BYTES + paddedBytes(nameBytes.length));
    const view = new DataView(start.buffer);
    writeChunkHeader(view, { nameBytes: nameBytes.length, bytes: bytes.length, index });
    start.set(nameBytes, SNAPSHOT_CHUNK_BYTES);
    writeChecksum(view, 0, checksum(bytes, crc32(start.subarray(CHECKED_FROM))));
    this.#chunks++;
    await this.#append(start);
    await this.#append(bytes);
    await this.#append(new Uint8Array(paddedBytes(bytes.length) - bytes.length));
  }

  /**
   * Makes the snapshot count, durably, and removes all but the newest two. To be called once `atEpoch` is durable. Returns
   * the first epoch that a start from the oldest one kept needs: the log may be trimmed below it, and no further.
   */
  async complete(atEpoch: Position): Promise<Position> {
    const footer = new Uint8Array(SNAPSHOT_FOOTER_BYTES);
    const view = new DataView(footer.buffer);
    writeSnapshotFooter(view, { chunks: this.#chunks, atEpoch: written(atEpoch) });
    writeChecksum(view, 0, crc32(footer.subarray(CHECKED_FROM)));
    await this.#append(footer);
    await this.#writeSlice();
    this.#close();
    this.#storage.rename(path.join(this.#directory, SNAPSHOT_TEMPORARY), snapshotPath(this.#directory, atEpoch));
    this.#storage.fsyncDirectory(this.#directory);
    const epochs = listSnapshots(this.#storage, this.#directory);
    for (const old of epochs.slice(SNAPSHOTS_KEPT)) this.#storage.unlinkLater(snapshotPath(this.#directory, old));
    return this.#oldestFromEpoch(epochs.slice(0, SNAPSHOTS_KEPT));
  }

  /** What is left is written as fast as the disk takes it. */
  hurry(): void {
    this.#bytesPerSecondMax = Infinity;
  }

  /** Gives up: the file goes, older snapshots stay. Does nothing where `complete` has got far enough. */
  abandon(): void {
    if (this.#closed) return;
    this.#close();
    this.#storage.unlink(path.join(this.#directory, SNAPSHOT_TEMPORARY));
  }

  #close(): void {
    this.#closed = true;
    this.#file.close();
  }

  #oldestFromEpoch(epochs: readonly Position[]): Position {
    let oldest = LAST;
    for (const epoch of epochs) {
      const header = readSnapshotHeader(this.#storage, snapshotPath(this.#directory, epoch));
      // A damaged one serves no start, so it holds no epochs back.
      if (header !== null) oldest = earlier(oldest, header.fromEpoch);
    }
    if (oldest !== LAST) return oldest;
    throw new OperatingError(
      'snapshot_corrupt',
      `a snapshot just written is unreadable: directory=${this.#directory}; look at the disk`,
    );
  }

  async #append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const count = Math.min(bytes.length - done, SLICE_BYTES - this.#sliceBytes);
      this.#slice.set(bytes.subarray(done, done + count), this.#sliceBytes);
      this.#sliceBytes += count;
      done += count;
      if (this.#sliceBytes === SLICE_BYTES) await this.#writeSlice();
    }
  }

  async #writeSlice(): Promise<void> {
    if (this.#sliceBytes === 0) return;
    await this.#file.writeLater(this.#slice.subarray(0, this.#sliceBytes), this.#position);
    await this.#file.fdatasyncLater();
    this.#position += this.#sliceBytes;
    this.#sliceBytes = 0;
    const dueMs = (this.#position / this.#bytesPerSecondMax) * 1000 - (performance.now() - this.#begun);
    if (dueMs > 1) await new Promise((resolve) => setTimeout(resolve, dueMs));
  }
}
