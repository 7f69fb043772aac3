/** Ranges of code points as sequences of byte ranges of their UTF-8: what an automaton over bytes steps through. */

/** from, to of each byte in turn. */
export type ByteSequence = readonly (readonly [number, number])[];

/** Last code point of one, two, three and four bytes. */
const LENGTH_ENDS = [0x7f, 0x7ff, 0xffff, 0x10ffff];

export function utf8Sequences(from: number, to: number): ByteSequence[] {
  const sequences: ByteSequence[] = [];
  let start = from;
  for (const end of LENGTH_ENDS) {
    if (start > to) break;
    if (start > end) continue;
    splitSameLength(start, Math.min(end, to), sequences);
    start = end + 1;
  }
  return sequences;
}

/** Splits until all bytes behind the first that differs run over their whole range. */
function splitSameLength(from: number, to: number, sequences: ByteSequence[]): void {
  for (let bits = 6; bits <= 18; bits += 6) {
    const mask = (1 << bits) - 1;
    if ((from & ~mask) === (to & ~mask)) continue;
    if ((from & mask) !== 0) {
      splitSameLength(from, from | mask, sequences);
      splitSameLength((from | mask) + 1, to, sequences);
      return;
    }
    if ((to & mask) !== mask) {
      splitSameLength(from, (to & ~mask) - 1, sequences);
      splitSameLength(to & ~mask, to, sequences);
      return;
    }
  }
  const low = encoded(from);
  const high = encoded(to);
  sequences.push(low.map((byte, i): [number, number] => [byte, high[i]]));
}

function encoded(point: number): number[] {
  if (point < 0x80) return [point];
  if (point < 0x800) return [0xc0 | (point >> 6), 0x80 | (point & 63)];
  if (point < 0x10000) return [0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63)];
  return [0xf0 | (point >> 18), 0x80 | ((point >> 12) & 63), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63)];
}
