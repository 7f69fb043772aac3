/** What the parsers check alike. */

import type { TreeContent } from '../plan/model-plan.ts';
import { CATEGORICAL } from './tree-flags.ts';

/** What is wrong with a model file, in one line; parse-model.ts turns it into an answer. */
export class ModelError extends Error {}

/** Some hundred megabytes of arrays; real models have thousands. */
const NODES_MAX = 4_000_000;

export function checkFeatureCount(has: number, inputNames: readonly string[]): void {
  if (has === inputNames.length) return;
  throw new ModelError(`the model has ${has} features, inputs: names ${inputNames.length}`);
}

/** A warning where the file has other names than the pipeline; the same names in another order are refused. */
export function nameWarnings(names: readonly string[], inputNames: readonly string[]): string[] {
  const differ = names.filter((name, i) => inputNames[i] !== undefined && !isCalled(inputNames[i], name));
  if (differ.length > 0 && differ.every((name) => inputNames.some((input) => isCalled(input, name)))) {
    throw new ModelError(
      `the model's features are ${names.join(', ')}, and inputs: has them in another order: ${inputNames.join(', ')}`,
    );
  }
  return names.flatMap((name, i) => {
    const input = inputNames[i];
    return input === undefined || isCalled(input, name)
      ? []
      : [`feature ${i} is called ${name} in the model and ${input} in the pipeline`];
  });
}

/** `event.dig.depth` is `depth`, and `dig_depth` as its column: training tables have such names. */
function isCalled(input: string, name: string): boolean {
  const column = input.replace(/^event\./, '').replaceAll('.', '_');
  return [input, input.replaceAll('.', '_'), column, input.split('.').at(-1)].includes(name);
}

/** Every node is reached once from its tree's root, and every inner node asks an input that is there. */
export function checkTrees(trees: TreeContent, inputs: number): void {
  const { feature, left, right, threshold, flags, roots } = trees;
  if (feature.length > NODES_MAX) throw new ModelError(`more than ${NODES_MAX} nodes: ${feature.length}`);
  const reached = new Uint8Array(feature.length);
  roots.forEach((root, tree) => {
    const waiting = [root];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      if (!(node >= 0 && node < feature.length))
        throw new ModelError(`tree ${tree} has a child that is not there: ${node}`);
      if (reached[node] !== 0) throw new ModelError(`tree ${tree} reaches node ${node - root} twice`);
      reached[node] = 1;
      if (feature[node] >= inputs) throw new ModelError(`tree ${tree} asks feature ${feature[node]} of ${inputs}`);
      const isSet = (flags[node] & CATEGORICAL) !== 0;
      if (Number.isNaN(threshold[node]) && !isSet)
        throw new ModelError(`tree ${tree} has a threshold that is no number`);
      if (feature[node] >= 0) waiting.push(right[node], left[node]);
    }
  });
}

/** JSON as Python writes it: NaN and infinities stand bare. They become null, which no check takes for a number. */
export function parseLooseJson(text: string): unknown {
  const strict = text.replace(
    /("(?:[^"\\]|\\.)*")|-?\b(?:NaN|Infinity|inf|nan)\b/g,
    (found, quoted: string | undefined) => (quoted === undefined ? bare(found) : quoted),
  );
  try {
    return JSON.parse(strict);
  } catch (error) {
    throw new ModelError(`the file is not JSON: ${(error as Error).message.replace(/\s+/g, ' ')}`);
  }
}

/** 1e999 reads back as infinity. */
function bare(word: string): string {
  if (/nan/i.test(word)) return 'null';
  return word.startsWith('-') ? '-1e999' : '1e999';
}
