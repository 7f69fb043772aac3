/**
 * The pipelines whose generated code and SQL are held: all that come with the project, the tests' own, and one for each
 * aggregate.
 */

import { join } from 'node:path';
import type { AggregateName, Plan } from '../../native-free-core/plan/plan.ts';
import { loadPipeline } from '../../src/config/index.ts';
import { AGGREGATE_NAMES } from '../../native-free-core/language/aggregates/aggregate-names.ts';
import { compilePipeline } from '../../src/config/compile-pipeline.ts';
import { protoReader } from '../../src/config/load-pipeline.ts';
import { PipelineError } from '../../src/config/problems.ts';
import type { Problem } from '../../src/config/source.ts';
import { compileText, PIPELINE } from '../config/pipelines.ts';
import { edited } from '../stress/variants.ts';
import { FEATURES, planFrom } from '../warehouse/twin/random-steps.ts';

const root = join(import.meta.dirname, '..', '..');

const FILES = [
  'src/examples/treasure-hunt/pipeline.yaml',
  'docs/examples/shop/pipeline.yaml',
  'test/e2e/flights/pipeline.yaml',
  'test/e2e/retail/pipeline.yaml',
  'test/e2e/shared-columns/pipeline.yaml',
  'test/e2e/world-cup/pipeline.yaml',
  'test/faults/power-cut.yaml',
  'test/stress/pipeline.yaml',
];

export const SMALL = 'test/config/pipelines.ts';

export interface GoldenPlan {
  readonly plan: Plan;
  /** What the compiler said of the features that it refused, a line each. */
  readonly refused: string;
}

/** By the name that the golden file has for them. */
export async function goldenPlans(): Promise<Map<string, GoldenPlan>> {
  const plans = new Map<string, GoldenPlan>();
  const put = (name: string, plan: Plan, refused = ''): void => void plans.set(name, { plan, refused });
  for (const file of FILES) put(file, await loadPipeline(join(root, file)));
  const stress = join(root, 'test', 'stress');
  const variant = compilePipeline('pipeline.yaml', edited(join(stress, 'pipeline.yaml')), protoReader(stress));
  put('test/stress/variants.ts', variant.plan);
  put(SMALL, compileText(PIPELINE).plan);
  put('test/warehouse/twin/random-steps.ts', planFrom(FEATURES));
  for (const aggregate of AGGREGATE_NAMES) {
    const { plan, refused } = everyFeature(aggregate);
    put(`agg: ${aggregate}`, plan, refused);
  }
  return plans;
}

/** One feature of the aggregate for each of these; most of them are refused. */
const INPUTS = [
  '',
  'of: event.amount',
  'of: event.amount, exact: false',
  'of: event.amount * 2.0, decimals: 1, where: event.good',
  'of: event.amount * 2.0',
  'of: event.points, where: "event.hunt > 1"',
  'of: event.points, exact: false',
  'of: event.time',
  'of: event.good',
  'of: event.place',
  'of: event.device',
  'of: event.tool',
];
/** What an aggregate needs besides, or takes. */
const OPTIONS: Readonly<Partial<Record<AggregateName, string>>> = {
  count_distinct: 'cap: 8',
  ewma: 'half_life: 20s',
  quantile: 'q: 0.9, cap: 8',
  mode: 'cap: 8',
};
const WINDOWS = [
  '',
  'window: 1m',
  'windows: [20s, 5m], hop: 500ms, current_event: exclude',
  'window: 1m, delay: 30s',
  'window: 1m, delay: 6s, current_event: exclude',
  'delay: 30s',
  'current_event: exclude',
  'window: { calendar: day, zone: Europe/Berlin }',
  'window: { session: 4s }',
  'window: { session: 4s, late: 60s }, current_event: exclude',
];

function everyFeature(aggregate: AggregateName): GoldenPlan {
  const texts = INPUTS.flatMap((input) => WINDOWS.map((window) => [input, OPTIONS[aggregate] ?? '', window]));
  // With an option of another aggregate, and without its own.
  for (const option of ['', 'cap: 8', 'half_life: 20s'])
    for (const input of ['', 'of: event.points']) texts.push([input, option, 'window: 1m']);
  const all = texts.map((parts) => [`agg: ${aggregate}`, ...parts].filter((text) => text !== '').join(', '));
  const problems = problemsOf(all);
  const refusedOnes = new Set(problems.map(({ path }) => Number(/^features\.player\.f(\d+)/.exec(path)![1])));
  const refused = problems.map(({ path, message }) => `${all[Number(/\d+/.exec(path)![0])]!}: ${path} ${message}`);
  const kept = all.flatMap((text, i) => (refusedOnes.has(i) ? [] : [`f${i}: { ${text} }`]));
  return { plan: planFrom(section(kept)), refused: refused.join('\n') };
}

function problemsOf(features: readonly string[]): readonly Problem[] {
  try {
    planFrom(section(features.map((text, i) => `f${i}: { ${text} }`)));
    return [];
  } catch (error) {
    if (error instanceof PipelineError) return error.problems;
    throw error;
  }
}

function section(lines: readonly string[]): string {
  return `  player:\n${lines.map((line) => `    ${line}\n`).join('')}`;
}
