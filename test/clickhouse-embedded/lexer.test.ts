/**
 * The front's lexer against the engine's own parser, on seeded random text: where strings and comments end must be the same.
 */
import { describe, expect, it } from 'vitest';
import { tokensOf } from '../../src/clickhouse-embedded/lexer.ts';
import { parseStatement } from '../../src/clickhouse-embedded/statement.ts';
import { useEmbeddedServer } from './embedded-server.ts';

const server = useEmbeddedServer();

/** Pieces that open or close something; `probe` is visible to whoever thinks it stands outside. */
const PIECES = [
  "'",
  "\\'",
  "''",
  '"',
  '`',
  '--',
  '//',
  '/*',
  '*/',
  '# ',
  '#!',
  '\n',
  '$$',
  '$a$',
  '$',
  '‘',
  '’',
  '“',
  '”',
  '\\',
  ' ',
  'x',
  ',',
  '−',
  '\u00a0',
  '#',
];

describe('lexer', () => {
  it('sees a call wherever the engine sees one', async () => {
    const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
    console.log(`lexer seed=${seed}`);
    let state = seed;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    // The engine judges many candidates in one query: formatQuery is its own parser, and its output is free of comments and
    // odd quotes.
    const candidates = Array.from({ length: 20_000 }, () => {
      const noise = (): string => Array.from({ length: random(5) }, () => PIECES[random(PIECES.length)]).join('');
      return `SELECT ${noise()} probe(1) ${noise()} probe(2) ${noise()}`;
    });
    const judged = await server.run(
      'SELECT formatQuerySingleLineOrNull(q) FROM (SELECT arrayJoin({texts:Array(String)}) AS q) FORMAT JSONCompactEachRow',
      {
        asEngine: true,
        body: multipart(candidates),
        headers: { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` },
      },
    );
    let parsed = 0;
    for (const [index, line] of judged.trim().split('\n').entries()) {
      const canonical = (JSON.parse(line) as [string | null])[0];
      if (canonical === null) continue;
      parsed += 1;
      const outside = canonical.replace(/'(?:\\.|[^'\\])*'/gs, "''").replace(/`(?:\\.|[^`\\])*`/gs, '``');
      const calls = outside.split('probe(').length - 1;
      const tokens = tokensOf(candidates[index]);
      const seen = tokens.filter((token, at) => token.value === 'probe' && tokens[at + 1]?.value === '(').length;
      const isOdd = tokens.some((token) => token.kind === 'odd');
      expect
        .soft(isOdd || seen >= calls, JSON.stringify({ text: candidates[index], canonical, seen, calls }))
        .toBe(true);
    }
    expect(parsed).toBeGreaterThan(200);
  });
});

const BOUNDARY = 'embedded-test';

function multipart(texts: readonly string[]): string {
  const escaped = texts
    .map((text) => `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'").replace(/\n/g, '\\n')}'`)
    .join(',');
  const value = `[${escaped}]`;
  return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="param_texts"\r\n\r\n${value}\r\n--${BOUNDARY}--\r\n`;
}

describe('statements', () => {
  it.each([
    ['INSERT INTO t VALUES (1)', 'INSERT INTO t', 'Values', '(1)'],
    ['insert into a.b (x, y) format CSV\n1,2', 'insert into a.b (x, y)', 'CSV', '1,2'],
    ['INSERT INTO t SETTINGS async_insert = 1 FORMAT JSONEachRow {"a":1}', 'INSERT INTO t', 'JSONEachRow', '{"a":1}'],
    ['INSERT INTO `format` (`values`) VALUES (1)', 'INSERT INTO `format` (`values`)', 'Values', '(1)'],
    ['INSERT INTO t(* EXCEPT(a)) FORMAT Native\n\x01', 'INSERT INTO t(* EXCEPT(a))', 'Native', '\x01'],
    ["INSERT INTO t /* VALUES */ (a) -- FORMAT X\n VALUES\n('x')", 'INSERT INTO t /* VALUES */ (a)', 'Values', "('x')"],
  ])('splits %s', (text, head, format, data) => {
    const statement = parseStatement(text);
    if (statement.kind !== 'insert') throw new Error(`kind=${statement.kind}`);
    expect([statement.head, statement.format, text.slice(statement.dataStart)]).toEqual([head, format, data]);
  });

  it('takes FORMAT and SETTINGS off the end only', () => {
    const read = parseStatement(
      "SELECT a FROM (SELECT 1 AS a SETTINGS x = 1) SETTINGS max_threads = 2, s = 'q' FORMAT JSON;",
    );
    if (read.kind !== 'read') throw new Error(`kind=${read.kind}`);
    expect(read.text).toBe('SELECT a FROM (SELECT 1 AS a SETTINGS x = 1)');
    expect([...read.settings]).toEqual(
      expect.arrayContaining([
        ['max_threads', '2'],
        ['s', 'q'],
      ]),
    );
    expect(read.format).toBe('JSON');
  });
});
