/**
 * Whose the rows and dead letters of sealed blocks are, while a batch is encoded: each block says by which number it knows
 * each producer, and a number may be another producer's in a later block. Main thread, for native-encoder.ts and
 * native-dead-letters.ts.
 */

import { fail } from '../base/fail.ts';
import { eachName } from './load-block.ts';
import type { NativeTexts } from './native-column.ts';

const NOBODY = new Uint8Array(0);

export interface ProducerNames {
  readonly textOf: (producer: number) => Uint8Array;
  /** Takes over a block's names. `onReuse` is called before a number becomes another producer's. */
  enter(block: Uint8Array, onReuse: () => void): void;
  clear(): void;
}

export function createProducerNames(texts: NativeTexts): ProducerNames {
  const names = new Map<number, Uint8Array>();
  return {
    textOf: (producer) => (producer === 0 ? NOBODY : (names.get(producer) ?? fail('block_producer', producer))),
    enter(block, onReuse) {
      eachName(block, texts.dictionary, (producer, name) => {
        const known = names.get(producer);
        if (known !== undefined && isSame(known, name)) return;
        if (known !== undefined) onReuse();
        names.set(producer, name.slice());
      });
    },
    clear: () => names.clear(),
  };
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
