/**
 * Scores of every objective that is taken against what the libraries of the day gave for the same rows
 * (golden/make-today.py): XGBoost's margins and values bit for bit, LightGBM's margins bit for bit, and its values within
 * what an exponential in double precision may differ by.
 */

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { ModelFormat, ModelOutput } from '../../native-free-core/plan/model-plan.ts';
import { compileModel } from '../../native-free-core/model/compile-model.ts';
import { contributionsOf, pathsOf } from '../../native-free-core/model/explain.ts';
import { baseMargin, xgboostObjective } from '../../native-free-core/model/xgboost-objectives.ts';
import { parseModel } from '../../native-free-core/model/parse-model.ts';
import type { Iterations, ParsedModel } from '../../native-free-core/model/parsed-model.ts';

interface Golden {
  readonly library: string;
  readonly features: number;
  /** Float64, row by row. */
  readonly rows: string;
  readonly cases: readonly Case[];
  /** Of XGBoost: margins by `base_score`. */
  readonly bases: Readonly<Record<string, { readonly texts: readonly string[]; readonly margins: string }>>;
}

interface Case {
  readonly name: string;
  readonly format: ModelFormat;
  readonly iterations?: Iterations;
  readonly categories?: readonly string[];
  /** Float32 of XGBoost, otherwise Float64. */
  readonly margins: string;
  readonly values: string;
  readonly model: string;
}

/** exp, and one more operation, of two libraries: neither is off by more than 1 in the last place. */
const VALUE_ULPS = 4;
const NAMES = ['a', 'b', 'c', 'd', 'kind'];

function golden(name: string): Golden {
  const file = readFileSync(new URL(`golden/today-${name}.json.gz`, import.meta.url));
  return JSON.parse(gunzipSync(file).toString()) as Golden;
}

function doubles(hex: string): Float64Array {
  return new Float64Array(new Uint8Array(Buffer.from(hex, 'hex')).buffer);
}

function singles(hex: string): Float64Array {
  return Float64Array.from(new Float32Array(new Uint8Array(Buffer.from(hex, 'hex')).buffer));
}

function parsedOf({ format, model, iterations, name }: Case): ParsedModel {
  const names = format === 'xgboost' || format === 'lightgbm' ? NAMES : ['f0', 'f1', 'f2', 'f3', 'f4'];
  const parsed = parseModel(format, model, names, iterations);
  if ('problem' in parsed) throw new Error(`${name}: ${parsed.problem}`);
  return parsed;
}

function scores({ content }: ParsedModel, format: ModelFormat, output: ModelOutput, rows: Float64Array): number[] {
  const count = rows.length / NAMES.length;
  const out = new Float64Array(count);
  compileModel(content, format, output)(rows, count, NAMES.length, out);
  return [...out];
}

function ulps(a: number, b: number): number {
  if (a === b) return 0;
  return Math.abs(a - b) / 2 ** (Math.floor(Math.log2(Math.max(Math.abs(a), Math.abs(b)))) - 52);
}

/** What is no finite number is no score here. */
const known = (values: Float64Array): number[] => Array.from(values, (one) => (Number.isFinite(one) ? one : NaN));

const XGBOOST = golden('xgboost');
const LIGHTGBM = golden('lightgbm');
const SKLEARN = golden('sklearn');

