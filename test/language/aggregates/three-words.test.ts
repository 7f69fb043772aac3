/** Three words become the double that BigInt gives, ties and what lies far below them included. */

import { expect, test } from 'vitest';
import { nearestOfWords } from '../../../native-free-core/language/aggregates/three-words.ts';
import { seeded } from '../../random.ts';

const WORD = 2 ** 32;

/** Mostly zeros and ones, so that ties and almost ties come up. */
function words(next: () => number): [number, number, number] {
  const edges = [0, 1, 2, WORD / 2, WORD - 1, WORD - 2, WORD / 2 + 1];
  const word = (): number => (next() < 0.7 ? edges[Math.floor(next() * edges.length)]! : Math.floor(next() * WORD));
  const size = 2 ** Math.floor(next() * 42);
  const top = Math.floor(next() * size) + (next() < 0.3 ? 2 ** Math.floor(next() * 41) : 0);
  return [next() < 0.5 ? top : -top, word(), word()];
}

test.each([1, 2, 3])('seed %i', (seed) => {
  const next = seeded(seed);
  for (let i = 0; i < 100_000; i++) {
    const [top, high, low] = words(next);
    const wanted = Number((BigInt(top) << 64n) + (BigInt(high) << 32n) + BigInt(low));
    if (nearestOfWords(top, high, low) + 0 !== wanted)
      expect.fail(`seed=${seed} ${top} ${high} ${low}: ${nearestOfWords(top, high, low)}, not ${wanted}`);
  }
});
