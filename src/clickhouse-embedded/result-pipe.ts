/**
 * Carries a result from the engine to the client: the engine writes `INTO OUTFILE` into a named pipe, and the pipe is read
 * only as fast as the client takes. The engine's streaming call cannot do this: it yields one complete document per chunk,
 * so JSON, Parquet or a CSV header come out several times (measured). Any format, any compression, one pipe of memory. One
 * pipe per read slot, used by one query at a time. Child process.
 */
import { execFileSync } from 'node:child_process';
import { constants, mkdirSync, openSync, readSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { RESULT_READ_BYTES } from './child-bounds.ts';

/** Takes a chunk that is only valid during the call; returns false to be called no more until resume(). */
export type ChunkSink = (chunk: Uint8Array) => boolean;

export interface ResultPipe {
  readonly path: string;
  /** Sends what arrives to the sink from now on. */
  open(sink: ChunkSink): void;
  resume(): void;
  /** After the engine has finished writing: hands over what still lies in the pipe and disconnects the sink. */
  finish(): void;
  close(): void;
}

const discard: ChunkSink = () => true;

/**
 * Empties the folder, for what lies there belonged to requests of a process that has ended, and makes its pipes. Called by
 * the parent before it starts the child, which may run no programs.
 */
export function prepareRequests(folder: string, count: number): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // Node has no call for it; the command is in POSIX.
  execFileSync('mkfifo', ['-m', '600', ...pipePaths(folder, count)]);
}

export function pipePaths(folder: string, count: number): string[] {
  return Array.from({ length: count }, (_, slot) => join(folder, `result-${slot}`));
}

/** The path must be a named pipe already. */
export function openResultPipe(path: string): ResultPipe {
  // Open for writing too: otherwise the pipe reports its end whenever no query runs.
  const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  let sink = discard;
  const buffer = Buffer.allocUnsafe(RESULT_READ_BYTES);
  const options = {
    fd: descriptor,
    readable: true,
    writable: false,
    onread: {
      buffer,
      callback: (count: number, bytes: Uint8Array): boolean => sink(bytes.subarray(0, count)),
    },
  };
  const socket = new Socket(options);
  socket.on('error', () => socket.destroy());

  return {
    path,
    open(to) {
      sink = to;
      socket.resume();
    },
    resume() {
      socket.resume();
    },
    finish() {
      for (let count = readWaiting(descriptor, buffer); count > 0; count = readWaiting(descriptor, buffer)) {
        sink(buffer.subarray(0, count));
      }
      sink = discard;
      socket.resume();
    },
    close() {
      socket.destroy();
    },
  };
}

function readWaiting(descriptor: number, buffer: Buffer): number {
  try {
    return readSync(descriptor, buffer, 0, buffer.length, null);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
    throw cause;
  }
}
