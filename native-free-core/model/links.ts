/**
 * What an objective makes of a margin, with the library's own operations: XGBoost in float32, LightGBM and the engine's own
 * models in double precision. Called by compile-model.ts for every score; explanations and golden files are held against it.
 */

import type { LinearContent, ModelFormat, ModelLink, ModelOutput, TreeContent } from '../plan/model-plan.ts';
import { expSingle } from './single-precision.ts';

type Link = (margin: number) => number;

/** XGBoost bounds the exponent, so that the exponential stays finite. */
const EXPONENT_MAX = Math.fround(88.7);

const SINGLE = {
  identity: null,
  logistic: (margin) => Math.fround(1 / Math.fround(expSingle(Math.min(-margin, EXPONENT_MAX)) + 1)),
  exp: expSingle,
  step: (margin) => (margin > 0 ? 1 : 0),
  signed_square: null,
  softplus: null,
} as const satisfies Record<ModelLink, Link | null>;

const DOUBLE = {
  identity: null,
  logistic: null,
  exp: Math.exp,
  step: null,
  signed_square: (margin) => Math.sign(margin) * margin * margin,
  softplus: (margin) => Math.log1p(Math.exp(margin)),
} as const satisfies Record<ModelLink, Link | null>;

/** From margin to what was asked for; null: the margin itself. */
export function linkOf(content: LinearContent | TreeContent, format: ModelFormat, output: ModelOutput): Link | null {
  if (output === 'margin') return null;
  const link = linkName(content, format);
  if (format === 'xgboost') return SINGLE[link];
  const sigmoid = content.kind === 'linear' ? 1 : content.sigmoid;
  const plain = link === 'logistic' ? (margin: number) => 1 / (1 + Math.exp(-sigmoid * margin)) : DOUBLE[link];
  // A forest's margin is the sum, as the library's own raw score; its score comes from the average.
  const share = content.kind === 'trees' && content.averages ? Math.max(1, content.roots.length) : 1;
  if (share === 1) return plain;
  return plain === null ? (margin) => margin / share : (margin) => plain(margin / share);
}

/** Linear content that an earlier version stored has no link of its own: its format says it. */
function linkName(content: LinearContent | TreeContent, format: ModelFormat): ModelLink {
  return content.link ?? (format === 'logistic' ? 'logistic' : 'identity');
}
