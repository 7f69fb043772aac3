/**
 * What the log has promised, in a file of its own beside it: the last epoch that was fsynced, and the sums up to it. Written by the
 * spool thread after each group's fdatasync and before anybody is told, without a sync of its own: it never says too much, after
 * `kill -9` it says everything, and after a power cut it may be some seconds old. Read by recovery on the main thread, which finds
 * out by it that the end of the log is gone.
 *
 *   durable.mark   two copies, at byte 0 and 512, written in turn; the valid one with the higher count is right
 *     byte  0  u32 magic "MRK1"         4 u32 crc32 of bytes 8-87
 *     byte  8  u32 folder id            the same in every SEGMENT and RUN record of this log
 *     byte 12  u32 0
 *     byte 16  f64 count of writes     24 f64 epoch
 *     byte 32  6 x f64 totals           as in the epoch's commit record
 *     byte 80  f64 received_at          of the newest of its epochs, ms UTC
 */

import path from 'node:path';
import { crc32 } from 'node:zlib';

import { zeroTotals } from './epoch-record.ts';
import type { Totals } from './epoch-record.ts';
import type { Storage, StorageFile } from './storage.ts';

export interface DurableMark {
  readonly folderId: number;
  readonly epoch: number;
  readonly totals: Totals;
  readonly receivedAt: number;
}

/** What is found in its place. */
export type FoundMark = { readonly mark: DurableMark; readonly count: number } | 'missing' | 'damaged';

/** In the data folder, beside the folder of the log: so it is still there when that one is gone. */
export const MARK_NAME = 'durable.mark';

const MAGIC = 0x314b524d; // "MRK1"
const MARK_BYTES = 88;
/** Each copy has a sector of its own: a torn write leaves the other one. */
const COPY_AT = 512;
const FILE_BYTES = 2 * COPY_AT;

export function readMark(storage: Storage, file: string): FoundMark {
  if (!storage.list(path.dirname(file)).includes(path.basename(file))) return 'missing';
  const bytes = new Uint8Array(FILE_BYTES);
  const opened = storage.open(file);
  const end = opened.read(bytes, 0, FILE_BYTES, 0);
  opened.close();
  const view = new DataView(bytes.buffer);
  let best = -1;
  for (const at of [0, COPY_AT]) {
    if (at + MARK_BYTES > end || !isMark(bytes, view, at)) continue;
    if (best < 0 || view.getFloat64(at + 16, true) > view.getFloat64(best + 16, true)) best = at;
  }
  return best < 0 ? 'damaged' : { mark: decodeMark(view, best), count: view.getFloat64(best + 16, true) };
}

export function hasHeldEpochs(storage: Storage, file: string): boolean {
  const found = readMark(storage, file);
  return typeof found !== 'string' && found.mark.epoch > 0;
}

/** Puts a new file in its place, durably. */
export function replaceMark(storage: Storage, file: string, mark: DurableMark): void {
  const folder = path.dirname(file);
  const temporary = `${file}.new`;
  if (storage.list(folder).includes(path.basename(temporary))) storage.unlink(temporary);
  const writer = new MarkWriter(storage.create(temporary), mark, 0);
  writer.write();
  writer.close();
  storage.rename(temporary, file);
  storage.fsyncDirectory(folder);
}

/** Goes on with the file, which is made where it is missing. */
export function openMark(storage: Storage, file: string, mark: DurableMark): MarkWriter {
  const found = readMark(storage, file);
  if (typeof found === 'string') replaceMark(storage, file, mark);
  const count = typeof found === 'string' ? 1 : found.count;
  const writer = new MarkWriter(storage.open(file), mark, count);
  writer.write();
  return writer;
}

export class MarkWriter {
  readonly #file: StorageFile;
  readonly #bytes = new Uint8Array(MARK_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #vector = [this.#bytes];
  readonly #folderId: number;
  #count: number;
  epoch: number;
  receivedAt: number;
  readonly totals: Totals = zeroTotals();

  constructor(file: StorageFile, mark: DurableMark, count: number) {
    this.#file = file;
    this.#folderId = mark.folderId;
    this.#count = count;
    this.epoch = mark.epoch;
    this.receivedAt = mark.receivedAt;
    Object.assign(this.totals, mark.totals);
  }

  /** Two microseconds: the page cache takes it. */
  write(): void {
    const view = this.#view;
    const { totals } = this;
    this.#count++;
    view.setUint32(0, MAGIC, true);
    view.setUint32(8, this.#folderId, true);
    view.setFloat64(16, this.#count, true);
    view.setFloat64(24, this.epoch, true);
    view.setFloat64(32, totals.rows, true);
    view.setFloat64(40, totals.frames, true);
    view.setFloat64(48, totals.received, true);
    view.setFloat64(56, totals.duplicates, true);
    view.setFloat64(64, totals.deadLettered, true);
    view.setFloat64(72, totals.blockBytes, true);
    view.setFloat64(80, this.receivedAt, true);
    view.setUint32(4, crc32(this.#bytes.subarray(8)), true);
    this.#file.writev(this.#vector, (this.#count & 1) * COPY_AT);
  }

  close(): void {
    this.#file.fdatasync();
    this.#file.close();
  }
}

function isMark(bytes: Uint8Array, view: DataView, at: number): boolean {
  return (
    view.getUint32(at, true) === MAGIC &&
    view.getUint32(at + 4, true) === crc32(bytes.subarray(at + 8, at + MARK_BYTES))
  );
}

function decodeMark(view: DataView, at: number): DurableMark {
  const [rows, frames, received, duplicates, deadLettered, blockBytes] = [32, 40, 48, 56, 64, 72].map((offset) =>
    view.getFloat64(at + offset, true),
  ) as [number, number, number, number, number, number];
  return {
    folderId: view.getUint32(at + 8, true),
    epoch: view.getFloat64(at + 24, true),
    totals: { rows, frames, received, duplicates, deadLettered, blockBytes },
    receivedAt: view.getFloat64(at + 80, true),
  };
}
