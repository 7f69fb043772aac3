/**
 * Bodies of inserts on their way to the engine: each chunk is written at once to a file in the request folder and never
 * kept. The page cache is the buffer; no fsync, because the file is gone when the insert has been answered. Files and not
 * pipes, so that an insert begins only when its body is whole: a client that breaks off in the middle inserts nothing. Child
 * process.
 */
import { closeSync, lstatSync, openSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { EngineFailure } from './engine-failure.ts';
import { handedPath } from './handed-body.ts';
import { BODY_BYTES_MAX, SPOOLED_BYTES_MAX } from './child-bounds.ts';

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
  /** One that the engine's own user has written already, by its name. Throws EngineFailure. */
  adopt(name: string): SpooledBody;
  /** All bodies that lie in the folder now. */
  readonly bytes: number;
}

/** The folder is there, without bodies: see prepareRequests(). */
export function openBodySpool(folder: string): BodySpool {
  const lying = { bytes: 0 };
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
        refuseBeyond(bytes + chunk.byteLength, lying.bytes + chunk.byteLength);
        for (let written = 0; written < chunk.byteLength;) {
          written += writeSync(descriptor, chunk, written, chunk.byteLength - written);
        }
        bytes += chunk.byteLength;
        lying.bytes += chunk.byteLength;
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
        lying.bytes -= bytes;
        unlinkSync(path);
      },
    };
  };
  return {
    create,
    adopt: (name) => adoptBody(folder, name, lying),
    get bytes() {
      return lying.bytes;
    },
  };
}

/** `lying`: bytes of all bodies in the folder. */
function adoptBody(folder: string, name: string, lying: { bytes: number }): SpooledBody {
  const path = handedPath(folder, name);
  const found = path === null ? undefined : lstatSync(path, { throwIfNoEntry: false });
  if (path === null || found?.isFile() !== true) {
    throw new EngineFailure(
      107,
      'FILE_DOESNT_EXIST',
      `No body was handed over under this name: ${JSON.stringify(name)}`,
    );
  }
  const bytes = found.size;
  refuseBeyond(bytes, lying.bytes + bytes);
  lying.bytes += bytes;
  let removed = false;
  return {
    path,
    bytes,
    write() {
      throw new EngineFailure(36, 'BAD_ARGUMENTS', 'The body of an insert is either handed over or sent');
    },
    seal: () => undefined,
    remove() {
      if (removed) return;
      removed = true;
      lying.bytes -= bytes;
      // Who wrote it removes it too, as soon as it is answered.
      rmSync(path, { force: true });
    },
  };
}

function refuseBeyond(bytes: number, total: number): void {
  if (bytes > BODY_BYTES_MAX) throw tooLarge('BODY_BYTES_MAX', BODY_BYTES_MAX);
  if (total > SPOOLED_BYTES_MAX) throw tooLarge('SPOOLED_BYTES_MAX', SPOOLED_BYTES_MAX);
}

function tooLarge(name: string, bound: number): EngineFailure {
  return new EngineFailure(307, 'TOO_MANY_BYTES', `Request body is too large: ${name}=${bound}. Send smaller inserts`);
}
