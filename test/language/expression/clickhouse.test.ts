/** ClickHouse itself as the judge: patterns as its `match`, tiles as geohashEncode, hashes as murmurHash3_64. */

import { query } from 'chdb';
import { expect, test } from 'vitest';
import type { Expression } from '../../../native-free-core/plan/plan.ts';
import { hashDouble, hashInteger, hashText, hashWords } from '../../../native-free-core/base/murmur64.ts';
import { geoTile } from '../../../native-free-core/language/expression/runtime-geo.ts';
import { matchesPattern } from '../../../native-free-core/language/expression/runtime-text.ts';
import { compilePattern } from '../../../native-free-core/language/pattern/automaton.ts';
import { patternLiteral } from '../../../native-free-core/language/functions/matches.ts';
import { isLong } from '../../long.ts';
import { seeded } from '../../random.ts';
import { randomPattern } from './random-pattern.ts';

const SEED = Number(process.env['HUNT_SEED'] ?? 20260703);
const PATTERNS = isLong ? 2000 : 600;
const PATTERNS_A_QUERY = 50;
const TEXTS = [
  'abc',
  'hello',
  'zb',
  'abc[',
  '[',
  '|',
  'x(y',
  '',
  'a',
  'ab',
  'abc',
  'b',
  'ä',
  '猫',
  'zz',
  '\u{1f600}',
  'a\nb',
  'aab b',
  '\n',
  'a.',
  'äb猫',
  'a1',
];
const encoder = new TextEncoder();

function rows(sql: string): string[] {
  return String(query(sql, 'TSV')).trim().split('\n');
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
}

function constant(value: string): Expression {
  return { node: 'constant', type: 'string', value };
}

test(`${PATTERNS} random patterns, seed=${SEED}`, () => {
  const random = seeded(SEED);
  for (let done = 0; done < PATTERNS; done += PATTERNS_A_QUERY) {
    const patterns = Array.from({ length: PATTERNS_A_QUERY }, () => randomPattern(random));
    const selects = patterns.map((pattern, i) => {
      const found = TEXTS.map((text) => `toString(match(${quoted(text)}, ${patternLiteral(constant(pattern))}))`);
      return `SELECT ${i} AS i, concat(${found.join(', ')}) AS found`;
    });
    const judged = rows(`SELECT found FROM (${selects.join(' UNION ALL ')}) ORDER BY i`);
    patterns.forEach((pattern, i) => {
      const automaton = compilePattern(pattern);
      const found = TEXTS.map((text) => {
        const bytes = encoder.encode(text);
        return matchesPattern(automaton, bytes, 0, bytes.length) ? '1' : '0';
      });
      expect(found.join(''), `seed=${SEED} pattern=${pattern}`).toBe(judged[i]);
    });
  }
});

/** A pattern, and a text that it finds and ClickHouse would not, since it looks for `abc` or the like first. */
const MISREAD: [string, string][] = [
  ['abc[[]|b', 'zb'],
  ['abc[[]|', 'x'],
  ['qux foo qux[[]|bar', 'this is bar here'],
  ['xyz[[\\x{41}]|', ''],
  ['hello[|$[]|b', 'b'],
  ['[)|[]hello|(x|y[[])z', 'xz'],
  ['(?:abc[[]|b)c', 'bc'],
  ['hello猫?', 'hello'],
  ['(-ä*)@', '-@'],
];

test.each(MISREAD)('%s is found in "%s"', (pattern, text) => {
  const bytes = encoder.encode(text);
  expect(matchesPattern(compilePattern(pattern), bytes, 0, bytes.length)).toBe(true);
  expect(rows(`SELECT match(materialize(${quoted(text)}), ${patternLiteral(constant(pattern))})`)).toEqual(['1']);
});

test(`tiles, the borders among them, seed=${SEED}`, () => {
  const random = seeded(SEED);
  const points: [number, number, number][] = [
    [0, 0, 12],
    [-0, -0, 3],
    [90, 180, 12],
    [-90, -180, 12],
  ];
  for (let i = 0; i < 3000; i++) {
    const onBorder = i % 2 === 0;
    const [y, x] = onBorder
      ? [Math.floor(random() * 4097) / 4096, Math.floor(random() * 32769) / 32768]
      : [random(), random()];
    points.push([y * 180 - 90, x * 360 - 180, 1 + (i % 12)]);
  }
  const values = points.map(([y, x, precision]) => `(${y}, ${x}, ${precision})`).join(', ');
  const judged = rows(
    `SELECT geohashEncode(x, y, p) FROM values('y Float64, x Float64, p UInt8', ${values}) SETTINGS max_query_size = 10000000`,
  );
  const out = new Uint8Array(12);
  points.forEach(([y, x, precision], i) => {
    geoTile(y, x, precision, out, 0);
    expect(new TextDecoder().decode(out.slice(0, precision)), `seed=${SEED} ${y} ${x} ${precision}`).toBe(judged[i]);
  });
});

test(`hashes of texts of every length, integers and doubles, seed=${SEED}`, () => {
  const random = seeded(SEED);
  const hash = (value: string): string => `toString(bitShiftRight(murmurHash3_64(${value}), 11))`;
  const cases: { sql: string; value: number }[] = [];
  for (let length = 0; length < 70; length++) {
    const text = Array.from({ length }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join('');
    const bytes = encoder.encode(text);
    cases.push({ sql: hash(quoted(text)), value: hashText(bytes, 0, bytes.length) });
  }
  for (let i = 0; i < 100; i++) {
    const integer = Math.floor((random() * 2 - 1) * 2 ** (1 + Math.floor(random() * 52)));
    cases.push({ sql: hash(`toInt64(${integer})`), value: hashInteger(integer) });
    const double = (random() - 0.5) * 10 ** Math.floor(random() * 40 - 20);
    cases.push({ sql: hash(`toFloat64(${double}) + 0`), value: hashDouble(double) });
  }
  cases.push({ sql: hash('-toFloat64(0) + 0'), value: hashDouble(-0) });
  cases.push({ sql: hash('toUInt64(18446744073709551615)'), value: hashWords(-1, -1) });
  cases.push({ sql: hash('toInt64(true)'), value: hashInteger(1) });
  const judged = rows(`SELECT ${cases.map(({ sql }) => sql).join(', ')}`)[0]!.split('\t');
  cases.forEach(({ sql, value }, i) => expect(String(value), sql).toBe(judged[i]));
});
