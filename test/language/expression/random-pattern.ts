/**
 * Random regular expressions of the part of RE2's syntax that the language takes (native-free-core/language/pattern), and
 * the same as JavaScript's own RegExp: the oracle.
 */

type Random = () => number;

const ATOMS = [
  'a',
  'b',
  'z',
  'ä',
  '猫',
  '\\x{1f600}',
  '.',
  '\\w',
  '\\W',
  '\\d',
  '\\s',
  '\\S',
  '[ab]',
  '[^a]',
  '[a-z]',
  '[^a-zä]',
  '[ä-猫]',
  '[[:alpha:]]',
  '[\\wä]',
  '[^\\s]',
  '\\.',
  '\\x61',
  '\\n',
  'ab',
  'abc',
  'hello',
  '[[]',
  '[^[]',
  '[a[]',
  '[[|(]',
  '[)|{}]',
  '[\\[a]',
  '\\[',
  '\\|',
];
const REPEATS = ['*', '+', '?', '{2}', '{1,2}', '{0,3}', '{2,}', '*?', '+?', '??', '{1,2}?'];

function pick<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)];
}

export function randomPattern(random: Random, depth = 2): string {
  const parts = Array.from({ length: Math.floor(random() * 3) + (depth === 2 ? 0 : 1) }, () =>
    randomPart(random, depth),
  );
  const sequence = parts.join('');
  const anchored = `${random() < 0.25 ? pick(random, ['^', '\\A']) : ''}${sequence}${random() < 0.25 ? pick(random, ['$', '\\z']) : ''}`;
  return depth > 0 && random() < 0.2 ? `${anchored}|${randomPattern(random, depth - 1)}` : anchored;
}

function randomPart(random: Random, depth: number): string {
  const isGroup = depth > 0 && random() < 0.25;
  const atom = isGroup ? `${pick(random, ['(', '(?:'])}${randomPattern(random, depth - 1)})` : pick(random, ATOMS);
  if (random() >= 0.3) return atom;
  const isOne = /^([[(\\.]|[a-zä猫]$)/.test(atom);
  return `${isOne ? atom : `(?:${atom})`}${pick(random, REPEATS)}`;
}

const SPACE = '\\t\\n\\f\\r ';

/** The end of the text. Node 26.10 misses `$` behind a negated class that takes a character beyond U+FFFF. */
const END = '(?![\\s\\S])';

/** The same pattern as JavaScript writes it: `.` takes line ends, \s is ASCII. */
export function regExpOf(pattern: string): RegExp {
  const translated = pattern
    .replaceAll('[[:alpha:]]', '[A-Za-z]')
    .replaceAll('[^\\s]', `[^${SPACE}]`)
    .replaceAll('\\S', `[^${SPACE}]`)
    .replaceAll('\\s', `[${SPACE}]`)
    .replaceAll('\\A', '^')
    .replaceAll('$', END)
    .replaceAll('\\z', END)
    .replaceAll('\\x{', '\\u{');
  return new RegExp(translated, 'su');
}
