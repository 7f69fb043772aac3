/**
 * Zstandard bodies, unpacked within a bound: by Node's own zlib from 22.15 and 23.8 on, by a package in JavaScript before.
 */

import { Decompress } from 'fzstd';
import * as zlib from 'node:zlib';

/** The bytes become more than the caller takes. */
export class UnpackedTooLarge extends Error {
  readonly code = 'ERR_BUFFER_TOO_LARGE';
}

type Native = (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Buffer;

const native = (zlib as unknown as { readonly zstdDecompressSync?: Native }).zstdDecompressSync;

/** Throws where the bytes are not Zstandard, or where they become more than `bytesMax`: UnpackedTooLarge. */
export function unpackZstd(bytes: Uint8Array, bytesMax: number): Buffer {
  return native === undefined ? unpackInJavaScript(bytes, bytesMax) : unpackNative(native, bytes, bytesMax);
}

function unpackNative(unpack: Native, bytes: Uint8Array, bytesMax: number): Buffer {
  try {
    return unpack(bytes, { maxOutputLength: bytesMax });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bytesMax);
    throw cause;
  }
}

/** Block by block, so that it ends with the first one beyond the bound. */
export function unpackInJavaScript(bytes: Uint8Array, bytesMax: number): Buffer {
  const parts: Uint8Array[] = [];
  let total = 0;
  new Decompress((part) => {
    total += part.length;
    if (total > bytesMax) throw tooLarge(bytesMax);
    // The decoder goes on writing into the memory of what it has handed out.
    parts.push(part.slice());
  }).push(bytes, true);
  return Buffer.concat(parts);
}

function tooLarge(bytesMax: number): UnpackedTooLarge {
  return new UnpackedTooLarge(`unpacked it has more than ${bytesMax} bytes`);
}
