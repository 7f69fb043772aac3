/**
 * LZ4: blocks, as ClickHouse's native compression has them, and frames, as `Content-Encoding: lz4` has them. Own code, since
 * no kept package does it without a native part. Formats: lz4_Block_format.md and lz4_Frame_format.md of the LZ4 project.
 * Child process.
 */

export class Lz4Error extends Error {}

const MATCH_MIN = 4;
/** The last match begins at least so far before the end, and the last bytes are literals. */
const MATCH_FROM_END_MIN = 12;
const LITERALS_AT_END = 5;
const DISTANCE_MAX = 65_535;
const HASH_BITS = 14;

const FRAME_MAGIC = 0x184d2204;
const VERSION_MASK = 0xc0;
const VERSION = 0x40;
const HAS_BLOCK_CHECKSUM = 0x10;
const HAS_SIZE = 0x08;
const HAS_CHECKSUM = 0x04;
const HAS_DICTIONARY = 0x01;
const STORED = 0x8000_0000;

/** The largest that `size` bytes can become. */
function boundOf(size: number): number {
  return size + Math.ceil(size / 255) + 16;
}

export function compressBlock(source: Uint8Array): Uint8Array {
  const target = new Uint8Array(boundOf(source.length));
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  /** Place of the last four bytes of a hash, plus one. */
  const places = new Int32Array(1 << HASH_BITS);
  let out = 0;
  let anchor = 0;
  const last = source.length - MATCH_FROM_END_MIN;
  for (let at = 0; at <= last;) {
    const word = view.getUint32(at, true);
    const slot = Math.imul(word, 2_654_435_761) >>> (32 - HASH_BITS);
    const match = places[slot]! - 1;
    places[slot] = at + 1;
    if (match < 0 || at - match > DISTANCE_MAX || view.getUint32(match, true) !== word) {
      at++;
      continue;
    }
    const end = source.length - LITERALS_AT_END;
    let length = MATCH_MIN;
    while (at + length < end && source[match + length] === source[at + length]) length++;
    out = writeSequence(source.subarray(anchor, at), target, out, at - match, length);
    at += length;
    anchor = at;
  }
  out = writeSequence(source.subarray(anchor), target, out, 0, 0);
  return target.subarray(0, out);
}

/** Literals, and the match behind them; `distance` 0: none, at the end. */
function writeSequence(literals: Uint8Array, target: Uint8Array, at: number, distance: number, length: number): number {
  const more = distance === 0 ? 0 : length - MATCH_MIN;
  let out = at;
  target[out++] = (Math.min(literals.length, 15) << 4) | Math.min(more, 15);
  out = writeLength(target, out, literals.length);
  target.set(literals, out);
  out += literals.length;
  if (distance === 0) return out;
  target[out++] = distance & 255;
  target[out++] = distance >> 8;
  return writeLength(target, out, more);
}

function writeLength(target: Uint8Array, at: number, length: number): number {
  if (length < 15) return at;
  let out = at;
  let rest = length - 15;
  for (; rest >= 255; rest -= 255) target[out++] = 255;
  target[out++] = rest;
  return out;
}

/** Writes the block behind `at`, to which its matches may reach back; returns where it ends. */
export function decompressBlock(source: Uint8Array, target: Uint8Array, at: number): number {
  let from = 0;
  let out = at;
  const lengthOf = (nibble: number): number => {
    let length = nibble;
    if (nibble < 15) return length;
    for (let byte = 255; byte === 255; length += byte) {
      if (from >= source.length) throw new Lz4Error('the block ends in a length');
      byte = source[from++]!;
    }
    return length;
  };
  while (from < source.length) {
    const token = source[from++]!;
    const literals = lengthOf(token >> 4);
    if (from + literals > source.length || out + literals > target.length)
      throw new Lz4Error('literals reach beyond the block');
    target.set(source.subarray(from, from + literals), out);
    from += literals;
    out += literals;
    if (from === source.length) break;
    if (from + 2 > source.length) throw new Lz4Error('the block ends in a distance');
    const distance = source[from]! | (source[from + 1]! << 8);
    from += 2;
    const length = lengthOf(token & 15) + MATCH_MIN;
    if (distance === 0 || distance > out || out + length > target.length)
      throw new Lz4Error('a match reaches beyond the block');
    // Byte by byte: a match may repeat what it writes.
    for (let i = 0; i < length; i++, out++) target[out] = target[out - distance]!;
  }
  return out;
}

/** All frames of the bytes. Checksums are not looked at: the transport has its own. */
export function decompressFrames(source: Uint8Array, bytesMax: number): Uint8Array {
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  let target = new Uint8Array(Math.min(bytesMax, Math.max(65_536, source.length * 4)));
  let out = 0;
  const reserve = (bytes: number): void => {
    if (out >= bytesMax) throw new Lz4Error(`unpacked it has more than ${bytesMax} bytes`);
    if (out + bytes <= target.length || target.length === bytesMax) return;
    const grown = new Uint8Array(Math.min(bytesMax, Math.max(out + bytes, target.length * 2)));
    grown.set(target.subarray(0, out));
    target = grown;
  };
  for (let at = 0; at < source.length;) {
    const frame = frameAt(view, at);
    at = frame.blocksAt;
    for (;;) {
      if (at + 4 > source.length) throw new Lz4Error('the frame has no end mark');
      const word = view.getUint32(at, true);
      at += 4;
      if (word === 0) break;
      const size = word & ~STORED;
      if (at + size > source.length) throw new Lz4Error('a block reaches beyond the frame');
      const block = source.subarray(at, at + size);
      reserve((word & STORED) === 0 ? frame.blockBytesMax : size);
      if ((word & STORED) === 0) out = decompressBlock(block, target.subarray(0, out + frame.blockBytesMax), out);
      else {
        if (out + size > target.length) throw new Lz4Error(`unpacked it has more than ${bytesMax} bytes`);
        target.set(block, out);
        out += size;
      }
      at += size + frame.blockTail;
    }
    at += frame.tail;
  }
  return target.subarray(0, out);
}

interface Frame {
  readonly blocksAt: number;
  readonly blockBytesMax: number;
  /** Bytes of checksums behind a block, and behind the end mark. */
  readonly blockTail: number;
  readonly tail: number;
}

function frameAt(view: DataView, at: number): Frame {
  if (at + 7 > view.byteLength || view.getUint32(at, true) !== FRAME_MAGIC)
    throw new Lz4Error('no LZ4 frame begins there');
  const flags = view.getUint8(at + 4);
  if ((flags & VERSION_MASK) !== VERSION) throw new Lz4Error('the frame is of another version');
  if ((flags & HAS_DICTIONARY) !== 0) throw new Lz4Error('the frame needs a dictionary');
  const sizeClass = (view.getUint8(at + 5) >> 4) & 7;
  if (sizeClass < 4) throw new Lz4Error('the frame has blocks of an unknown size');
  return {
    blocksAt: at + 7 + ((flags & HAS_SIZE) === 0 ? 0 : 8),
    blockBytesMax: 1 << (8 + 2 * sizeClass),
    blockTail: (flags & HAS_BLOCK_CHECKSUM) === 0 ? 0 : 4,
    tail: (flags & HAS_CHECKSUM) === 0 ? 0 : 4,
  };
}
