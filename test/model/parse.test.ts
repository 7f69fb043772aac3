/** What is wrong with a model file is said in one line. */

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { ModelFormat } from '../../native-free-core/layout/model-plan.ts';
import { parseModel } from '../../native-free-core/model/parse.ts';

const golden = (name: string): string =>
  gunzipSync(readFileSync(new URL(`golden/${name}.model.gz`, import.meta.url))).toString();
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `f${i}`);
const XGBOOST = golden('xgboost-forest');
const LIGHTGBM = golden('lightgbm-regression');

function problem(format: ModelFormat, text: string, inputs: readonly string[]): string {
  const parsed = parseModel(format, text, inputs);
  return 'problem' in parsed ? parsed.problem : 'none';
}

test.each<[string, ModelFormat, string, readonly string[], RegExp]>([
  ['text that is not JSON', 'xgboost', '{"learner": ', names(5), /^the file is not JSON: /],
  ['JSON of something else', 'xgboost', '{"version":[1,7,4]}', names(5), /no XGBoost model in JSON/],
  ['another booster', 'xgboost', XGBOOST.replace('"gbtree"', '"forest"'), names(5), /booster forest is not supported/],
  ['a booster without content', 'xgboost', XGBOOST.replace('"gbtree"', '"dart"'), names(5), /dart has no content/],
  ['other inputs than features', 'xgboost', XGBOOST, names(4), /the model has 5 features, inputs: names 4/],
  [
    'an objective of several classes',
    'xgboost',
    XGBOOST.replace('"num_class":"0"', '"num_class":"3"'),
    names(5),
    /several classes/,
  ],
  [
    'an unknown objective',
    'xgboost',
    XGBOOST.replaceAll('binary:logitraw', 'reg:expectileerror'),
    names(5),
    /objective reg:expectileerror is not known here/,
  ],
  ['no text model', 'lightgbm', 'leaves\n', names(8), /no LightGBM model in text/],
  ['other inputs than features', 'lightgbm', LIGHTGBM, names(9), /the model has 8 features, inputs: names 9/],
  ['linear leaves', 'lightgbm', LIGHTGBM.replace('is_linear=0', 'is_linear=1'), names(8), /linear leaves/],
  [
    'a cut line',
    'lightgbm',
    LIGHTGBM.replace(/leaf_value=\S+ /, 'leaf_value='),
    names(8),
    /tree 0 has 47 values of leaf_value, it needs 48/,
  ],
  [
    'a child that is not there',
    'lightgbm',
    LIGHTGBM.replace(/left_child=\S+/, 'left_child=4711'),
    names(8),
    /tree 0 has a child that is not there: 4711/,
  ],
  ['an unknown key', 'linear', '{"weights":{"f0":1},"bias":2}', names(1), /unknown key: bias/],
  ['no weight', 'linear', '{"weights":{"f0":1}}', names(2), /no weight for the input f1/],
  ['a weight of nothing', 'logistic', '{"weights":{"f0":1,"f7":1}}', names(1), /f7 is not among the inputs: f0/],
  [
    'a weight that is no number',
    'logistic',
    '{"weights":{"f0":NaN}}',
    names(1),
    /weight of f0 must be a finite number/,
  ],
])('%s: %s', (_name, format, text, inputs, expected) => {
  const said = problem(format, text, inputs);
  expect(said).toMatch(expected);
  expect(said).not.toContain('\n');
});

test('names of features that differ from the inputs are worth a warning', () => {
  const named = LIGHTGBM.replace(/feature_names=Column_0 Column_1 /, 'feature_names=depth f1 ');
  const parsed = parseModel('lightgbm', named, ['player.depth', 'player.digs', ...names(6)]);
  if ('problem' in parsed) throw new Error(parsed.problem);
  expect(parsed.warnings[0]).toBe('feature 1 is called f1 in the model and player.digs in the pipeline');
});
