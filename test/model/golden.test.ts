/** Scores against what the libraries themselves gave for the same rows (golden/, with the scripts that made it). */

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { TreeContent } from '../../native-free-core/plan/model-plan.ts';
import { compileModel } from '../../native-free-core/model/compile-model.ts';
import { pathsOf } from '../../native-free-core/model/explain.ts';
import { parseModel } from '../../native-free-core/model/parse-model.ts';
import { BLOCK_ROWS_MAX } from '../../native-free-core/layout/limits.ts';

const XGBOOST = ['squared', 'logistic', 'onehot', 'partition', 'poisson', 'forest'].map((one) => `xgboost-${one}`);
const LIGHTGBM = ['regression', 'binary', 'zero', 'nomissing', 'forest'].map((one) => `lightgbm-${one}`);
const ROWS_MIN = 40_000;

interface Golden {
  readonly rows: number;
  readonly features: number;
  readonly library: string;
  readonly objective: string;
}

function fileOf(name: string): Buffer {
  return readFileSync(new URL(`golden/${name}`, import.meta.url));
}

function bytesOf(name: string): ArrayBuffer {
  return new Uint8Array(gunzipSync(fileOf(`${name}.gz`))).buffer;
}

function load(name: string) {
  const about = JSON.parse(String(fileOf(`${name}.json`))) as Golden;
  const { rows, features } = about;
  const byInput = new Float64Array(bytesOf(`${name}.rows`));
  const inputs = new Float64Array(rows * features);
  for (let r = 0; r < rows; r++) for (let i = 0; i < features; i++) inputs[r * features + i] = byInput[i * rows + r]!;
  const format = name.startsWith('xgboost') ? 'xgboost' : 'lightgbm';
  const names = Array.from({ length: features }, (_, i) => `f${i}`);
  const parsed = parseModel(format, gunzipSync(fileOf(`${name}.model.gz`)).toString(), names);
  if ('problem' in parsed) throw new Error(parsed.problem);
  const content = parsed.content as TreeContent;
  const given = bytesOf(`${name}.margins`);
  const margins = format === 'xgboost' ? new Float32Array(given) : new Float64Array(given);
  const score = (output: 'margin' | 'probability' | 'value'): Float64Array => {
    const loop = compileModel(content, format, output);
    const out = new Float64Array(rows);
    for (let from = 0; from < rows; from += BLOCK_ROWS_MAX) {
      const size = Math.min(BLOCK_ROWS_MAX, rows - from);
      loop(inputs.subarray(from * features), size, features, out.subarray(from));
    }
    return out;
  };
  return {
    about,
    inputs,
    format,
    parsed,
    content,
    score,
    margin: (r: number) => margins[2 * r]!,
    scored: (r: number) => margins[2 * r + 1]!,
  } as const;
}

describe.each(XGBOOST)('%s', (name) => {
  const { about, inputs, content, parsed, score, margin, scored } = load(name);
  const { rows, features } = about;

  test('every margin has the bits that the library gave', () => {
    const margins = score('margin');
    const different = Array.from(margins.keys()).filter((r) => !Object.is(margins[r], margin(r)));
    expect(different).toEqual([]);
    expect(new Set(margins).size).toBeGreaterThan(rows / 2);
  });

  test('explained paths add up to the same bits', () => {
    for (let r = 0; r < rows; r += 7)
      expect(pathsOf(content, 'xgboost', [...inputs.subarray(r * features, (r + 1) * features)]).margin).toBe(
        margin(r),
      );
  });

  test('what the objective makes of a margin has the bits that the library gave', () => {
    const scores = score(parsed.link === 'logistic' ? 'probability' : 'value');
    const different = Array.from(scores.keys()).filter((r) => !Object.is(scores[r], scored(r)));
    expect(different).toEqual([]);
  });
});

describe.each(LIGHTGBM)('%s', (name) => {
  const { about, inputs, content, parsed, score, margin, scored } = load(name);
  const { rows, features } = about;

  test('every margin lies within 1e-9 of the library’s', () => {
    const margins = score('margin');
    let worst = 0;
    for (let r = 0; r < rows; r++) worst = Math.max(worst, Math.abs(margins[r]! - margin(r)));
    expect(worst).toBeLessThanOrEqual(1e-9);
    expect(new Set(margins).size).toBeGreaterThan(rows / 3);
  });

  test('explained paths add up to the same', () => {
    for (let r = 0; r < rows; r += 7)
      expect(pathsOf(content, 'lightgbm', [...inputs.subarray(r * features, (r + 1) * features)]).margin).toBeCloseTo(
        margin(r),
        9,
      );
  });

  test('what the objective makes of a margin agrees, too', () => {
    const scores = score(parsed.link === 'logistic' ? 'probability' : 'value');
    for (let r = 0; r < rows; r++)
      expect(Math.abs(scores[r]! - scored(r))).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(scored(r))));
  });
});

test('the golden rows are enough, and have what is easily got wrong', () => {
  const all = XGBOOST.map(load);
  expect(all.reduce((sum, { about }) => sum + about.rows, 0)).toBeGreaterThanOrEqual(ROWS_MIN);
  for (const { content, inputs, about } of all) {
    const on = new Set(content.threshold.filter((_, node) => content.feature[node]! >= 0));
    const rows = Array.from({ length: about.rows }, (_, r) => [
      ...inputs.subarray(r * about.features, (r + 1) * about.features),
    ]);
    expect(rows.filter((row) => row.some(Number.isNaN)).length).toBeGreaterThan(about.rows / 10);
    expect(rows.filter((row) => row.some((value) => on.has(Math.fround(value)))).length).toBeGreaterThan(
      about.rows / 10,
    );
  }
});
