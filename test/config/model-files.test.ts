/**
 * What a model file says of its inputs against what the pipeline says: categories and their order, kinds, names, rounds. The
 * files are of XGBoost 3.2 and LightGBM 4.7, of a number and a country (at, ch, de), with a word changed where a case asks
 * for it.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createHandDrivenCore } from '../../src/cli/test/hand-driven-core.ts';
import type { CompiledPipeline } from '../../src/config/compile-pipeline.ts';
import { changed, compileText, FILES, PIPELINE, problemsOf } from './pipelines.ts';

const file = (name: string): string => readFileSync(new URL(`../model/golden/${name}`, import.meta.url), 'utf8');
const XGBOOST = changed('"x","country"', '"lat","country"', file('country.xgboost'));
const LIGHTGBM = changed('feature_names=x country', 'feature_names=lat country', file('country.lightgbm'));
const LIST = '"offsets":[0,2,4,6],"values":[97,116,99,104,100,101]';
const PANDAS = 'pandas_categorical:[["at", "ch", "de"]]';
const TYPES = '"feature_types":["float","c"]';

interface Given {
  readonly inputs?: string;
  readonly more?: string;
  readonly xgboost?: string;
  readonly lightgbm?: string;
}

function given({ inputs = '[event.lat, event.country]', more = '' }: Given): string {
  const models = `models:
  sx: { file: x.json, format: xgboost, inputs: ${inputs}${more} }
  sl: { file: l.txt, format: lightgbm, inputs: ${inputs}${more} }
`;
  return changed(
    'decisions:\n',
    `${models}decisions:\n`,
    PIPELINE.replace('player.digs_5m > 120', 'model.sx > model.sl'),
  );
}

const filesOf = ({ xgboost = XGBOOST, lightgbm = LIGHTGBM }: Given): Record<string, string> => ({
  ...FILES,
  'x.json': xgboost,
  'l.txt': lightgbm,
});
const compiled = (one: Given): CompiledPipeline => compileText(given(one), filesOf(one));
const problems = (one: Given): string[] =>
  problemsOf(given(one), filesOf(one)).map(({ message, suggestion }) => `${message} ${suggestion ?? ''}`);

/** Both scores for an event of these fields. */
function scorer({ plan }: CompiledPipeline): (fields: object) => (number | null)[] {
  const core = createHandDrivenCore(plan, 10);
  return (fields) => {
    const body = { playerId: '7', huntId: '1', eventTime: '2024-01-01T00:00:00Z', dig: {}, lat: 0, ...fields };
    expect(core.take(JSON.stringify(body)).outcome).toBe('stored');
    return plan.models!.map(({ column }) => {
      const { nulls, f64 } = core.row.columns[column]!;
      return nulls[0] === 1 ? null : f64[0]!;
    });
  };
}

/** What the libraries give: xgboost 3.2.0, lightgbm 4.7.0. */
const DE = [0.7654980421066284, expect.closeTo(0.5289837884463922, 15)];
const AT = [0.1376323252916336, expect.closeTo(0.25751152046137826, 15)];

test('categories are those of the file, in its order', () => {
  for (const more of ['', ', categories: { event.country: [at, ch, de] }']) {
    const whole = compiled({ more });
    expect(whole.warnings).toEqual([]);
    expect(whole.plan.models!.map(({ categories }) => categories)).toEqual([
      [null, ['at', 'ch', 'de']],
      [null, ['at', 'ch', 'de']],
    ]);
    const score = scorer(whole);
    expect(score({ country: 'de' })).toEqual(DE);
    expect(score({ country: 'at' })).toEqual(AT);
    expect(score({ country: 'ch' })).toEqual(AT);
  }
});

test('categories that are numbers, or true and false, are looked up by their value', () => {
  const inputs = '[event.lat, event.level]';
  const numbers = scorer(
    compiled({
      inputs,
      xgboost: changed(LIST, '"type":15,"values":[10,20,-30]', XGBOOST),
      lightgbm: changed(PANDAS, 'pandas_categorical:[[10, 20, -30]]', LIGHTGBM),
    }),
  );
  expect(numbers({ level: -30 })).toEqual(DE);
  expect(numbers({ level: 10 })).toEqual(AT);
  const flags = compiled({
    inputs: '[event.lat, event.vip]',
    more: ', categories: { event.vip: [false, true] }',
    xgboost: changed(LIST, '"offsets":[],"values":[]', XGBOOST),
    lightgbm: changed(PANDAS, 'pandas_categorical:[[false, true]]', LIGHTGBM).replaceAll(
      'cat_threshold=4',
      'cat_threshold=2',
    ),
  });
  expect(flags.plan.models!.map(({ categories }) => categories)).toEqual([
    [null, ['false', 'true']],
    [null, ['false', 'true']],
  ]);
  expect(scorer(flags)({ vip: true })[1]).toEqual(DE[1]);
  expect(scorer(flags)({ vip: false })[1]).toEqual(AT[1]);
});

