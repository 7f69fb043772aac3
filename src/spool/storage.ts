/**
 * Everything that the spool does to a disk goes through this interface, so that tests can put a disk below it that
 * forgets what was not synced. `nodeStorage` is the real one.
 * Used by the spool thread (log segments) and by the main thread (recovery, reader, batch log, snapshots).
 *
 * What a caller may rely on after a power cut: bytes of a file once its `fdatasync` has returned, and names once the
 * `fsyncDirectory` of their folder has returned. Nothing else.
 */

import fs from 'node:fs';
import path from 'node:path';

import { OperatingError } from '../errors.ts';

export interface StorageFile {
  readonly path: string;
  size(): number;
  /** Reads up to `length` bytes; fewer only at the end of the file. */
  read(into: Uint8Array, offset: number, length: number, position: number): number;
  /** Writes all bytes of all buffers, one after the other from `position` on. */
  writev(buffers: readonly Uint8Array[], position: number): void;
  fdatasync(): void;
  /** The same without holding up the thread; the bytes must not change until the promise settles. */
  writeLater(bytes: Uint8Array, position: number): Promise<void>;
  fdatasyncLater(): Promise<void>;
  close(): void;
}

export interface Storage {
  /** Creates the folder and its parents where they are missing, and makes their names durable. */
  makeDirectory(directory: string): void;
  /** Names of the files in a folder, sorted. */
  list(directory: string): string[];
  /** A new, empty file; an error where the name is taken. */
  create(file: string): StorageFile;
  /** An existing file, for reading and writing. */
  open(file: string): StorageFile;
  rename(from: string, to: string): void;
  unlink(file: string): void;
  /** Freeing the blocks of a large file takes tens of milliseconds: this does not wait, nor tell whether it worked. */
  unlinkLater(file: string): void;
  fsyncDirectory(directory: string): void;
}

/** Linux's IOV_MAX: more buffers do not fit one call. */
const VECTOR_BUFFERS_MAX = 1024;

function storageError(what: string, file: string, cause: unknown): OperatingError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'UNKNOWN';
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const advice = full ? 'free space on this disk' : 'look at the disk and its permissions, then start again';
  return new OperatingError(
    full ? 'spool_disk_full' : 'spool_disk',
    `${what} failed: file=${file} error=${code}; ${advice}`,
    {
      cause,
      retryable: full,
    },
  );
}

function guarded<Result>(what: string, file: string, act: () => Result): Result {
  try {
    return act();
  } catch (cause) {
    throw cause instanceof OperatingError ? cause : storageError(what, file, cause);
  }
}

/** Whether the error says that the disk is full, which may pass. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof OperatingError && error.code === 'spool_disk_full';
}

class NodeFile implements StorageFile {
  readonly path: string;
  readonly #descriptor: number;

  constructor(file: string, flags: string) {
    this.path = file;
    this.#descriptor = guarded('open', file, () => fs.openSync(file, flags, 0o640));
  }

  size(): number {
    return guarded('stat', this.path, () => fs.fstatSync(this.#descriptor).size);
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    return guarded('read', this.path, () => {
      let done = 0;
      while (done < length) {
        const count = fs.readSync(this.#descriptor, into, offset + done, length - done, position + done);
        if (count === 0) break;
        done += count;
      }
      return done;
    });
  }

  writev(buffers: readonly Uint8Array[], position: number): void {
    guarded('write', this.path, () => {
      for (let first = 0; first < buffers.length; first += VECTOR_BUFFERS_MAX) {
        const some = buffers.length > VECTOR_BUFFERS_MAX ? buffers.slice(first, first + VECTOR_BUFFERS_MAX) : buffers;
        position = this.#writeSome(some, position);
      }
    });
  }

  /** A vectored write may stop short: the rest follows buffer by buffer. Returns the position behind the last byte. */
  #writeSome(buffers: readonly Uint8Array[], position: number): number {
    let written = fs.writevSync(this.#descriptor, buffers, position);
    for (const buffer of buffers) {
      while (written < buffer.length) {
        const rest = fs.writeSync(this.#descriptor, buffer, written, buffer.length - written, position + written);
        if (rest === 0)
          throw new OperatingError('spool_disk', `write made no progress: file=${this.path}; look at the disk`);
        written += rest;
      }
      written -= buffer.length;
      position += buffer.length;
    }
    return position;
  }

  fdatasync(): void {
    guarded('fdatasync', this.path, () => fs.fdatasyncSync(this.#descriptor));
  }

  async writeLater(bytes: Uint8Array, position: number): Promise<void> {
    let done = 0;
    while (done < bytes.length) done += await this.#writeOnce(bytes, done, position + done);
  }

  #writeOnce(bytes: Uint8Array, offset: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.write(this.#descriptor, bytes, offset, bytes.length - offset, position, (error, count) => {
        if (error !== null) reject(storageError('write', this.path, error));
        else resolve(count);
      });
    });
  }

  fdatasyncLater(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#descriptor, (error) => {
        if (error !== null) reject(storageError('fdatasync', this.path, error));
        else resolve();
      });
    });
  }

  close(): void {
    guarded('close', this.path, () => fs.closeSync(this.#descriptor));
  }
}

function syncDirectory(directory: string): void {
  const descriptor = fs.openSync(directory, 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

export const nodeStorage: Storage = {
  makeDirectory(directory) {
    guarded('mkdir', directory, () => {
      const first = fs.mkdirSync(directory, { recursive: true });
      if (first === undefined) return;
      const top = path.dirname(path.resolve(first));
      for (let at = path.resolve(directory); at.length >= top.length; at = path.dirname(at)) {
        syncDirectory(at);
        if (at === path.dirname(at)) break;
      }
    });
  },
  list: (directory) => guarded('readdir', directory, () => fs.readdirSync(directory).sort()),
  create: (file) => new NodeFile(file, 'wx+'),
  open: (file) => new NodeFile(file, 'r+'),
  rename: (from, to) => guarded('rename', from, () => fs.renameSync(from, to)),
  unlink: (file) => guarded('unlink', file, () => fs.unlinkSync(file)),
  unlinkLater: (file) => fs.unlink(file, () => {}),
  fsyncDirectory: (directory) => guarded('fsync', directory, () => syncDirectory(directory)),
};
