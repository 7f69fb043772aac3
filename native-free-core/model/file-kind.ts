/**
 * Files that are not what the pipeline says of them: what each is, and how to save the model instead. Called by
 * parse-model.ts.
 */

import type { ModelFormat } from '../plan/model-plan.ts';
import { ModelError } from './model-problems.ts';

export const BYTE_ORDER_MARK = '\uFEFF';

interface Kind {
  readonly what: string;
  /** Read as UTF-8, in which bytes that are none become U+FFFD. */
  readonly begins?: readonly string[];
  readonly pattern?: RegExp;
  /** The format that it is the right file of. */
  readonly format?: ModelFormat;
}

const XGBOOST = 'save it by booster.save_model("model.json")';
const LIGHTGBM = 'save it by booster.save_model("model.txt")';

const KINDS: readonly Kind[] = [
  { begins: ['{L\0', '{i\u0007learner', '{l\0'], what: `is UBJSON (XGBoost's .ubj); ${XGBOOST}` },
  { begins: ['binf', 'bs64'], what: `is XGBoost's old binary format; load it by a version before 3 and ${XGBOOST}` },
  { begins: ['\u001f\uFFFD'], what: 'is compressed (gzip); unpack it' },
  { begins: ['(\uFFFD/\uFFFD'], what: 'is compressed (zstd); unpack it' },
  { begins: ['BZh'], what: 'is compressed (bzip2); unpack it' },
  { begins: ['PK\u0003\u0004'], what: 'is a zip archive; unpack it' },
  {
    begins: ['\uFFFD\u0002', '\uFFFD\u0003', '\uFFFD\u0004', '\uFFFD\u0005'],
    what: 'is a Python pickle; load it and save the model by its own save_model',
  },
  { begins: ['\uFFFD\uFFFD', '{\0', 't\0', '\0{', '\0t'], what: 'is text in UTF-16; write it as UTF-8' },
  { begins: ['tree\n', 'tree\r\n'], format: 'lightgbm', what: 'is LightGBM text; write format: lightgbm' },
  {
    pattern: /^\s*\{\s*"(?:learner|version)"\s*:\s*[[{]/,
    format: 'xgboost',
    what: 'is XGBoost JSON; write format: xgboost',
  },
  // Dumps are made to be looked at: they leave out what scores need.
  { pattern: /^\s*\[\s*\{\s*"nodeid"/, what: `is XGBoost's dump, which has no base_score; ${XGBOOST}` },
  { begins: ['booster[0]:'], what: `is XGBoost's dump, which has no base_score; ${XGBOOST}` },
  { pattern: /^\s*\{\s*"name"\s*:\s*"tree"/, what: `is LightGBM's dump; ${LIGHTGBM}` },
  { pattern: /^\s*<(?:\?xml|PMML)/, what: 'is XML; a model is XGBoost JSON or LightGBM text here' },
];

export function checkFileKind(format: ModelFormat, text: string): void {
  if (text.trim() === '') throw new ModelError('the file is empty');
  const kind = KINDS.find((one) => one.format !== format && isOf(one, text));
  if (kind !== undefined) throw new ModelError(`the file ${kind.what}`);
  if (text.includes('\0'))
    throw new ModelError(
      'the file is binary; a model is a text here: XGBoost JSON (model.json), LightGBM text (model.txt)',
    );
}

function isOf({ begins = [], pattern }: Kind, text: string): boolean {
  return begins.some((begin) => text.startsWith(begin)) || pattern?.test(text) === true;
}
