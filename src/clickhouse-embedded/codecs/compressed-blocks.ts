/**
 * ClickHouse's native compression, which `compress=1` and `decompress=1` ask for: a stream of blocks of
 *
 *   16  CityHash128 of all that follows
 *    1  method: 0x82 LZ4, 0x90 ZSTD, 0x02 none
 *    4  bytes of the block from the method on
 *    4  bytes unpacked
 *       the data
 *
 * Child process.
 */
import { cityHash128 } from './city-hash.ts';
import { EngineFailure } from '../engine-failure.ts';
import { unpackZstd } from '../../http/zstd.ts';
import { compressBlock, decompressBlock, Lz4Error } from './lz4.ts';
import type { Recoder } from './recoder.ts';

const CHECKSUM_BYTES = 16;
const HEADER_BYTES = 9;
const METHOD_LZ4 = 0x82;
const METHOD_ZSTD = 0x90;
const METHOD_NONE = 0x02;
/** As ClickHouse's own `max_compress_block_size`. */
const BLOCK_BYTES = 1 << 20;

/** Packs a result. */
export function compressedBlocks(): Recoder {
  let kept: Uint8Array[] = [];
  let keptBytes = 0;
  const pack = (bytesMin: number): Uint8Array[] => {
    if (keptBytes < bytesMin) return [];
    const all = Buffer.concat(kept);
    kept = [];
    keptBytes = 0;
    const blocks: Uint8Array[] = [];
    for (let at = 0; at < all.length; at += BLOCK_BYTES) blocks.push(...packBlock(all.subarray(at, at + BLOCK_BYTES)));
    return blocks;
  };
  return {
    push(chunk) {
      kept.push(Buffer.from(chunk));
      keptBytes += chunk.byteLength;
      return pack(BLOCK_BYTES);
    },
    end: () => pack(1),
  };
}

function packBlock(data: Uint8Array): Uint8Array[] {
  const packed = compressBlock(data);
  const block = Buffer.alloc(HEADER_BYTES + packed.length);
  block[0] = METHOD_LZ4;
  block.writeUInt32LE(block.length, 1);
  block.writeUInt32LE(data.length, 5);
  block.set(packed, HEADER_BYTES);
  return [cityHash128(block), block];
}

/** Unpacks a request's body. */
export function unpackBlocks(body: Buffer, bytesMax: number): Buffer {
  const parts: Uint8Array[] = [];
  let total = 0;
  for (let at = 0; at < body.length;) {
    const from = at + CHECKSUM_BYTES;
    const size = from + HEADER_BYTES > body.length ? 0 : body.readUInt32LE(from + 1);
    if (size < HEADER_BYTES || from + size > body.length) throw broken('a block is cut short');
    const block = body.subarray(from, from + size);
    if (!cityHash128(block).equals(body.subarray(at, from))) throw broken('the checksum of a block is wrong');
    const unpackedBytes = block.readUInt32LE(5);
    total += unpackedBytes;
    if (total > bytesMax)
      throw new EngineFailure(307, 'TOO_MANY_BYTES', `Request body is too large unpacked: bytes_max=${bytesMax}`);
    parts.push(unpackBlock(block[0]!, block.subarray(HEADER_BYTES), unpackedBytes));
    at = from + size;
  }
  return Buffer.concat(parts);
}

function unpackBlock(method: number, data: Uint8Array, bytes: number): Uint8Array {
  if (method === METHOD_NONE) return data;
  if (method !== METHOD_LZ4 && method !== METHOD_ZSTD)
    throw broken(`its method is unknown: method=0x${method.toString(16)}`);
  const target = new Uint8Array(method === METHOD_LZ4 ? bytes : 0);
  try {
    if (method === METHOD_ZSTD) return unpackZstd(data, bytes);
    if (decompressBlock(data, target, 0) !== bytes) throw new Lz4Error('it unpacks to another size');
  } catch (cause) {
    throw broken((cause as Error).message);
  }
  return target;
}

function broken(why: string): EngineFailure {
  return new EngineFailure(271, 'CANNOT_DECOMPRESS', `Request body could not be unpacked: ${why}`);
}
