/**
 * What models cost: a worker alone with features, rules and a model over all of its features, beside the same without the model;
 * and the loop over trees by itself. The trees are full to their depth, which trained ones seldom are.
 */

import { seeded } from '../../test/random.ts';
import { compileModel } from '../../native-free-core/model/compile-model.ts';
import { parseModel } from '../../native-free-core/model/parse-model.ts';
import type { Bench, BenchFigure } from '../bench.ts';
import { planOf, TEN, TWENTY } from './game-pipelines.ts';
import { measureWorker } from './worker-rig.ts';

const TREES = 100;
const DEPTH = 6;

function inputsOf(counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts).flatMap(([entity, count]) =>
    Array.from({ length: count }, (_, i) => `${entity}.${'abcdefgh'[i]}`),
  );
}

/** As XGBoost saves it: full trees with thresholds where counts and sums of the game lie. */
export function fullTrees(features: number, trees: number, depth: number): string {
  const random = seeded(1);
  const inner = 2 ** depth - 1;
  const nodes = 2 * inner + 1;
  const all = Array.from({ length: nodes }, (_, i) => i);
  const tree = (): object => ({
    left_children: all.map((i) => (i < inner ? 2 * i + 1 : -1)),
    right_children: all.map((i) => (i < inner ? 2 * i + 2 : -1)),
    split_indices: all.map(() => Math.floor(random() * features)),
    split_conditions: all.map((i) => (i < inner ? Math.floor(random() ** 3 * 200) + 0.5 : random() - 0.5)),
    default_left: all.map(() => random() < 0.5),
  });
  return JSON.stringify({
    learner: {
      gradient_booster: { name: 'gbtree', model: { trees: Array.from({ length: trees }, tree) } },
      learner_model_param: { base_score: '5E-1', num_class: '0', num_feature: String(features) },
      objective: { name: 'binary:logistic' },
    },
  });
}

function withModel(text: string, format: string, inputs: readonly string[]): string {
  const models = `models:\n  m: { file: m.json, format: ${format}, inputs: [${inputs.join(', ')}] }\n`;
  return text
    .replace('\ndecisions:\n', `\n${models}decisions:\n`)
    .replace("player.c * 2.0 > 0.5'", "player.c * 2.0 > 0.5 && model.m > 0.9'");
}

const CASES = [
  ['10 features, 10 rules', TEN, inputsOf({ player: 5, hunt: 5 }), 'logistic'],
  ['20 features over 3 entities, 20 rules', TWENTY, inputsOf({ player: 8, hunt: 6, visit: 6 }), 'xgboost'],
] as const;

const ROWS = 4096;

function treesAlone(rounds: number): BenchFigure {
  const features = 20;
  const names = Array.from({ length: features }, (_, i) => `f${i}`);
  const parsed = parseModel('xgboost', fullTrees(features, TREES, DEPTH), names);
  if ('problem' in parsed) throw new Error(parsed.problem);
  const loop = compileModel(parsed.content, 'xgboost', 'margin');
  const random = seeded(2);
  const inputs = Float64Array.from({ length: ROWS * features }, () => Math.floor(random() ** 3 * 200));
  const out = new Float64Array(ROWS);
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    loop(inputs, ROWS, features, out);
    best = Math.min(best, performance.now() - begun);
  }
  const checksum = out.reduce((sum, one) => sum + one, 0).toFixed(3);
  const parameters = { trees: TREES, depth: DEPTH, features, rows: ROWS, rounds };
  return { name: 'trees alone, best round', unit: 'ns/event', value: (best * 1e6) / ROWS, checksum, parameters };
}

export const bench: Bench = {
  name: 'models',
  async run({ tiny }) {
    const figures = [treesAlone(tiny ? 5 : 200)];
    for (const [name, text, inputs, format] of CASES) {
      const weights = Object.fromEntries(inputs.map((input, i) => [input, (i - 4) / 100]));
      const defaults = Object.fromEntries(inputs.map((input) => [input, 0]));
      const file =
        format === 'logistic' ? JSON.stringify({ weights, defaults }) : fullTrees(inputs.length, TREES, DEPTH);
      const model = format === 'logistic' ? 'a logistic model' : `${TREES} trees of depth ${DEPTH}`;
      for (const [label, pipeline] of [
        [name, text],
        [`${name}, ${model}`, withModel(text, format, inputs)],
      ] as const) {
        const plan = await planOf(pipeline, { 'm.json': file });
        const { eventsPerSecond, checksum, parameters } = measureWorker(plan, tiny ? 1000 : 200_000, tiny ? 4 : 150);
        figures.push({ name: label, unit: 'events/s', value: eventsPerSecond, checksum, parameters });
      }
    }
    return figures;
  },
};
