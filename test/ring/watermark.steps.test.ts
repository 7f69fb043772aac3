/**
 * Watermarks, in every order in which the steps of one that moves it and of one that reads it can follow one another, around
 * the change of the high word: what is read has been true, and never goes back. The faults below must all be found.
 */

import { expect, test } from 'vitest';
import type * as watermarkModule from '../../native-free-core/ring/watermark.ts';
import type { Mutation } from '../stepper/protocol.ts';
import { explore, type Scene } from '../stepper/stepper.ts';

type Protocol = typeof watermarkModule;

const FILE = 'native-free-core/ring/watermark.ts';
const WRAP = 2 ** 32;
const FIRST = WRAP - 3;
/** A group of epochs becomes durable at once. */
const LATER = [WRAP - 1, WRAP, WRAP + 2];

function scene(from: number, to: readonly number[]): Scene<Protocol, Int32Array> {
  return {
    prepare({ storeWatermark }, shared) {
      const words = shared(2);
      storeWatermark(words, 0, from);
      return words;
    },
    threads: {
      writer: (words, { storeWatermark }) => to.forEach((epoch) => storeWatermark(words, 0, epoch)),
      reader(words, { loadWatermark }) {
        let before = from;
        for (let look = 0; look < 2; look++) {
          const epoch = loadWatermark(words, 0);
          if (epoch < before || epoch > to.at(-1)!) throw new Error(`${epoch} after ${before}`);
          before = epoch;
        }
      },
    },
    end(words, _, { loadWatermark }) {
      if (loadWatermark(words, 0) !== to.at(-1)) throw new Error(`ends at ${loadWatermark(words, 0)}`);
    },
  };
}

const SCENES = {
  'epoch by epoch': scene(FIRST, LATER),
  'over the change of the high word at once': scene(FIRST, [WRAP + 1]),
  'where the high word stays': scene(5 * WRAP + 1, [5 * WRAP + 2, 5 * WRAP + 7]),
};

/** Another number means that the watermark takes other steps than it did, or that the stepper misses some. */
const INTERLEAVINGS: Record<keyof typeof SCENES, bigint> = {
  'epoch by epoch': 7_722n,
  'over the change of the high word at once': 171n,
  'where the high word stays': 210n,
};

test.each(Object.keys(SCENES) as (keyof typeof SCENES)[])('%s: what is read was true', async (name) => {
  const { failure, interleavings, states } = await explore({ files: [FILE] }, SCENES[name]);
  console.log(`watermark, ${name}: ${interleavings} interleavings, ${states} states`);
  expect(failure).toBeNull();
  expect(interleavings).toBe(INTERLEAVINGS[name]);
});

const FAULTS: Readonly<Record<string, Omit<Mutation, 'file'>>> = {
  'the high word changes before the low one, unmarked': {
    from: 'Atomics.store(words, at + 1, ~before);',
    to: 'Atomics.store(words, at + 1, high);',
  },
  'the high word changes after the low one, unmarked': {
    from: 'if (high !== before) Atomics.store(words, at + 1, ~before);',
    to: '',
  },
  'the high word is read once': {
    from: 'if (Atomics.load(words, at + 1) === high) return',
    to: 'return',
  },
  'what is marked is read as it stands': { from: 'if (high < 0)', to: 'if (high < -WORD)' },
};

test.each(Object.keys(FAULTS))('fault: %s', async (name) => {
  const mutations = [{ file: FILE, ...FAULTS[name]! }];
  const { failure } = await explore({ files: [FILE], mutations }, SCENES['over the change of the high word at once']);
  expect(failure?.kind).toBe('wrong');
});
