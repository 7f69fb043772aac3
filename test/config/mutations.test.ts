/**
 * Pipelines damaged at random: every one either still compiles or is refused with problems that have a line and a
 * column within the file. Nothing else is ever thrown.
 */

import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { compilePipeline } from '../../src/config/compile-pipeline.ts';
import { protoReader } from '../../src/config/load-pipeline.ts';
import { PipelineError, problemText } from '../../src/config/problems.ts';
import { defaultPipeline } from '../../src/config/default-pipeline.ts';
import { isLong } from '../long.ts';
import { seeded } from '../random.ts';
import { changed, compileText, PARTS, PIPELINE, PROTO } from './pipelines.ts';

const MUTANTS = isLong ? 1500 : 450;
/** In the long form a thousand. */
const REFUSED_MIN = (MUTANTS * 2) / 3;
const SEED = Number(process.env['HUNT_SEED'] ?? 20260602);

const SCRAPS = [
  '',
  ' ',
  '\n',
  ':',
  '-',
  '{',
  '}',
  '[',
  ']',
  '"',
  "'",
  '#',
  '&a',
  '*a',
  '!!int',
  '|',
  '>',
  '%',
  '\t',
  '\\',
  '\u0000',
  '~',
  'null',
  'true',
];
const WORDS = [
  'count',
  'player',
  'event',
  '1m',
  '0',
  '-1',
  '1.5',
  '2M',
  'x',
  'type',
  '9999999999999999999999',
  'true',
  'dig',
  '&&',
  '==',
  'ttl',
  '__proto__',
  'constructor',
  'toString',
  'derived.near',
  'list.vips',
  'size',
  'matches',
  'geo.tile',
  'in',
  'null',
  'hour',
];

/** The small pipeline with all that expressions can hold. */
const WHOLE_LANGUAGE = changed(
  "- { id: digger, when: 'player.digs_5m > 120', then: challenge }",
  `- id: digger
        then: challenge
        when: >-
          player.digs_5m > 120 && !(event.country in ['de', 'at']) ||
          event.shout.matches('^(a|[b-d]{2,3})+$') || derived.near < 5.0 && event.shout in list.vips`,
  changed(
    'decisions:\n',
    `lists:
  vips: { file: parts.proto, type: string, max: 1k }
derived:
  near: "geo.distance(event.lat, event.lat, 52.5, 13.4) / max(1.0, double(abs(event.level)))"
  hour: "event.time.getHours('Europe/Berlin') + (has(event.lat) ? int(floor(event.lat)) : -1)"
  tile: geo.tile(event.lat, event.lat, 6)
  odd: "derived.hour % 2 == 1 && event.time > timestamp('2024-01-01T00:00:00Z') + duration('90m')"
  text: "size(event.event_id) + hash(event.country) - size(event.tags)"
decisions:
`,
  ),
);

type Mutation = (text: string, random: () => number) => string;

function at(random: () => number, length: number): number {
  return Math.floor(random() * length);
}

const swapLines: Mutation = (text, random) => {
  const lines = text.split('\n');
  const [a, b] = [at(random, lines.length), at(random, lines.length)];
  [lines[a], lines[b]] = [lines[b], lines[a]];
  return lines.join('\n');
};

const mutations: readonly Mutation[] = [
  swapLines,
  (text, random) => text.split('\n').toSpliced(at(random, 60), 1).join('\n'),
  (text, random) => {
    const lines = text.split('\n');
    return lines.toSpliced(at(random, lines.length), 0, lines[at(random, lines.length)]).join('\n');
  },
  (text, random) => {
    const i = at(random, text.length);
    return text.slice(0, i) + SCRAPS[at(random, SCRAPS.length)] + text.slice(i + at(random, 3));
  },
  (text, random) => {
    const words = [...text.matchAll(/[\w.]+/g)];
    if (words.length === 0) return text;
    const word = words[at(random, words.length)];
    return text.slice(0, word.index) + WORDS[at(random, WORDS.length)] + text.slice(word.index + word[0].length);
  },
  (text, random) => {
    const words = [...text.matchAll(/[a-z_]{4,}/g)];
    if (words.length === 0) return text;
    const word = words[at(random, words.length)];
    const i = word.index + 1 + at(random, word[0].length - 1);
    return text.slice(0, i) + 'abcdefgh'[at(random, 8)] + text.slice(i + 1);
  },
  (text, random) => text.slice(0, at(random, text.length)),
];