test('numbers can be the codes themselves, where that is said', () => {
  const codes = scorer(
    compiled({
      inputs: '[event.lat, event.level]',
      more: ', categories: { event.level: codes }',
      xgboost: changed(LIST, '"offsets":[],"values":[]', XGBOOST),
      lightgbm: changed(PANDAS, 'pandas_categorical:null', LIGHTGBM),
    }),
  );
  expect(codes({ level: 2 })).toEqual(DE);
  expect(codes({ level: 0 })).toEqual(AT);
});

const NO_LISTS = {
  xgboost: changed(LIST, '"offsets":[],"values":[]', XGBOOST),
  lightgbm: changed(PANDAS, 'pandas_categorical:null', LIGHTGBM),
};
const AMBIGUOUS = changed(PANDAS, 'pandas_categorical:[["at", "ch", "de"], ["a", "b"]]', LIGHTGBM);

describe('refused', () => {
  const cases: Readonly<Record<string, readonly [Given, xgboost: RegExp, lightgbm: RegExp]>> = {
    'another order, naming both': [
      { more: ', categories: { event.country: [de, at, ch] }' },
      /here \[de, at, ch\], in x\.json \[at, ch, de\]; leave them out/,
      /here \[de, at, ch\], in l\.txt \[at, ch, de\]; leave them out/,
    ],
    'fewer categories': [
      { more: ', categories: { event.country: [at, ch] }' },
      /here \[at, ch\], in x\.json \[at, ch, de\]/,
      /here \[at, ch\], in l\.txt \[at, ch, de\]/,
    ],
    'texts of the file for a number': [
      { inputs: '[event.lat, event.level]' },
      /x\.json: the categories are texts \(at, ch, de\), the input is an integer/,
      /l\.txt: it lists the categories of 1 columns .*cannot be told/,
    ],
    'a plain number where sets are asked': [
      { inputs: '[event.lat, event.level]', ...NO_LISTS },
      /x\.json looks this input up in sets of categories.*event\.level is an integer.*event\.level: codes/,
      /l\.txt looks this input up in sets of categories.*event\.level is an integer.*event\.level: codes/,
    ],
    'a fraction where sets are asked, even as codes': [
      { inputs: '[event.level, event.lat]', more: ', categories: { event.lat: codes }', ...unnamed(NO_LISTS) },
      /codes are integers, event\.lat is a number/,
      /codes are integers, event\.lat is a number/,
    ],
    'codes where the file has a list': [
      { inputs: '[event.lat, event.level]', more: ', categories: { event.level: codes }' },
      /x\.json lists the categories \(at, ch, de\): leave them out/,
      /cannot be told/,
    ],
    'codes of a number': [
      { inputs: '[event.level, event.country]', more: ', categories: { event.level: codes }', ...unnamed({}) },
      /x\.json compares this input with thresholds: it has no codes/,
      /l\.txt compares this input with thresholds: it has no codes/,
    ],
    'a text without any list': [
      { ...NO_LISTS },
      /a text needs its categories, and the file does not list them/,
      /a text needs its categories, and the file does not list them/,
    ],
    'features in another order': [
      { inputs: '[event.country, event.lat]', more: ', categories: { event.country: [at, ch, de] }' },
      /x\.json: the model's features are lat, country, and inputs: has them in another order: event\.country, event\.lat/,
      /l\.txt: the model's features are lat, country, and inputs: has them in another order/,
    ],
    'more lists than inputs that could have them': [
      { xgboost: XGBOOST, lightgbm: AMBIGUOUS },
      /^$/,
      /it lists the categories of 2 columns \(pandas_categorical: \[at, ch, de\], \[a, b\]\), and which inputs these are/,
    ],
    'names that an enum never has': [
      { inputs: '[event.lat, event.rarity]' },
      /x\.json: none of the categories \(at, ch, de\) can come/,
      /l\.txt: none of the categories \(at, ch, de\) can come/,
    ],
    'a category twice': [
      { more: ', categories: { event.country: [at, at] }' },
      /the category is there twice: at/,
      /the category is there twice: at/,
    ],
    'a number among texts': [
      { more: ', categories: { event.country: [at, 7] }' },
      /the categories are numbers \(at, 7\), the input is a string/,
      /the categories are numbers \(at, 7\), the input is a string/,
    ],
    'more rounds than there are': [
      { more: ', iterations: 4' },
      /iterations: 4 is more than the 3 rounds/,
      /iterations: 4 is more than the 3 rounds/,
    ],
    'the best of what did not stop': [
      { more: ', iterations: best' },
      /the file has no best_iteration/,
      /a LightGBM file does not say which/,
    ],
  };
  test.each(Object.entries(cases))('%s', (_, [one, xgboost, lightgbm]) => {
    const said = problems(one).sort();
    const matches = [lightgbm, xgboost].map((pattern) => said.filter((message) => pattern.test(message)).length > 0);
    expect({ said, matches }).toEqual({ said, matches: [true, xgboost.source !== '^$'] });
  });
});

