/**
 * The last line of a LightGBM file that was trained on a pandas table, `pandas_categorical:[["at", "de"], [10, 20]]`:
 * categories in the order of their codes, a list for each categorical column of the table. Which feature a list belongs to
 * is not said. Called by parse-lightgbm.ts.
 */

import { ModelError } from './model-problems.ts';
import type { Category } from './parsed-model.ts';

export function columnCategoriesOf(text: string): readonly (readonly Category[])[] {
  const line = /^pandas_categorical:(.*)$/m.exec(text)?.[1]?.trim() ?? 'null';
  const lists = parsed(line);
  if (lists === null) return [];
  if (!Array.isArray(lists)) throw problem(line);
  for (const list of lists as unknown[]) {
    if (!Array.isArray(list) || !list.every(isCategory)) throw problem(line);
  }
  return lists as Category[][];
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw problem(line);
  }
}

function isCategory(value: unknown): boolean {
  if (typeof value === 'number') return Math.abs(value) < Number.MAX_SAFE_INTEGER;
  return typeof value === 'string' || typeof value === 'boolean';
}

function problem(line: string): ModelError {
  return new ModelError(`pandas_categorical is no list of texts, numbers below 2^53 or booleans: ${line.slice(0, 80)}`);
}
