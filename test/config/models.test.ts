/** Models in a pipeline: what they read and in which order, what reads them, and what is wrong with them and where. */

import { describe, expect, test } from 'vitest';
import { createHandDrivenCore } from '../../src/cli/test/hand-driven-core.ts';
import { changed, compileText, FILES, PIPELINE, problemsOf } from './pipelines.ts';

const RULE = "'player.digs_5m > 120'";

function withModels(lines: readonly string[], when = "'model.cheat > 0.5'", text: string = PIPELINE): string {
  const models = `models:\n${lines.map((line) => `  ${line}\n`).join('')}`;
  return changed(RULE, when, changed('decisions:\n', `${models}decisions:\n`, text));
}

/** Every weight by its input's name. */
function linear(weights: Readonly<Record<string, number>>, intercept = 0): string {
  return JSON.stringify({ intercept, weights });
}

const INPUTS = '[event.level, player.digs_5m]';
const CHEAT = `cheat: { file: cheat.json, format: linear, inputs: ${INPUTS} }`;
const files = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  ...FILES,
  'cheat.json': linear({ 'event.level': 0.25, 'player.digs_5m': 1 }, 1),
  ...more,
});

test('a score is a nullable double of its own column, in the order of what reads it', () => {
  const text = withModels(
    ['second: { file: second.json, format: logistic, inputs: [derived.doubled] }', CHEAT],
    "'derived.sum > 1.0'",
    changed(
      'decisions:\n',
      "derived:\n  sum: 'model.second + derived.doubled'\n  doubled: model.cheat * 2.0\ndecisions:\n",
    ),
  );
  const { plan } = compileText(text, files({ 'second.json': linear({ 'derived.doubled': 1 }, -4) }));
  expect(plan.models!.map(({ name, output, inputTexts }) => [name, output, inputTexts])).toEqual([
    ['cheat', 'value', ['event.level', 'player.digs_5m']],
    ['second', 'probability', ['derived.doubled']],
  ]);
  expect(plan.models!.map(({ column }) => plan.columns[column])).toMatchObject([
    { name: 'model_cheat', kind: 'f64', nullable: true, clickhouseType: 'Nullable(Float64)' },
    { name: 'model_second' },
  ]);
  const core = createHandDrivenCore(plan, 10);
  const value = (name: string): number | null => {
    const column = core.row.columns[plan.columns.findIndex((one) => one.name === name)]!;
    return column.nulls[0] === 1 ? null : column.f64[0]!;
  };
  const taken = [3, 5].map((level, i) => {
    const body = { playerId: '7', huntId: '1', eventTime: `2024-01-01T00:00:0${i}Z`, level, dig: { depth: 1 } };
    expect(core.take(JSON.stringify(body)).outcome).toBe('stored');
    return ['model_cheat', 'model_second', 'derived_sum'].map(value);
  });
  const expected = [3, 5].map((level, i) => {
    const cheat = 1 + 0.25 * level + (i + 1);
    const second = 1 / (1 + Math.exp(-(2 * cheat - 4)));
    return [cheat, second, second + 2 * cheat];
  });
  expect(taken).toEqual(expected);
});

test('missing values are absent inputs, texts are places among categories, flags 0 and 1', () => {
  const inputs = '[event.country, event.rarity, event.vip, event.type, event.lat]';
  const categories = '{ event.country: [de, at, fr], event.rarity: [LEGENDARY, COMMON] }';
  const { plan } = compileText(
    withModels([`cheat: { file: cheat.json, format: linear, inputs: ${inputs}, categories: ${categories} }`]),
    files({
      'cheat.json': linear({
        'event.country': 1,
        'event.rarity': 10,
        'event.vip': 100,
        'event.type': 1000,
        'event.lat': 10_000,
      }),
    }),
  );
  const core = createHandDrivenCore(plan, 10);
  const column = core.row.columns[plan.models![0]!.column]!;
  const score = (fields: object): number | null => {
    const body = { playerId: '7', huntId: '1', eventTime: '2024-01-01T00:00:00Z', dig: {}, ...fields };
    expect(core.take(JSON.stringify(body)).outcome).toBe('stored');
    return column.nulls[0] === 1 ? null : column.f64[0]!;
  };
  expect(score({ country: 'fr', rarity: 'LEGENDARY', lat: 2 })).toBe(2 + 1000 + 20_000);
  expect(score({ country: 'de', rarity: 'COMMON', vip: true, lat: 0 })).toBe(10 + 100 + 1000);
  expect(score({ country: 'es', lat: 0 })).toBe(null);
  expect(score({ country: 'de', rarity: 'RARE', lat: 0 })).toBe(null);
  expect(score({ country: 'de' })).toBe(null);
});

