/**
 * LightGBM's objectives that are taken, by the words of the file's line `objective=`, and what the library's predict makes
 * of a raw score. Checked against the library (test/model/golden/make-today.py). Called by parse-lightgbm.ts.
 */

import { lookup } from '../base/lookup.ts';
import type { ModelLink } from '../plan/model-plan.ts';
import { ModelError } from './model-problems.ts';

interface Objective {
  readonly link: ModelLink;
  /** Of further words, what they may be: `sqrt` squares scores, `sigmoid:2` is the factor within the logistic function. */
  readonly words: readonly ('sqrt' | 'sigmoid')[];
}

const IDENTITY = { link: 'identity', words: [] } as const;
const EXP = { link: 'exp', words: [] } as const;

const OBJECTIVES = {
  binary: { link: 'logistic', words: ['sigmoid'] },
  cross_entropy: { link: 'logistic', words: [] },
  cross_entropy_lambda: { link: 'softplus', words: [] },
  custom: IDENTITY,
  fair: IDENTITY,
  gamma: EXP,
  huber: IDENTITY,
  lambdarank: IDENTITY,
  mape: IDENTITY,
  poisson: EXP,
  quantile: IDENTITY,
  rank_xendcg: IDENTITY,
  regression: { link: 'identity', words: ['sqrt'] },
  regression_l1: { link: 'identity', words: ['sqrt'] },
  tweedie: EXP,
} as const satisfies Record<string, Objective>;

export interface LightGbmObjective {
  readonly link: ModelLink;
  readonly sigmoid: number;
}

/**
 * `line`: what stands behind `objective=`; undefined where the model was trained by a function of one's own, whose scores
 * are raw.
 */
export function lightGbmObjective(line: string | undefined): LightGbmObjective {
  const [name = 'custom', ...words] = (line ?? 'custom').split(' ').filter((word) => word !== '');
  if (name.startsWith('multiclass'))
    throw new ModelError(`models of several classes are not supported: objective=${name}`);
  const objective = lookup<Objective>(OBJECTIVES, name);
  if (objective === undefined) {
    const known = Object.keys(OBJECTIVES).join(', ');
    throw new ModelError(`the objective ${name} is not known here, nor what its scores are; known are ${known}`);
  }
  const { link, words: allowed } = objective;
  let found: LightGbmObjective = { link, sigmoid: 1 };
  for (const word of words) {
    const [key = '', value] = word.split(':');
    if (!(allowed as readonly string[]).includes(key))
      throw new ModelError(`the word ${word} of objective=${line} is not known here, nor what it makes of scores`);
    if (key === 'sqrt') found = { ...found, link: 'signed_square' };
    else found = { ...found, sigmoid: factorOf(value, line) };
  }
  return found;
}

function factorOf(text: string | undefined, line: string | undefined): number {
  const factor = Number(text);
  if (text !== undefined && factor > 0 && factor < Infinity) return factor;
  throw new ModelError(`objective=${line} must have a positive number behind sigmoid:`);
}