/** Names that are in no order. */
function unnamed({ xgboost = XGBOOST, lightgbm = LIGHTGBM }: Given): Given {
  return {
    xgboost: xgboost.replace('"lat","country"', '"f0","f1"'),
    lightgbm: lightgbm.replace('=lat country', '=Column_0 Column_1'),
  };
}

describe('taken with a warning', () => {
  const cases: Readonly<Record<string, readonly [Given, RegExp]>> = {
    'a name that an enum never has': [
      {
        inputs: '[event.lat, event.rarity]',
        xgboost: changed(LIST, '"offsets":[0,2,8,12],"values":[97,116,67,79,77,77,79,78,82,65,82,69]', XGBOOST),
        lightgbm: changed(PANDAS, 'pandas_categorical:[["at", "COMMON", "RARE"]]', LIGHTGBM),
      },
      /rarity is never 'at'/i,
    ],
    'categories of what trees compare as a number': [
      {
        inputs: '[event.country, event.rarity]',
        more: ', categories: { event.country: [fr, it], event.rarity: [COMMON, RARE, LEGENDARY] }',
        ...unnamed(NO_LISTS),
      },
      /event\.country has categories, and the model compares their places with thresholds/,
    ],
    'categories beyond the list': [
      { more: ', categories: { event.country: [at, ch] }', ...NO_LISTS },
      /the model knows a category 2 of event\.country, categories: has 2, from 0/,
    ],
    'another name': [{ ...unnamed({}) }, /feature 1 is called (?:f1|Column_1) in the model and event\.country/],
  };
  test.each(Object.entries(cases))('%s', (_, [one, message]) => {
    const { warnings } = compiled(one);
    for (const model of ['model sx: x.json: ', 'model sl: l.txt: '])
      expect(warnings).toContainEqual(expect.stringMatching(new RegExp(`^${model}.*${message.source}`, 'i')));
  });
});

test('names beyond ASCII, which XGBoost 3.2 cuts, are not trusted; later versions write them whole', () => {
  // d, é: the offsets count characters, the bytes are three.
  const cut = changed(LIST, '"offsets":[0,2,4,6],"values":[97,116,99,104,100,-61]', XGBOOST);
  const more = ', categories: { event.country: [at, ch, dé] }';
  const lightgbm = changed(PANDAS, 'pandas_categorical:[["at", "ch", "d\\u00e9"]]', LIGHTGBM);
  expect(problems({ xgboost: cut, lightgbm })).toEqual([expect.stringMatching(/a text needs its categories/)]);
  expect(compiled({ xgboost: cut, lightgbm, more }).warnings).toEqual([
    expect.stringMatching(/categories of event\.country cannot be read: XGBoost up to 3\.2/),
  ]);
  const whole = changed(LIST, '"offsets":[0,2,4,7],"values":[97,116,99,104,100,-61,-87]', XGBOOST);
  const later = changed('"version":[3,2,0]', '"version":[3,3,0]', whole);
  expect(compiled({ xgboost: later, lightgbm }).plan.models![0]!.categories[1]).toEqual(['at', 'ch', 'dé']);
});

test('an ordered column is a number to the trees, and its list is found all the same', () => {
  const ordered = changed('[-2.6099999999999999:3.0600000000000001]', '[0:2]', LIGHTGBM);
  const lists = 'pandas_categorical:[["COMMON", "RARE", "LEGENDARY"], ["at", "ch", "de"]]';
  const { plan, warnings } = compiled({
    inputs: '[event.rarity, event.country]',
    more: '',
    ...unnamed({ lightgbm: changed(PANDAS, lists, ordered) }),
    xgboost: changed('"offsets":[],"values":[]', '"offsets":[0,6,10],"values":[67,79,77,77,79,78,82,65,82,69]', XGBOOST)
      .replace('"lat","country"', '"rarity","country"')
      .replace(TYPES, '"feature_types":["c","c"]'),
  });
  expect(plan.models![1]!.categories).toEqual([
    ['COMMON', 'RARE', 'LEGENDARY'],
    ['at', 'ch', 'de'],
  ]);
  expect(plan.models![0]!.categories[0]).toEqual(['COMMON', 'RARE']);
  expect(warnings.filter((warning) => !warning.includes('is called'))).toEqual([]);
});

test('a thousand categories are looked up, more are refused', () => {
  const countries = Array.from({ length: 1000 }, (_, i) => `c${i}`);
  const lightgbm = changed(PANDAS, `pandas_categorical:${JSON.stringify([countries])}`, LIGHTGBM);
  const { plan } = compileText(
    given({ more: '' })
      .replace(/ {2}sx: .*\n/, '')
      .replace('model.sx > model.sl', 'model.sl > 0.5'),
    filesOf({ lightgbm }),
  );
  const score = scorer({ plan } as CompiledPipeline);
  expect(score({ country: 'c2' })).toEqual([DE[1]]);
  expect(score({ country: 'c999' })).toEqual([AT[1]]);
  const more = changed('"c999"', '"c999","c1000"', lightgbm);
  expect(problems({ lightgbm: more })).toEqual([expect.stringMatching(/1001 categories are too many: at most 1000/)]);
});