/** 1 where the text was refused. */
function tryText(text: string, compile: (text: string) => unknown, label: string): number {
  try {
    compile(text);
    return 0;
  } catch (error) {
    if (!(error instanceof PipelineError))
      throw new Error(`${label} threw ${String(error)} for:\n${text}`, { cause: error });
    const lines = text.split('\n');
    expect(error.problems.length, label).toBeGreaterThan(0);
    for (const problem of error.problems) {
      const shown = `${label} ${problemText('p', problem)}`;
      expect(problem.line, shown).toBeGreaterThanOrEqual(1);
      expect(problem.line, shown).toBeLessThanOrEqual(lines.length);
      expect(problem.column, shown).toBeGreaterThanOrEqual(1);
      expect(problem.column, shown).toBeLessThanOrEqual((lines[problem.line - 1] ?? '').length + 2);
      expect(problem.message, shown).not.toMatch(/undefined|\[object|NaN|native code/);
    }
    return 1;
  }
}

test('the pipelines that are damaged are right', () => {
  compileText(WHOLE_LANGUAGE);
  compileText(PIPELINE);
});

/** Fragments of expressions, put together without regard to grammar or types. */
const FRAGMENTS =
  `event.level event.lat event.shout event.country event.tags event.type event.rarity event.blob event.time event.vip player.quiet derived.near
  derived list.vips geo event true false null 1 -1 1.5 9223372036854775808 'a' 'dig' "(" r'\\1' b'x' ( ) [ ] { } , . ? : + - * / % == != < <= && || ! in
  has( size( matches( min( int( hash( geo.tile( geo.distance( duration( timestamp( ratio( .startsWith( .contains( .matches( .getHours( .map( x, `.split(
    /\s+/,
  );

test(`expressions put together at random compile or are refused where they are wrong, seed=${SEED}`, () => {
  const random = seeded(SEED);
  let refused = 0;
  for (let i = 0; i < MUTANTS; i++) {
    const count = 1 + at(random, 8);
    const expression = Array.from({ length: count }, () => FRAGMENTS[at(random, FRAGMENTS.length)]).join(
      random() < 0.5 ? ' ' : '',
    );
    const text = changed(
      'event.time > timestamp',
      `${JSON.stringify(`(${expression})`).slice(1, -1)} > timestamp`,
      WHOLE_LANGUAGE,
    );
    refused += tryText(text, (t: string) => compileText(t), `seed=${SEED} expression=${i} ${expression}`);
  }
  expect(refused).toBeGreaterThan(REFUSED_MIN);
});

test(`${MUTANTS} damaged pipelines are refused with line and column, seed=${SEED}`, () => {
  const random = seeded(SEED);
  const file = defaultPipeline();
  const large = readFileSync(file, 'utf8');
  const read = protoReader(dirname(file));
  let refused = 0;
  for (let i = 0; i < MUTANTS; i++) {
    const isLarge = random() < 0.3;
    let text = isLarge ? large : random() < 0.5 ? PIPELINE : WHOLE_LANGUAGE;
    const rounds = 1 + at(random, 2);
    for (let round = 0; round < rounds; round++) text = mutations[at(random, mutations.length)](text, random);
    const compile = isLarge ? (t: string) => compilePipeline('p', t, read) : (t: string) => compileText(t);
    refused += tryText(text, compile, `seed=${SEED} mutant=${i}`);
  }
  expect(refused).toBeGreaterThan(REFUSED_MIN);
});

test(`damaged .proto files are refused at events.proto or events.message, seed=${SEED}`, () => {
  const random = seeded(SEED);
  let refused = 0;
  for (let i = 0; i < MUTANTS / 3; i++) {
    const mutate = mutations[at(random, mutations.length)];
    const files =
      random() < 0.5
        ? { 'events.proto': mutate(PROTO, random), 'parts.proto': PARTS }
        : { 'events.proto': PROTO, 'parts.proto': mutate(PARTS, random) };
    refused += tryText(
      PIPELINE,
      (text) => compileText(text, files),
      `seed=${SEED} proto=${i} ${JSON.stringify(files)}`,
    );
  }
  expect(refused).toBeGreaterThan(MUTANTS / 15);
});
