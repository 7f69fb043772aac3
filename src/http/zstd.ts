/**
 * Zstandard bodies, unpacked within a bound: by Node's own zlib where it has one that refuses what is cut short (24 and
 * later), else by a package in JavaScript.
 */

import { Decompress } from 'fzstd';
import * as zlib from 'node:zlib';

/** The bytes become more than the caller takes. */
export class UnpackedTooLarge extends Error {
  readonly code = 'ERR_BUFFER_TOO_LARGE';
}

type Native = (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Buffer;

/** The first bytes of a frame, and nothing behind them. */
const CUT_FRAME = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd);

const native = whole((zlib as unknown as { readonly zstdDecompressSync?: Native }).zstdDecompressSync);

/** Throws where the bytes are not Zstandard, or where they become more than `bytesMax`: UnpackedTooLarge. */
export function unpackZstd(bytes: Uint8Array, bytesMax: number): Buffer {
  return native === undefined ? unpackInJavaScript(bytes, bytesMax) : unpackNative(native, bytes, bytesMax);
}

/** Node 22 takes the begin of a frame for an empty one, and half of a body would pass for all of it. */
function whole(unpack: Native | undefined): Native | undefined {
  try {
    unpack?.(CUT_FRAME, { maxOutputLength: CUT_FRAME.length });
  } catch {
    return unpack;
  }
  return undefined;
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
