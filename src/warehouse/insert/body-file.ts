/**
 * Native blocks as a file that the embedded ClickHouse reads: written a block at a time by a thread of the pool, while the
 * main thread encodes the next block. A block's memory is released when its bytes are written. No sync: the file is gone
 * when the insert has been answered, mostly before the system would have brought it to the disk. Main thread, for
 * connection.ts.
 *
 *   encode 1 - encode 2 - encode 3 ...
 *              write 1    write 2  ...        one block is being written, one more is ready
 */

import { open, rm, type FileHandle } from 'node:fs/promises';
import { OperatingError } from '../../errors.ts';
import type { BodyBlock } from './block-stream.ts';

/** Linux's IOV_MAX: more buffers do not fit one call. */
const CHUNKS_MAX = 1024;

/** Writes the file anew. One that could not be written whole is removed. */
export async function writeBodyFile(path: string, blocks: Iterable<BodyBlock>, signal: AbortSignal): Promise<void> {
  const file = await attempt(path, () => open(path, 'wx', 0o600));
  try {
    await writeBlocks(file, path, blocks, signal);
  } catch (error) {
    await removeBodyFile(path);
    throw error;
  } finally {
    await file.close();
  }
}

/** It may be gone already: whoever has read it removes it, too. */
export function removeBodyFile(path: string): Promise<void> {
  return rm(path, { force: true });
}

async function writeBlocks(
  file: FileHandle,
  path: string,
  blocks: Iterable<BodyBlock>,
  signal: AbortSignal,
): Promise<void> {
  let writing: Promise<void> = Promise.resolve();
  try {
    for (const block of blocks) {
      await writing;
      signal.throwIfAborted();
      writing = attempt(path, () => writeChunks(file, block.chunks)).then(() => block.release());
    }
  } finally {
    // Also where encoding broke off: nobody closes the file or reuses the memory under a write.
    await writing;
  }
}

/** Behind what has been written so far. */
async function writeChunks(file: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  for (let rest = chunks; rest.length > 0;) {
    const some = rest.slice(0, CHUNKS_MAX);
    const { bytesWritten } = await file.writev(some);
    rest = [...unwritten(some, bytesWritten), ...rest.slice(CHUNKS_MAX)];
  }
}

/** A nearly full disk takes a part, and says why only when it is asked again. */
function unwritten(chunks: readonly Uint8Array[], bytesWritten: number): Uint8Array[] {
  let written = bytesWritten;
  let first = 0;
  for (; first < chunks.length && written >= chunks[first]!.length; first++) written -= chunks[first]!.length;
  const rest = chunks.slice(first);
  if (written > 0) rest[0] = rest[0]!.subarray(written);
  return rest;
}

async function attempt<Result>(path: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'UNKNOWN';
    const advice =
      code === 'ENOSPC' || code === 'EDQUOT' ? 'free space on this disk' : 'look at the disk and its permissions';
    const message = `a batch could not be written for the embedded ClickHouse: file=${path} error=${code}; ${advice}`;
    throw new OperatingError('embedded_body_write', message, { cause, retryable: true });
  }
}
