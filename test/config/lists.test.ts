/** Lists of keys: files beside the pipeline, asked by `in list.<name>`. */

import { describe, expect, test } from 'vitest';
import { createHandDrivenCore } from '../../src/cli/test/hand-driven-core.ts';
import { parseList } from '../../src/config/list-files.ts';
import { changed, compileText, FILES, PIPELINE, problemsOf } from './pipelines.ts';

const RULE = "'player.digs_5m > 120'";

function withList(list: string, when: string, text: string = PIPELINE): string {
  return changed(RULE, when, changed('decisions:\n', `lists:\n  known: ${list}\ndecisions:\n`, text));
}

const WORDS = withList('{ file: words.txt, type: string, max: 10 }', "'event.country in list.known'");
const files = (text: string): Record<string, string> => ({ ...FILES, 'words.txt': text });

test('entries: one a line, without white space, comments and repetitions', () => {
  const { plan } = compileText(WORDS, files('# vips\nde\n  at \r\n\nde\n猫\n'));
  expect(plan.lists).toEqual([
    { name: 'known', file: 'words.txt', type: 'string', max: 10, entries: ['de', 'at', '猫'] },
  ]);
  expect(parseList('007\n-1\n18446744073709551615', 'int', 3)).toEqual({
    entries: ['7', '-1', '18446744073709551615'],
  });
});

test('what a list holds is no part of the version', () => {
  expect(compileText(WORDS, files('de')).plan.version).toBe(compileText(WORDS, files('at')).plan.version);
});

test('what rules and models ask of lists is stored once, before state moves where it can be', () => {
  const when = "'event.country in list.known || hunt.finders > 3 && int(player.depth) in list.levels'";
  const two = changed('lists:\n', 'lists:\n  levels: { file: levels.txt, type: int, max: 10 }\n', WORDS);
  const text = changed("'event.country in list.known'", when, two)
    .replace('decisions:\n', "derived:\n  kind: \"event.country in list.known ? 'a' : 'b'\"\ndecisions:\n")
    .replace(
      '    default: allow',
      '      - { id: again, when: "derived.kind == \'a\'", then: challenge }\n    default: allow',
    );
  const { plan } = compileText(text, { ...files('de'), 'levels.txt': '3' });
  const reads = plan.computed!.map(({ column, before }) => [plan.columns[column]!.clickhouseType, before]);
  expect(reads).toEqual([
    ['Nullable(Bool)', true],
    ['Nullable(Bool)', false],
  ]);
  expect(JSON.stringify(plan.decisions)).not.toContain('in_list');
});

test('rules ask a list; a feature that asks one reads what was stored', () => {
  const text = changed(
    'where: "event.type == \'find\'"',
    'where: "event.level in list.levels"',
    changed('lists:\n', 'lists:\n  levels: { file: levels.txt, type: int, max: 10 }\n', WORDS),
  );
  const { plan } = compileText(text, { ...files('de\nat'), 'levels.txt': '3\n5' });
  expect(plan.computed!.map(({ column }) => plan.columns[column]!.name)).toEqual([
    expect.stringMatching(/^_in_list_[0-9a-f]{8}$/),
    expect.stringMatching(/^_in_list_[0-9a-f]{8}$/),
  ]);
  const core = createHandDrivenCore(plan, 10);
  const answers = [
    { country: 'de', level: 3 },
    { country: 'fr', level: 4 },
    { country: 'at', level: 5 },
  ].map((fields, i) => {
    const taken = core.take(
      JSON.stringify({ playerId: '7', huntId: '1', eventTime: `2024-01-01T00:00:0${i}Z`, ...fields }),
    );
    expect(taken.outcome).toBe('stored');
    const column = (name: string) => core.row.columns[plan.columns.findIndex((one) => one.name === name)]!;
    return [column('trust').u16[0], column('hunt_finders').u32[0]];
  });
  expect(answers).toEqual([
    [2, 1],
    [1, 1],
    [2, 2],
  ]);
});

describe('refused', () => {
  const ints = withList('{ file: words.txt, type: int, max: 2 }', "'event.level in list.known'");
  test.each([
    [WORDS, FILES, /no such file: words.txt/],
    [ints, files('1\nx'), /words.txt, line 2: not an integer of 64 bits: x/],
    [ints, files('18446744073709551616'), /line 1: not an integer of 64 bits/],
    [ints, files('1\n2\n2\n\n3'), /line 5: more than max: 2 entries/],
    [changed('event.level in', 'event.country in', ints), files('1'), /list.known is of type int, this is a string/],
    [changed('event.level in', 'event.lat in', ints), files('1'), /list.known is of type int, this is a number/],
    [changed('list.known', 'list.knwon', WORDS), files('de'), /unknown list: list.knwon/],
    [changed('type: string', 'type: text', WORDS), files('de'), /lists.known.type must be string, int/],
  ])('%#', (text, given, message) => {
    const problems = problemsOf(text, given);
    expect(problems).toHaveLength(1);
    expect(problems[0]!.message).toMatch(message);
  });
});
