/**
 * The categories that an XGBoost file (since version 3.1) lists by feature, in the order of their codes (`cats`): texts as
 * in Arrow, the bytes of all one after another with offsets; numbers with a type. A feature without categories has an entry
 * that is empty. Up to version 3.2 the offsets count characters where they should count bytes: a list with one that is not
 * ASCII cannot be read.
 */

import { ModelError } from './model-problems.ts';
import type { Category } from './parsed-model.ts';

export interface CategoryEncodings {
  readonly enc?: readonly Encoding[];
}

interface Encoding {
  readonly offsets?: readonly number[];
  readonly values?: readonly (number | null)[];
}

export type ListedCategories = readonly Category[] | 'unreadable' | null;

/** By feature; null: none are listed. */
export function categoriesOf(
  cats: CategoryEncodings | undefined,
  features: number,
  version: readonly number[],
): ListedCategories[] {
  const encodings = cats?.enc ?? [];
  if (encodings.length !== 0 && encodings.length !== features)
    throw new ModelError(`the file lists categories of ${encodings.length} features, it has ${features}`);
  return Array.from({ length: features }, (_, i) => listOf(encodings[i], i, countsBytes(version)));
}

function countsBytes([major = 0, minor = 0]: readonly number[]): boolean {
  return major > 3 || (major === 3 && minor > 2);
}

function listOf(encoding: Encoding | undefined, feature: number, isExact: boolean): ListedCategories {
  const { offsets, values = [] } = encoding ?? {};
  if (offsets !== undefined) {
    if (offsets.length < 2) return null;
    const isAscii = values.every((byte) => byte !== null && byte >= 0 && byte < 128);
    return isAscii || isExact ? textsOf(offsets, values, feature) : 'unreadable';
  }
  if (values.length === 0) return null;
  for (const value of values) {
    if (typeof value === 'number' && Number.isFinite(value) && Math.abs(value) < Number.MAX_SAFE_INTEGER) continue;
    throw new ModelError(`feature ${feature} has a category that is no number below 2^53: ${value}`);
  }
  return values as readonly number[];
}

function textsOf(offsets: readonly number[], values: readonly (number | null)[], feature: number): string[] {
  return offsets.slice(1).map((end, i) => {
    const bytes = values.slice(offsets[i], end).map((byte) => `%${((byte ?? 0) & 255).toString(16).padStart(2, '0')}`);
    try {
      return decodeURIComponent(bytes.join(''));
    } catch {
      throw new ModelError(`feature ${feature} has a category that is no text in UTF-8: number ${i}`);
    }
  });
}
