/**
 * Bodies of inserts on their way to the engine: each chunk is written at once to a file in the request folder and never
 * kept. The page cache is the buffer; no fsync, because the file is gone when the insert has been answered. Files and not
 * pipes, so that an insert begins only when its body is whole: a client that breaks off in the middle inserts nothing. Child
 * process.
 */
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { EngineFailure } from './engine-failure.ts';
import { BODY_BYTES_MAX, SPOOLED_BYTES_MAX } from './limits.ts';

export interface SpooledBody {
  readonly path: string;
  readonly bytes: number;
  write(chunk: Uint8Array): void;
  /** Closes the file for writing; the engine reads it next. */
  seal(): void;
  remove(): void;
}

export interface BodySpool {
  create(): SpooledBody;
  /** All bodies that lie in the folder now. */
  readonly bytes: number;
}

/** The folder is there, without bodies: see prepareRequests(). */
export function openBodySpool(folder: string): BodySpool {
  let total = 0;
  let sequence = 0;

  const create = (): SpooledBody => {
    const path = join(folder, `body-${sequence++}`);
    let descriptor: number | undefined = openSync(path, 'wx', 0o600);
    let bytes = 0;
    let removed = false;
    return {
      path,
      get bytes() {
        return bytes;
      },
      write(chunk) {
        if (descriptor === undefined) return;
        if (bytes + chunk.byteLength > BODY_BYTES_MAX) throw tooLarge('BODY_BYTES_MAX', BODY_BYTES_MAX);
        if (total + chunk.byteLength > SPOOLED_BYTES_MAX) throw tooLarge('SPOOLED_BYTES_MAX', SPOOLED_BYTES_MAX);
        for (let written = 0; written < chunk.byteLength;) {
          written += writeSync(descriptor, chunk, written, chunk.byteLength - written);
        }
        bytes += chunk.byteLength;
        total += chunk.byteLength;
      },
      seal() {
        if (descriptor !== undefined) closeSync(descriptor);
        descriptor = undefined;
      },
      remove() {
        if (removed) return;
        removed = true;
        if (descriptor !== undefined) closeSync(descriptor);
        descriptor = undefined;
        total -= bytes;
        unlinkSync(path);
      },
    };
  };
  return {
    create,
    get bytes() {
      return total;
    },
  };
}

function tooLarge(name: string, bound: number): EngineFailure {
  return new EngineFailure(307, 'TOO_MANY_BYTES', `Request body is too large: ${name}=${bound}. Send smaller inserts`);
}
