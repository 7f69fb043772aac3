/**
 * CityHash128 as ClickHouse has it (version 1.0.2 of the algorithm by Geoff Pike and Jyrki Alakuijala, MIT licence): the
 * checksum of blocks that its native compression makes. Later versions of CityHash give other values. Child process.
 */

const MASK = 0xffff_ffff_ffff_ffffn;
const K0 = 0xc3a5c85c97cb3127n;
const K1 = 0xb492b66fbe98f273n;
const K2 = 0x9ae16a3b2f90404fn;
const K3 = 0xc949d7c7509e6557n;
const MIX = 0x9ddfea08eb382d69n;

/** 64-bit words of the bytes, at any place. */
interface Words {
  readonly length: number;
  at(place: number): bigint;
}

type Pair = readonly [bigint, bigint];

/** 16 bytes, as they stand before a block. */
export function cityHash128(bytes: Uint8Array): Buffer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = (from: number): Words => ({
    length: bytes.byteLength - from,
    at: (place) => view.getBigUint64(from + place, true),
  });
  const whole = words(0);
  const hash =
    whole.length >= 16
      ? withSeed(words(16), bytes.subarray(16), [whole.at(0) ^ K3, whole.at(8)])
      : whole.length >= 8
        ? withSeed(words(whole.length), bytes.subarray(whole.length), [
            whole.at(0) ^ wrap(BigInt(whole.length) * K0),
            whole.at(whole.length - 8) ^ K1,
          ])
        : withSeed(whole, bytes, [K0, K1]);
  const result = Buffer.alloc(16);
  result.writeBigUInt64LE(hash[0], 0);
  result.writeBigUInt64LE(hash[1], 8);
  return result;
}

function withSeed(words: Words, bytes: Uint8Array, seed: Pair): Pair {
  return words.length < 128 ? shortHash(words, bytes, seed) : longHash(words, seed);
}

/** Fewer than 128 bytes. */
function shortHash(words: Words, bytes: Uint8Array, [first, second]: Pair): Pair {
  const { length } = words;
  let [a, b, c, d] = [first, second, 0n, 0n];
  if (length <= 16) {
    a = wrap(shiftMix(wrap(a * K1)) * K1);
    c = wrap(b * K1 + upTo16(words, bytes));
    d = shiftMix(wrap(a + (length >= 8 ? words.at(0) : c)));
  } else {
    c = fold(wrap(words.at(length - 8) + K1), a);
    d = fold(wrap(b + BigInt(length)), wrap(c + words.at(length - 16)));
    a = wrap(a + d);
    for (let place = 0; place < length - 16; place += 16) {
      a = wrap((a ^ wrap(shiftMix(wrap(words.at(place) * K1)) * K1)) * K1);
      b ^= a;
      c = wrap((c ^ wrap(shiftMix(wrap(words.at(place + 8) * K1)) * K1)) * K1);
      d ^= c;
    }
  }
  a = fold(a, c);
  b = fold(d, b);
  return [a ^ b, fold(b, a)];
}

function longHash(words: Words, [first, second]: Pair): Pair {
  const { length } = words;
  let [x, y, z] = [first, second, wrap(BigInt(length) * K1)];
  const v0 = wrap(rotate(y ^ K1, 49n) * K1 + words.at(0));
  let v: Pair = [v0, wrap(rotate(v0, 42n) * K1 + words.at(8))];
  let w: Pair = [wrap(rotate(wrap(y + z), 35n) * K1 + x), wrap(rotate(wrap(x + words.at(88)), 53n) * K1)];
  let from = 0;
  const roll = (): void => {
    x = wrap(rotate(wrap(x + y + v[0] + words.at(from + 16)), 37n) * K1) ^ w[1];
    y = wrap(rotate(wrap(y + v[1] + words.at(from + 48)), 42n) * K1) ^ v[0];
    z = rotate(z ^ w[0], 33n);
    v = weak(words, from, wrap(v[1] * K1), wrap(x + w[0]));
    w = weak(words, from + 32, wrap(z + w[1]), y);
    [z, x] = [x, z];
    from += 64;
  };
  while (length - from >= 128) {
    roll();
    roll();
  }
  y = wrap(y + rotate(w[0], 37n) * K0 + z);
  x = wrap(x + rotate(wrap(v[0] + z), 49n) * K0);
  // The rest in pieces of 32 bytes, from the end of all bytes backwards.
  for (let taken = 0; taken < length - from;) {
    taken += 32;
    const place = length - taken;
    y = wrap(rotate(wrap(y - x), 42n) * K0 + v[1]);
    w = [wrap(w[0] + words.at(place + 16)), w[1]];
    x = wrap(rotate(x, 49n) * K0 + w[0]);
    w = [wrap(w[0] + v[0]), w[1]];
    v = weak(words, place, v[0], v[1]);
  }
  x = fold(x, v[0]);
  y = fold(y, w[0]);
  return [wrap(fold(wrap(x + v[1]), w[1]) + y), fold(wrap(x + w[1]), wrap(y + v[1]))];
}

/** 32 bytes into two words that were there before. */
function weak(words: Words, place: number, a: bigint, b: bigint): Pair {
  const start = wrap(a + words.at(place));
  const turned = rotate(wrap(b + start + words.at(place + 24)), 21n);
  const end = wrap(start + words.at(place + 8) + words.at(place + 16));
  return [wrap(end + words.at(place + 24)), wrap(turned + rotate(end, 44n) + start)];
}

function upTo16(words: Words, bytes: Uint8Array): bigint {
  const { length } = words;
  if (length > 8) {
    const last = words.at(length - 8);
    return fold(words.at(0), rotate(wrap(last + BigInt(length)), BigInt(length))) ^ last;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (length >= 4) {
    const head = BigInt(view.getUint32(0, true));
    return fold(BigInt(length) + (head << 3n), BigInt(view.getUint32(length - 4, true)));
  }
  if (length === 0) return K2;
  const y = BigInt(bytes[0]! + (bytes[length >> 1]! << 8));
  const z = BigInt(length + (bytes[length - 1]! << 2));
  return wrap(shiftMix(wrap(y * K2) ^ wrap(z * K3)) * K2);
}

function fold(low: bigint, high: bigint): bigint {
  let a = wrap((low ^ high) * MIX);
  a ^= a >> 47n;
  let b = wrap((high ^ a) * MIX);
  b ^= b >> 47n;
  return wrap(b * MIX);
}

function shiftMix(value: bigint): bigint {
  return value ^ (value >> 47n);
}

function rotate(value: bigint, by: bigint): bigint {
  return by === 0n ? value : (value >> by) | ((value << (64n - by)) & MASK);
}

function wrap(value: bigint): bigint {
  return value & MASK;
}
