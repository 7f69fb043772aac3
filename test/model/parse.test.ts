/** What is wrong with a model file is said in one line. */

import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { ModelFormat } from '../../native-free-core/plan/model-plan.ts';
import { parseModel } from '../../native-free-core/model/parse-model.ts';

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

const COUNTRY = readFileSync(new URL('golden/country.xgboost', import.meta.url));
const COUNTRY_TEXT = String(readFileSync(new URL('golden/country.lightgbm', import.meta.url)));
const at = (text: string, from: string | RegExp, to: string): string => {
  expect(text).toMatch(from);
  return text.replace(from, to);
};

/** As readers of files see them. */
const asText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
const ubjson = Buffer.concat([Buffer.from('{L'), Buffer.from([0, 0, 0, 0, 0, 0, 0, 7]), Buffer.from('learner{')]);

test.each<[string, ModelFormat, string, RegExp]>([
  [
    'UBJSON',
    'xgboost',
    asText(ubjson),
    /is UBJSON \(XGBoost's \.ubj\); save it by booster\.save_model\("model\.json"\)/,
  ],
  ['gzip', 'xgboost', asText(gzipSync(COUNTRY)), /is compressed \(gzip\); unpack it/],
  ['gzip of the other', 'lightgbm', asText(gzipSync(COUNTRY_TEXT)), /is compressed \(gzip\); unpack it/],
  ['a pickle', 'lightgbm', asText(Buffer.from([0x80, 5, 0x95, 1, 0, 0])), /is a Python pickle/],
  ['a zip archive', 'xgboost', 'PK\u0003\u0004\0\0', /is a zip archive/],
  ['UTF-16', 'xgboost', asText(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('{"', 'utf16le')])), /UTF-16/],
  ['other bytes', 'linear', 'a\0b', /is binary; a model is a text here/],
  ['LightGBM text', 'xgboost', COUNTRY_TEXT, /is LightGBM text; write format: lightgbm/],
  ['XGBoost JSON', 'lightgbm', String(COUNTRY), /is XGBoost JSON; write format: xgboost/],
  ['XGBoost JSON', 'linear', String(COUNTRY), /is XGBoost JSON; write format: xgboost/],
  ['a dump', 'xgboost', '[\n  { "nodeid": 0, "leaf": 1 }]', /is XGBoost's dump, which has no base_score/],
  ['a dump in text', 'xgboost', 'booster[0]:\n0:leaf=1', /is XGBoost's dump/],
  ['a dump of LightGBM', 'lightgbm', '{"name":"tree","version":"v4"}', /is LightGBM's dump; save it by/],
  ['PMML', 'xgboost', '<?xml version="1.0"?>', /is XML/],
  ['nothing', 'logistic', ' \n', /is empty/],
])('%s as %s is told what it is', (_name, format, text, expected) => {
  expect(problem(format, text, names(2))).toMatch(expected);
});

test.each<[string, string, RegExp]>([
  ['multiclass num_class:3', 'multiclass', /several classes are not supported: objective=multiclass/],
  ['multiclassova num_class:3 sigmoid:1', 'multiclassova', /several classes/],
  ['constructor', 'constructor', /the objective constructor is not known here/],
  ['binary sigmoid:0', 'sigmoid', /must have a positive number behind sigmoid:/],
  ['binary sigmoid', 'sigmoid', /must have a positive number behind sigmoid:/],
  ['huber sqrt', 'sqrt', /the word sqrt of objective=huber sqrt is not known here/],
  ['regression log', 'log', /the word log of objective=regression log is not known here/],
])('LightGBM, objective=%s is refused by its word %s', (line, _word, expected) => {
  expect(
    problem('lightgbm', at(COUNTRY_TEXT, 'objective=binary sigmoid:1', `objective=${line}`), ['x', 'country']),
  ).toMatch(expected);
});

test.each<[string, string, string, RegExp]>([
  ['multi:softprob', 'binary:logistic', '[3.5E-1]', /several classes are not supported: objective=multi:softprob/],
  ['reg:expectileerror', 'binary:logistic', '[3.5E-1]', /the objective reg:expectileerror is not known here/],
  ['__proto__', 'binary:logistic', '[3.5E-1]', /the objective __proto__ is not known here/],
  ['binary:logistic', 'binary:logistic', '[1.5E0]', /base_score=\[1\.5E0\] must lie between 0 and 1/],
  ['binary:logistic', 'binary:logistic', '[-1E-3]', /must lie between 0 and 1/],
  ['count:poisson', 'binary:logistic', '[0E0]', /must be above 0 .* were all labels 0/],
  ['reg:squarederror', 'binary:logistic', '[]', /is no number/],
  ['reg:squarederror', 'binary:logistic', '[NaN]', /is no number/],
  ['reg:quantileerror', 'binary:logistic', '[1E0,2E0]', /several targets are not supported/],
])('XGBoost, %s (was %s) with base_score %s is refused', (objective, was, base, expected) => {
  const text = at(at(String(COUNTRY), was, objective), '[3.5E-1]', base);
  expect(problem('xgboost', text, ['x', 'country'])).toMatch(expected);
});

test.each<[string, ModelFormat, string | RegExp, string, RegExp]>([
  ['a tree less', 'lightgbm', /Tree=2\n[^]*?\n\n\n/, '', /says that it has 3 trees, it has 2/],
  ['the end cut off', 'lightgbm', /end of trees[^]*/, '', /cut short/],
  ['a linear tree', 'lightgbm', 'is_linear=0', 'is_linear=1', /linear_tree/],
  ['other categories', 'lightgbm', '"at", "ch"', '{}, "ch"', /pandas_categorical is no list/],
  ['a broken list', 'lightgbm', '["at", "ch"', '["at", "ch', /pandas_categorical is no list/],
  ['a tree less', 'xgboost', '"num_trees":"3"', '"num_trees":"4"', /says that it has 4 trees, it has 3/],
  ['rounds that do not fit', 'xgboost', '[0,1,2,3]', '[0,1,2,4]', /iteration_indptr does not fit/],
  ['lists of other features', 'xgboost', '{"offsets":[],"values":[]},', '', /categories of 1 features, it has 2/],
  [
    'a best round beyond',
    'xgboost',
    '"attributes":{}',
    '"attributes":{"best_iteration":"3"}',
    /best_iteration=3, and .* 3 rounds/,
  ],
  ['several scores a leaf', 'xgboost', '"size_leaf_vector":"1"', '"size_leaf_vector":"3"', /several scores a leaf/],
])('%s (%s) is refused', (_name, format, from, to, expected) => {
  const text = format === 'xgboost' ? String(COUNTRY) : COUNTRY_TEXT;
  expect(problem(format, at(text, from, to), ['x', 'country'])).toMatch(expected);
});

test('a byte order mark is passed over, and said', () => {
  for (const [format, text] of [
    ['xgboost', String(COUNTRY)],
    ['lightgbm', COUNTRY_TEXT],
    ['linear', '{"weights":{"x":1,"country":2}}'],
  ] as const) {
    const plain = parseModel(format, text, ['x', 'country']);
    const marked = parseModel(format, `\uFEFF${text}`, ['x', 'country']);
    if ('problem' in plain || 'problem' in marked) throw new Error(JSON.stringify([plain, marked]));
    expect(marked.content).toEqual(plain.content);
    expect(marked.warnings).toEqual([expect.stringMatching(/byte order mark/)]);
  }
});

test('names of features that differ from the inputs are worth a warning', () => {
  const named = LIGHTGBM.replace(/feature_names=Column_0 Column_1 /, 'feature_names=depth f1 ');
  const parsed = parseModel('lightgbm', named, ['player.depth', 'player.digs', ...names(6)]);
  if ('problem' in parsed) throw new Error(parsed.problem);
  expect(parsed.warnings[0]).toBe('feature 1 is called f1 in the model and player.digs in the pipeline');
});
