/**
 * What the log has promised, in a file of its own beside it: the last epoch that was fsynced, and the sums up to it. Written
 * by the spool thread after each group's fdatasync and before anybody is told, without a sync of its own: it never says too
 * much, after `kill -9` it says everything, and after a power cut it may be some seconds old. Read by recovery on the main
 * thread, which finds out by it that the end of the log is gone.
 *
 *   durable.mark   two copies (layout/durable-mark-record.ts), at byte 0 and 512, written in turn; the valid one with the higher count
 *                  is right
 */

import path from 'node:path';
import { crc32 } from 'node:zlib';

import { CHECKED_FROM, readChecksum, readMagic, writeChecksum } from '../../native-free-core/layout/checked-record.ts';
import {
  MARK_BYTES,
  MARK_MAGIC,
  readDurableMark,
  readMarkCount,
  writeDurableMark,
} from '../../native-free-core/layout/durable-mark-record.ts';
import type { DurableMark } from '../../native-free-core/layout/durable-mark-record.ts';
import { zeroTotals, type Totals } from '../../native-free-core/layout/log-totals.ts';
import type { Storage, StorageFile } from './storage.ts';

/** What is found in its place. */
export type FoundMark = { readonly mark: DurableMark; readonly count: number } | 'missing' | 'damaged';

/** In the data folder, beside the folder of the log: so it is still there when that one is gone. */
export const MARK_NAME = 'durable.mark';

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
    if (best < 0 || readMarkCount(view, at) > readMarkCount(view, best)) best = at;
  }
  return best < 0 ? 'damaged' : { mark: readDurableMark(view, best), count: readMarkCount(view, best) };
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
    this.#count++;
    const { epoch, totals, receivedAt } = this;
    writeDurableMark(this.#view, 0, { folderId: this.#folderId, epoch, totals, receivedAt }, this.#count);
    writeChecksum(this.#view, 0, crc32(this.#bytes.subarray(CHECKED_FROM)));
    this.#file.writev(this.#vector, (this.#count & 1) * COPY_AT);
  }

  close(): void {
    this.#file.fdatasync();
    this.#file.close();
  }
}

function isMark(bytes: Uint8Array, view: DataView, at: number): boolean {
  return (
    readMagic(view, at) === MARK_MAGIC &&
    readChecksum(view, at) === crc32(bytes.subarray(at + CHECKED_FROM, at + MARK_BYTES))
  );
}
