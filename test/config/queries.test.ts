/** The `queries:` of a pipeline: what compiles, and what a wrong one says, with line and column. */

import { expect, test } from 'vitest';
import { describeChange } from '../../src/config/index.ts';
import { scanStatement } from '../../src/config/statement-text.ts';
import { patient } from '../patience.ts';
import { compileText, PIPELINE, problemsOf } from './pipelines.ts';

function withQuery(lines: string): string {
  return `${PIPELINE.trimEnd()}\nqueries:\n  mine:\n${lines}\n`;
}

test('parameters come from the text, in their order, with their defaults', () => {
  const sql = `"SELECT '{no:UInt8}' AS quoted, {to:DateTime64(3, 'UTC')} FROM events -- {neither:UInt8}"`;
  const { plan } = compileText(
    withQuery(`    sql: ${sql}\n    defaults: { to: 0 }\n    rows_max: 2k\n    time_max: 3s`),
  );
  expect(plan.queries).toEqual([
    {
      name: 'mine',
      about: '',
      sql: JSON.parse(sql) as string,
      parameters: [{ name: 'to', type: "DateTime64(3, 'UTC')", default: '0' }],
      rowsMax: 2000,
      msMax: 3000,
    },
  ]);
});

test.each([
  ['    sql: INSERT INTO events VALUES (1)', /begins with SELECT or WITH/],
  ['    sql: SELECT 1; SELECT 2', /one statement only/],
  ['    sql: SELECT 1 FORMAT CSV', /leave FORMAT out/],
  ["    sql: SELECT 1 INTO OUTFILE 'x'", /leave INTO OUTFILE out/],
  ["    sql: SELECT 'open", /quote ' is not closed/],
  ['    sql: SELECT 1 /* open', /comment is not closed/],
  ['    sql: SELECT {a}', /a parameter is written \{name:Type\}/],
  ['    sql: "SELECT {a:UInt65}"', /unknown type of a parameter: UInt65.*did you mean UInt64/],
  ['    sql: "SELECT {A:UInt8}"', /begins with a small letter/],
  ['    sql: "SELECT {a:UInt8}, {a:UInt16}"', /parameter a is UInt8 before, and UInt16 here/],
  ['    sql: "SELECT {ab:UInt8}"\n    defaults: { ab: 256 }', /parameter ab takes a whole number from 0 to 255: 256/],
  [
    '    sql: "SELECT {first:UInt8}"\n    defaults: { frist: 1 }',
    /no parameter of the query: frist.*did you mean first/,
  ],
  ['    sql: SELECT 1\n    rows_max: 2M', /rows_max is from 1 to 1000000 rows/],
  ['    sql: SELECT 1\n    time_max: 2m', /time_max is from 1000 to 20000 ms/],
  ['    sql: SELECT 1\n    time_max: 1500ms', /time_max is in whole seconds: 1500ms/],
  ['    about: without a text', /sql is missing/],
  ['    sql: SELECT 1\n    sqll: SELECT 2', /unknown key: sqll/],
])('%s', (lines, message) => {
  const [problem] = problemsOf(withQuery(lines));
  expect(`${problem?.message} (did you mean ${problem?.suggestion}?)`).toMatch(message);
  const first = withQuery('').split('\n').length - 1;
  expect(problem!.line).toBeGreaterThanOrEqual(first - 1);
});

test('what a deploy changes of them is told, and is safe', () => {
  const none = compileText(PIPELINE).plan;
  const one = compileText(withQuery('    sql: SELECT 1')).plan;
  const other = compileText(withQuery('    sql: SELECT 2')).plan;
  const told = (from: typeof none, to: typeof none) =>
    describeChange(from, to).edits.map((edit) => [edit.path, edit.class, edit.text]);
  expect(told(none, one)).toEqual([['query.mine', 'safe', expect.stringContaining('query added')]]);
  expect(told(one, other)).toEqual([['query.mine', 'safe', expect.stringContaining('asks something else')]]);
  expect(told(other, none)).toEqual([['query.mine', 'safe', expect.stringContaining('query removed')]]);
});

test('a text that is long and never ends is read at once', () => {
  const begun = performance.now();
  for (const text of [
    `SELECT {a${' '.repeat(19_000)}`,
    `SELECT {a:${' '.repeat(19_000)}`,
    `SELECT ${"''".repeat(9000)}'`,
  ])
    expect(scanStatement(text).complaint).not.toBeNull();
  expect(performance.now() - begun).toBeLessThan(patient(200));
});
