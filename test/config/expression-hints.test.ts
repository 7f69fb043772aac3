/** What people write by habit of another language is named, where it stands, with what to write instead. */
import { describe, expect, test } from 'vitest';
import { hintFor } from '../../src/config/expression/hints.ts';
import { isSyntaxProblem, parseExpression } from '../../src/config/expression/cel-syntax.ts';
import { readSource } from '../../src/config/source.ts';

describe('expressions', () => {
  const cases: readonly (readonly [expression: string, at: number, words: string])[] = [
    ['player.digs = 40', 12, '=='],
    ["event.type = 'dig'", 11, '=='],
    ['player.digs > 40 and player.finds > 1', 17, '&&'],
    ['player.digs > 40 OR player.finds > 1', 17, '||'],
    ['not player.vip', 0, '!'],
    ['player.digs <> 40', 12, '!='],
    ['player.digs === 40', 12, '=='],
    ['event.lat is null', 10, '!has('],
    ['event.lat IS NOT NULL', 10, 'has('],
    ['player.digs between 1 and 2', 12, '&&'],
    ["event.type in ('dig', 'clue')", 11, 'in [1, 2]'],
    ["event.name like 'a%'", 11, 'contains'],
    ['if player.digs > 1 then 1 else 2', 0, '? a : b'],
    ['player.digs > 1 & player.finds > 1', 16, '&&'],
    ['player.digs > 1 &&', 16, 'missing'],
    ['player.digs ** 2', 12, 'pow'],
    ['player.digs > 1;', 15, 'semicolon'],
    ["event.name == 'abc", 14, 'does not end'],
    ['event.name == “abc”', 14, 'plain quotes'],
  ];
  test.each(cases)('%s', (expression, at, words) => {
    const result = parseExpression(expression);
    expect(isSyntaxProblem(result) && result).toMatchObject({ at, message: expect.stringContaining(words) });
  });

  test('what stands in a text is no habit', () => {
    expect(hintFor("event.name == 'you and me = us; or <>'")).toBeNull();
    expect(isSyntaxProblem(parseExpression("event.name == 'you and me = us; or <>'"))).toBe(false);
  });
});

describe('YAML', () => {
  test('a line at the margin is one problem, in words that say what to do', () => {
    const { syntax } = readSource(
      'entities:\n  player: { key: a }\nhunt: { key: b }\n  third: { key: c }\n  fourth: 1\n',
    );
    expect(syntax.length).toBeGreaterThan(0);
    const features = readSource('features:\n  player:\n    a: 1\n   b: 2\n    c: 3\n    d: 4\n');
    expect(features.syntax).toEqual([
      expect.objectContaining({ line: 4, message: expect.stringContaining('same number of blanks') }),
    ]);
  });

  test('tabs and doubled keys', () => {
    expect(readSource('a:\n\tb: 1\n').syntax[0]!.message).toContain('indent with blanks');
    expect(readSource('a: 1\nb: 2\na: 3\nb: 4\n').syntax.map(({ line }) => line)).toEqual([3, 4]);
  });
});
