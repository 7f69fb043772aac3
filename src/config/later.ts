/**
 * What the language will bring and this version does not have. It is refused by name, so that nobody takes a missing
 * part for a spelling mistake.
 */

import { lookup } from '../../native-free-core/base/lookup.ts';

const KEYS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  events: { labels: 'labels' },
};

/** Prefixes of names in expressions. */
export const LATER_PREFIXES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    decision: 'decisions within rules',
  }),
);

/** Functions of CEL and of the language to come. */
export const LATER_FUNCTIONS: ReadonlySet<string> = new Set(
  `all exists exists_one map filter string uint bytes bool dyn type getMilliseconds round log2 log10 sin cos tan atan2 lowerAscii upperAscii
  trim split join replace substring indexOf coalesce`.split(/\s+/),
);

/** What a key will mean, or undefined where it is simply unknown. */
export function laterKey(parent: readonly (string | number)[], key: string): string | undefined {
  const path = parent.map((part, i) => (i === 0 || part === 'rules' ? part : '*')).join('.');
  return lookup(lookup(KEYS, path), key);
}
