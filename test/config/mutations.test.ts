/**
 * Pipelines damaged at random: every one either still compiles or is refused with problems that have a line and a
 * column within the file. Nothing else is ever thrown.
 */

import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { compilePipeline } from '../../src/config/compile.ts';
import { protoReader } from '../../src/config/load-pipeline.ts';
import { PipelineError, problemText } from '../../src/config/problems.ts';
import { defaultPipeline } from '../../src/ops/default-pipeline.ts';
import { seeded } from '../random.ts';
import { compileText, PARTS, PIPELINE, PROTO } from './pipelines.ts';

const MUTANTS = 1500;
const REFUSED_MIN = 500;
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
];

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

test(`${MUTANTS} damaged pipelines are refused with line and column, seed=${SEED}`, () => {
  const random = seeded(SEED);
  const file = defaultPipeline();
  const large = readFileSync(file, 'utf8');
  const read = protoReader(dirname(file));
  let refused = 0;
  for (let i = 0; i < MUTANTS; i++) {
    const isLarge = random() < 0.3;
    let text = isLarge ? large : PIPELINE;
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
  for (let i = 0; i < 500; i++) {
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
  expect(refused).toBeGreaterThan(100);
});
