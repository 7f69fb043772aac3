/**
 * XGBoost's objectives that are taken: where trees begin to add (`base_score` stands in the file as the objective's own
 * value), and what the library's predict makes of the sum. Checked against the library (test/model/golden/make-today.py).
 * Called by parse-xgboost.ts.
 */

import { lookup } from '../base/lookup.ts';
import type { ModelLink } from '../plan/model-plan.ts';
import { ModelError } from './model-problems.ts';
import { logSingle } from './single-precision.ts';

interface Objective {
  /** From base_score to the margin that trees add to. */
  readonly base: 'identity' | 'logit' | 'log';
  readonly link: ModelLink;
}

const IDENTITY = { base: 'identity', link: 'identity' } as const;
const LOGISTIC = { base: 'logit', link: 'logistic' } as const;
const LOG = { base: 'log', link: 'exp' } as const;

const OBJECTIVES = {
  'binary:hinge': { base: 'identity', link: 'step' },
  'binary:logistic': LOGISTIC,
  'binary:logitraw': IDENTITY,
  'count:poisson': LOG,
  'rank:map': IDENTITY,
  'rank:ndcg': IDENTITY,
  'rank:pairwise': IDENTITY,
  'reg:absoluteerror': IDENTITY,
  'reg:gamma': LOG,
  'reg:linear': IDENTITY,
  'reg:logistic': LOGISTIC,
  'reg:pseudohubererror': IDENTITY,
  'reg:quantileerror': IDENTITY,
  'reg:squarederror': IDENTITY,
  'reg:squaredlogerror': IDENTITY,
  'reg:tweedie': LOG,
  'survival:aft': LOG,
  'survival:cox': LOG,
} as const satisfies Record<string, Objective>;

/** The library bounds base_score of logistic objectives, since it is 0 or 1 where all labels were. */
const BASE_MIN = Math.fround(1e-6);
const BASE_MAX = Math.fround(1 - BASE_MIN);

export function xgboostObjective(name: string): Objective {
  const known = lookup<Objective>(OBJECTIVES, name);
  if (known !== undefined) return known;
  if (name.startsWith('multi:')) throw new ModelError(`models of several classes are not supported: objective=${name}`);
  throw new ModelError(
    `the objective ${name} is not known here, nor what its scores are; known are ${Object.keys(OBJECTIVES).join(', ')}`,
  );
}

/** `text`: `5E-1`, and `[5E-1]` since version 3.1. The library's own float32 operations. */
export function baseMargin(text: string, { base }: Objective): number {
  const values = text.replace(/^\[(.*)\]$/, '$1').split(',');
  if (values.length !== 1) throw new ModelError(`models of several targets are not supported: base_score=${text}`);
  const value = Math.fround(Number(values[0]));
  if (values[0]!.trim() === '' || !Number.isFinite(value)) throw new ModelError(`base_score=${text} is no number`);
  if (base === 'identity') return value;
  if (base === 'log') {
    if (value > 0) return logSingle(value);
    throw new ModelError(
      `base_score=${text} must be above 0 for this objective: were all labels 0, the library's every margin is -Infinity`,
    );
  }
  if (!(value >= 0 && value <= 1)) throw new ModelError(`base_score=${text} must lie between 0 and 1`);
  const bounded = Math.min(Math.max(value, BASE_MIN), BASE_MAX);
  return -logSingle(Math.fround(Math.fround(1 / bounded) - 1));
}
