/**
 * The engine's own JSON for linear and logistic models:
 *
 *   { "intercept": -1.5, "weights": { "player.digs_5m": 0.25, … }, "defaults": { "player.quiet": 0 } }
 *
 * Weights are by input as the pipeline names it, one for each. `defaults` stand in for missing inputs; an input that is
 * missing and has none leaves the event without a score.
 */

import { lookup } from '../base/lookup.ts';
import type { LinearContent } from '../plan/model-plan.ts';
import type { FileInput, ParsedModel } from './parsed-model.ts';
import { ModelError, parseLooseJson } from './model-problems.ts';

export function parseLinear(format: 'linear' | 'logistic', text: string, inputNames: readonly string[]): ParsedModel {
  const model = record(parseLooseJson(text), 'the model');
  for (const key of Object.keys(model)) {
    if (!['intercept', 'weights', 'defaults'].includes(key)) throw new ModelError(`unknown key: ${key}`);
  }
  const weights = record(model['weights'], 'weights');
  const defaults = record(model['defaults'] ?? {}, 'defaults');
  for (const name of [...Object.keys(weights), ...Object.keys(defaults)]) {
    if (!inputNames.includes(name)) throw new ModelError(`${name} is not among the inputs: ${inputNames.join(', ')}`);
  }
  const link = format === 'logistic' ? 'logistic' : 'identity';
  const content: LinearContent = {
    kind: 'linear',
    link,
    intercept: number(model['intercept'] ?? 0, 'intercept'),
    weights: inputNames.map((name) => {
      if (!Object.hasOwn(weights, name)) throw new ModelError(`there is no weight for the input ${name}`);
      return number(lookup(weights, name), `the weight of ${name}`);
    }),
    defaults: inputNames.map((name) =>
      Object.hasOwn(defaults, name) ? number(lookup(defaults, name), `the default of ${name}`) : null,
    ),
  };
  const inputs = inputNames.map((): FileInput => ({ kind: 'number', categories: null, categoryMax: -1 }));
  return { content, link, inputs, columnCategories: [], warnings: [] };
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new ModelError(`${what} must be an object`);
}

function number(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new ModelError(`${what} must be a finite number`);
}