describe(XGBOOST.library, () => {
  const rows = doubles(XGBOOST.rows);

  test.each(XGBOOST.cases.map((one) => [one.name, one] as const))(
    '%s: margins and values to the last bit',
    (_, one) => {
      const parsed = parsedOf(one);
      expect(scores(parsed, 'xgboost', 'margin', rows)).toEqual(known(singles(one.margins)));
      expect(scores(parsed, 'xgboost', 'value', rows)).toEqual(known(singles(one.values)));
    },
  );

  test.each(Object.keys(XGBOOST.bases))('%s: 3,000 margins of base_score to the last bit', (objective) => {
    const { texts, margins } = XGBOOST.bases[objective]!;
    expect(texts.map((text) => baseMargin(text, xgboostObjective(objective)))).toEqual([...singles(margins)]);
  });

  test('explanations add up to the same bits', () => {
    for (const one of XGBOOST.cases) {
      const { content } = parsedOf(one);
      const margins = singles(one.margins);
      for (let r = 0; r < margins.length; r += 9) {
        const inputs = [...rows.subarray(r * NAMES.length, (r + 1) * NAMES.length)];
        const explained =
          content.kind === 'trees' ? pathsOf(content, 'xgboost', inputs) : contributionsOf(content, 'xgboost', inputs);
        expect(explained.margin, one.name).toBe(margins[r]);
      }
    }
  });

  test('the first rounds count where training stopped early, and a warning says so', () => {
    const stopped = XGBOOST.cases.find(({ name }) => name === 'XGBClassifier, stopped early')!;
    expect(parsedOf(stopped).warnings).toEqual([
      expect.stringMatching(/^training stopped early, so the first \d+ of \d+ rounds count \(best_iteration=\d+\)/),
    ]);
    for (const iterations of ['all', 'best', 3] as const)
      expect(parsedOf({ ...stopped, iterations }).warnings).toEqual([]);
  });
});

describe(LIGHTGBM.library, () => {
  const rows = doubles(LIGHTGBM.rows);

  test.each(LIGHTGBM.cases.map((one) => [one.name, one] as const))(
    `%s: margins to the last bit, values within ${VALUE_ULPS} units of it`,
    (_, one) => {
      const parsed = parsedOf(one);
      expect(scores(parsed, 'lightgbm', 'margin', rows)).toEqual([...doubles(one.margins)]);
      const values = doubles(one.values);
      const worst = scores(parsed, 'lightgbm', 'value', rows).map((value, r) => ulps(value, values[r]!));
      expect(Math.max(...worst)).toBeLessThanOrEqual(VALUE_ULPS);
    },
  );
});

describe(SKLEARN.library, () => {
  const rows = doubles(SKLEARN.rows).map((value) => (Number.isNaN(value) ? 0 : value));

  // The library adds in another order.
  test.each(SKLEARN.cases.map((one) => [one.name, one] as const))('%s: within 1e-12', (_, one) => {
    const parsed = parsedOf(one);
    for (const [output, hex] of [
      ['margin', one.margins],
      ['value', one.values],
    ] as const) {
      const expected = doubles(hex);
      scores(parsed, one.format, output, rows).forEach((score, r) =>
        expect(Math.abs(score - expected[r]!)).toBeLessThanOrEqual(1e-12),
      );
    }
  });
});

test('categories are listed as the file has them', () => {
  const [xgboost] = XGBOOST.cases.filter(({ categories }) => categories !== undefined);
  const [lightgbm] = LIGHTGBM.cases.filter(({ categories }) => categories !== undefined);
  expect(parsedOf(xgboost!).inputs.map(({ categories }) => categories)).toEqual([
    null,
    null,
    null,
    null,
    xgboost!.categories,
  ]);
  expect(parsedOf(lightgbm!).columnCategories).toEqual([lightgbm!.categories]);
});

test('the golden files have every objective, and rows on thresholds', () => {
  expect(XGBOOST.cases.length).toBeGreaterThanOrEqual(40);
  expect(LIGHTGBM.cases.length).toBeGreaterThanOrEqual(28);
  const rows = doubles(XGBOOST.rows);
  const { content } = parsedOf(XGBOOST.cases[0]!);
  if (content.kind !== 'trees') throw new Error('no trees');
  const on = content.feature.flatMap((input, node) => {
    if (input < 0 || input === 4) return [];
    return Array.from(rows.keys()).filter(
      (at) => at % 5 === input && Math.fround(rows[at]!) === content.threshold[node],
    );
  });
  expect(on.length).toBeGreaterThan(200);
});
