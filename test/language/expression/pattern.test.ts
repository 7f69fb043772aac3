/** Regular expressions: the automata find what RegExp finds; what RE2 would read otherwise is refused. */

import { expect, test } from 'vitest';
import { compilePattern } from '../../../native-free-core/language/pattern/automaton.ts';
import { matchesPattern } from '../../../native-free-core/language/expression/runtime-text.ts';
import { PatternProblem } from '../../../native-free-core/language/pattern/parse-pattern.ts';
import { utf8Sequences } from '../../../native-free-core/language/pattern/utf8-ranges.ts';
import { seeded } from '../../random.ts';
import { randomPattern, regExpOf } from './random-pattern.ts';
import { pick } from './world.ts';

const SEED = Number(process.env['HUNT_SEED'] ?? 20260702);
const PATTERNS = 600;
const encoder = new TextEncoder();
const LETTERS = ['a', 'b', 'z', 'ä', '猫', '\u{1f600}', '.', ' ', '\n', '1', '\u00a0'];

function matches(pattern: string, text: string): boolean {
  const bytes = encoder.encode(`xx${text}yy`);
  return matchesPattern(compilePattern(pattern), bytes, 2, bytes.length - 4);
}

test(`${PATTERNS} random patterns agree with RegExp, seed=${SEED}`, () => {
  const random = seeded(SEED);
  let found = 0;
  for (let i = 0; i < PATTERNS; i++) {
    const pattern = randomPattern(random);
    for (let j = 0; j < 10; j++) {
      const text = Array.from({ length: Math.floor(random() * 6) }, () => pick(random, LETTERS)).join('');
      const expected = regExpOf(pattern).test(text);
      if (expected) found++;
      if (matches(pattern, text) !== expected)
        expect.fail(`seed=${SEED} pattern=${pattern} text=${JSON.stringify(text)} expected=${expected}`);
    }
  }
  expect(found).toBeGreaterThan(PATTERNS);
  expect(found).toBeLessThan(9 * PATTERNS);
});

test('every range of code points, split at every length of UTF-8', () => {
  const ends = [
    0, 0x41, 0x7f, 0x80, 0xbf, 0xff, 0x7ff, 0x800, 0xfff, 0x1000, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff,
  ];
  for (const from of ends) {
    for (const to of ends.filter((end) => end >= from)) {
      const sequences = utf8Sequences(from, to);
      for (const point of ends) {
        const bytes = [...encoder.encode(String.fromCodePoint(point))];
        const inside = sequences.filter(
          (sequence) =>
            sequence.length === bytes.length && sequence.every(([low, high], i) => low <= bytes[i] && bytes[i] <= high),
        );
        expect(inside.length, `${from}-${to} ${point}`).toBe(point >= from && point <= to ? 1 : 0);
      }
    }
  }
});

test('named classes and escapes', () => {
  expect(matches('^[[:punct:]]+$', '!/:@[`{~')).toBe(true);
  expect(matches('[[:punct:]]', 'aZ09 ä')).toBe(false);
  expect(matches('^\\x41\\x{e4}\\t\\-\\]$', 'Aä\t-]')).toBe(true);
  expect(matches('^[\\]\\-a]+$', ']-a')).toBe(true);
  expect(matches('^[-a]+[b-]$', '-a--')).toBe(true);
});

const REFUSED: readonly [string, number, RegExp][] = [
  ['a(b', 1, /a \( without its \)/],
  ['ab)', 2, /a \) without its \(/],
  ['[ab', 0, /a \[ without its \]/],
  ['[]a]', 1, /a \] in a class/],
  ['[b-a]', 1, /runs backwards/],
  ['*a', 0, /nothing stands before \*/],
  ['a|+', 2, /nothing stands before \+/],
  ['a**', 2, /a repetition of a repetition/],
  ['a{2}{3}', 4, /a repetition of a repetition/],
  ['a{,3}', 1, /write \{2\}/],
  ['{2}', 0, /written \\\{/],
  ['a{5,2}', 1, /the smaller number first/],
  ['a{1001}', 1, /up to 1000/],
  ['(a{100}){100}', 0, /nested repetitions/],
  ['(a)\\1', 3, /back-references/],
  ['(?=a)', 0, /look-around/],
  ['(?<!a)b', 0, /look-around/],
  ['(?i)a', 0, /flags/],
  ['\\bword', 0, /not supported: \\b/],
  ['\\p{L}', 0, /not supported: \\p/],
  ['[[:alfa:]]', 1, /no class of that name/],
  ['a\\', 1, /a \\ at the end/],
  ['^*', 1, /do not repeat/],
  ['a\u0000', 1, /zero characters/],
  ['(a|b)*a(a|b){20}', 0, /too complicated/],
  [`${'('.repeat(60)}${')'.repeat(60)}`, 50, /nested groups/],
];

test.each(REFUSED)('%s is refused', (pattern, at, message) => {
  try {
    compilePattern(pattern);
    expect.fail('it was taken');
  } catch (error) {
    expect(error).toBeInstanceOf(PatternProblem);
    expect((error as PatternProblem).message).toMatch(message);
    expect((error as PatternProblem).at).toBe(at);
  }
});
