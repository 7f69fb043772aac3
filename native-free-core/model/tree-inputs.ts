/**
 * What joined trees tell of their inputs: whether thresholds or sets ask them, and how large the categories are. Called by
 * the parsers.
 */

import type { TreeContent } from '../plan/model-plan.ts';
import type { FileInput } from './parsed-model.ts';
import { CATEGORICAL } from './tree-flags.ts';

export function splitKinds({ feature, flags }: TreeContent, features: number): FileInput['kind'][] {
  const kinds = Array.from({ length: features }, (): FileInput['kind'] => 'unknown');
  feature.forEach((input, node) => {
    if (input >= 0)
      kinds[input] = (flags[node] & CATEGORICAL) === 0 && kinds[input] !== 'category' ? 'number' : 'category';
  });
  return kinds;
}

/** By input: the largest category in any set, -1 where there is none. */
export function setMaxima({ feature, flags, setAt, setWords, categories }: TreeContent, features: number): number[] {
  const maxima = Array.from({ length: features }, () => -1);
  feature.forEach((input, node) => {
    if (input < 0 || (flags[node] & CATEGORICAL) === 0) return;
    for (let word = setWords[node] - 1; word >= 0; word--) {
      const bits = categories[setAt[node] + word];
      if (bits === 0) continue;
      maxima[input] = Math.max(maxima[input], word * 32 + 31 - Math.clz32(bits));
      return;
    }
  });
  return maxima;
}