test('what a file says is part of the version', () => {
  const text = withModels([CHEAT]);
  const version = (intercept: number): string =>
    compileText(text, files({ 'cheat.json': linear({ 'event.level': 1, 'player.digs_5m': 0 }, intercept) })).plan
      .version;
  expect(version(1)).toBe(version(1));
  expect(version(1)).not.toBe(version(2));
});

describe('refused, where it stands', () => {
  const cases: Readonly<Record<string, readonly [text: string, message: RegExp, at: string]>> = {
    'no such file': [
      withModels(['cheat: { file: nowhere.json, format: linear, inputs: [event.level] }']),
      /no such file: nowhere\.json/,
      'nowhere.json',
    ],
    'an unknown input': [
      withModels([CHEAT.replace('event.level', 'event.levle')]),
      /unknown field.*event\.level\?/,
      'event.levle',
    ],
    'an expression': [
      withModels([CHEAT.replace('event.level', '"event.level * 2"')]),
      /an input is a name/,
      'event.level * 2',
    ],
    'a text without categories': [
      withModels([CHEAT.replace('event.level', 'event.country')]),
      /a text needs its categories/,
      'event.country, player',
    ],
    bytes: [withModels([CHEAT.replace('event.level', 'event.blob')]), /takes numbers/, 'event.blob'],
    'categories of a number': [
      withModels([CHEAT.replace(' }', ', categories: { event.level: [a] } }')]),
      /the categories are texts \(a\), the input is an integer/,
      'event.level: [a]',
    ],
    'categories of another name': [
      withModels([CHEAT.replace(' }', ', categories: { event.leve: [a] } }')]),
      /no such input: event\.leve .*event\.level\?/,
      'event.leve: [a]',
    ],
    'a name that the enum does not have': [
      withModels([
        'cheat: { file: cheat.json, format: linear, inputs: [event.rarity], categories: { event.rarity: [COMMON, RAR] } }',
      ]),
      /is never 'RAR'.*RARE\?/,
      'RAR]',
    ],
    'a probability of a sum': [
      withModels([CHEAT.replace(' }', ', output: probability }')]),
      /gives no probability/,
      'probability }',
    ],
    'an unknown format': [withModels([CHEAT.replace('linear', 'liner')]), /must be .*linear/, 'liner'],
    'an unknown key': [
      withModels([CHEAT.replace(' }', ', outputs: margin }')]),
      /unknown key: outputs .*output\?/,
      'outputs:',
    ],
    'a circle of models and derived values': [
      withModels(
        [CHEAT.replace('event.level', 'derived.twice')],
        RULE,
        changed('decisions:\n', 'derived:\n  twice: model.cheat * 2.0\ndecisions:\n'),
      ),
      /derived\.twice -> model\.cheat -> derived\.twice/,
      'model.cheat * 2.0',
    ],
    'an unknown model': [
      withModels([CHEAT], "'model.cheta > 0.5'"),
      /unknown model: model\.cheta .*model\.cheat\?/,
      'model.cheta',
    ],
    'an aggregate of a score': [
      changed('of: event.find.points', 'of: model.cheat', withModels([CHEAT])),
      /model\.cheat is a score, which comes after state/,
      'model.cheat, window',
    ],
    'a condition on a score': [
      changed(`where: "event.type == 'find'"`, "where: 'model.cheat > 0.5'", withModels([CHEAT])),
      /which comes after state/,
      'model.cheat > 0.5',
    ],
    'a key of a score': [
      changed('key: event.hunt_id', 'key: model.cheat', withModels([CHEAT])),
      /which comes after state/,
      'model.cheat, max',
    ],
    'an aggregate of a value that reads a score': [
      changed(
        'of: event.find.points',
        'of: derived.twice',
        withModels([CHEAT], RULE, changed('decisions:\n', 'derived:\n  twice: model.cheat * 2.0\ndecisions:\n')),
      ),
      /derived\.twice reads features or scores/,
      'derived.twice, window',
    ],
  };
  test.each(Object.entries(cases))('%s', (_, [text, message, at]) => {
    const problems = problemsOf(text, files());
    expect(problems).toHaveLength(1);
    const [problem] = problems;
    expect(`${problem!.message} ${problem!.suggestion ?? ''}?`).toMatch(message);
    const line = text.split('\n')[problem!.line - 1]!;
    expect(line.slice(problem!.column - 1)).toMatch(new RegExp(`^["']?${at.replace(/[[\]*.]/g, '\\$&')}`));
  });
});
