/** Zstandard by Node's own zlib, which has it from 22.15 and 23.8 on. Child process. */

import * as zlib from 'node:zlib';
import { EngineFailure } from '../engine-failure.ts';

type Unpack = (data: Uint8Array, options: { readonly maxOutputLength: number }) => Buffer;

const unpack = (zlib as unknown as { readonly zstdDecompressSync?: Unpack }).zstdDecompressSync;

export function unpackZstd(data: Uint8Array, bytesMax: number): Uint8Array {
  if (unpack === undefined) {
    throw new EngineFailure(
      48,
      'NOT_IMPLEMENTED',
      `ZSTD in a body is understood from Node 22.15 on, this is ${process.version}: send it in LZ4 or gzip, or name the query in the URL`,
    );
  }
  try {
    return unpack(data, { maxOutputLength: bytesMax });
  } catch (cause) {
    throw new EngineFailure(271, 'CANNOT_DECOMPRESS', 'Request body could not be unpacked: encoding=zstd', { cause });
  }
}
