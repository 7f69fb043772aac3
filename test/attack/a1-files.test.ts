/**
 * Files, keys and networks through the ClickHouse port, as anybody: each attack beside a harmless neighbour that must work.
 * A bait file holds a word that must never come out, a folder must stay as it is, a listener must hear nothing.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isKeyed } from '../doors.ts';
import { useEmbeddedServer, type Call } from '../clickhouse-embedded/embedded-server.ts';

const server = useEmbeddedServer();
const BAIT = 'the-bait-word';
const folder = mkdtempSync(join(tmpdir(), 'attack-a1-'));
const bait = join(folder, 'bait.txt');
let listener: Server;
let heard = 0;
let url = '';

beforeAll(async () => {
  mkdirSync(join(folder, 'sub'));
  writeFileSync(bait, `${BAIT}\n`);
  listener = createServer((socket) => {
    heard += 1;
    socket.destroy();
  });
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done));
  url = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  await server.run('CREATE DATABASE hunt', { asEngine: true });
  await server.run('CREATE TABLE hunt.events (id UInt64, k String) ENGINE = MergeTree ORDER BY id', { asEngine: true });
  await server.run("INSERT INTO hunt.events VALUES (1, 'a'), (2, 'b')", { asEngine: true });
  await server.run('CREATE DATABASE mine');
  await server.run('CREATE TABLE mine.t (a String, n UInt64) ENGINE = MergeTree ORDER BY n');
  await server.run("INSERT INTO mine.t VALUES ('x', 1)");
  await server.run('CREATE VIEW mine.v AS SELECT a FROM mine.t WHERE n = {n:UInt64}');
}, 60_000);

afterAll(() => {
  listener.close();
  rmSync(folder, { recursive: true, force: true });
});

/** FILE and ADDRESS stand for the bait and the listener. */
type Pair = readonly [attack: string, control: string, call?: Call];

const filled = (text: string): string =>
  text.replaceAll('FILE', bait).replaceAll('FOLDER', folder).replaceAll('ADDRESS', url);

async function expectPairs(pairs: readonly Pair[]): Promise<void> {
  for (const [attack, control, call] of pairs) {
    const statement = filled(attack);
    const answer = await server.ask('', { body: statement, ...call });
    expect.soft(answer.status, `${statement} => ${answer.status} ${answer.text}`).toBeGreaterThanOrEqual(400);
    expect.soft(answer.status, `${statement} => ${answer.text}`).toBeLessThan(500);
    expect.soft(answer.text, statement).not.toContain(BAIT);
    const neighbour = await server.ask('', { body: filled(control), ...call });
    expect.soft(neighbour.status, `${control} => ${neighbour.text}`).toBe(200);
  }
  expect(readdirSync(folder).sort()).toEqual(['bait.txt', 'sub']);
  expect(readdirSync(join(folder, 'sub'))).toEqual([]);
  expect(heard).toBe(0);
  const rows = await server.run("SELECT count() FROM mine.t WHERE a LIKE '%bait%'");
  expect(rows).toBe('0\n');
}

describe('A1: data is data', () => {
  it('values of an insert are not expressions', () =>
    expectPairs([
      ["INSERT INTO mine.t VALUES (file('FILE'), 2)", "INSERT INTO mine.t VALUES ('plain', 2)"],
      ["INSERT INTO mine.t (n, a) VALUES (3, file('FILE'))", "INSERT INTO mine.t (n, a) VALUES (3, 'plain')"],
      ["INSERT INTO mine.t VALUES ((SELECT file('FILE')), 2)", "INSERT INTO mine.t SELECT concat('pl', 'ain'), 2"],
      ["INSERT INTO mine.t VALUES ('a', 1), (concat(file('FILE')), 2)", "INSERT INTO mine.t VALUES ('a', 1), ('b', 2)"],
      [
        "INSERT INTO mine.t SETTINGS input_format_values_interpret_expressions = 1 VALUES (file('FILE'), 2)",
        "INSERT INTO mine.t SETTINGS max_threads = 1 VALUES ('plain', 2)",
      ],
      [
        "INSERT INTO mine.t VALUES (file('FILE'), 2)",
        "INSERT INTO mine.t VALUES ('plain', 2)",
        { url: { async_insert: '1' } },
      ],
      [
        "INSERT INTO mine.t FORMAT Values (file('FILE'), 2)",
        'INSERT INTO mine.t FORMAT JSONEachRow {"a":"plain","n":2}',
      ],
      [
        "INSERT INTO mine.t SELECT a, 1 FROM input('a String') FORMAT Values (file('FILE'))",
        "INSERT INTO mine.t SELECT 'x', number FROM numbers(2)",
      ],
      [
        "INSERT INTO mine.t FROM INFILE 'FILE' FORMAT LineAsString",
        "INSERT INTO mine.t (a) FORMAT LineAsString\nfrom infile 'x'\n",
      ],
      [
        "INSERT INTO mine.t (a) FORMAT Template ('FILE')",
        'INSERT INTO mine.t (a, n) FORMAT CSV "file(\'x\')",4\n',
        { url: {} },
      ],
    ]));

  it('settings that would turn data into code, or name files, are closed wherever they stand', async () => {
    for (const name of [
      'input_format_values_interpret_expressions',
      'input_format_values_deduce_templates_of_expressions',
      'allow_experimental_ai_functions',
      'allow_experimental_eval_table_function',
      'allow_experimental_kusto_dialect',
      'dialect',
      'compatibility',
      'format_schema',
      'format_template_row',
      'format_avro_schema_registry_url',
      'input_format_record_errors_file_path',
      'additional_result_filter',
      'url_base',
      'enable_url_encoding',
      's3_validate_request_settings',
      'allow_python_table_function',
      'implicit_table_at_top_level',
    ]) {
      const inUrl = await server.ask('SELECT 1', { url: { [name]: '1' } });
      expect.soft([inUrl.status, inUrl.text], name).toEqual([403, expect.stringContaining(name)]);
      const inside = await server.ask(`SELECT * FROM (SELECT 1 SETTINGS ${name} = 1)`);
      expect.soft(inside.status, `${name} ${inside.text}`).toBe(403);
      const alone = await server.ask(`SELECT * FROM (SELECT 1 SETTINGS max_threads = 1, ${name})`);
      expect.soft(alone.status, `${name} ${alone.text}`).toBe(403);
      const insert = await server.ask('', { body: `INSERT INTO mine.t SETTINGS ${name} = 1 VALUES ('x', 1)` });
      expect.soft(insert.status, `${name} ${insert.text}`).toBeGreaterThanOrEqual(400);
    }
    const open = {
      max_threads: '1',
      join_use_nulls: '1',
      session_timezone: 'Europe/Vienna',
      input_format_null_as_default: '1',
    };
    expect(await server.run('SELECT 1', { url: open })).toBe('1\n');
  });
});

describe('A1: names of functions', () => {
  /** Every place of a SELECT where an expression may stand. */
  const places: readonly string[] = [
    'SELECT X',
    'SELECT DISTINCT X AS y FROM mine.t',
    'SELECT count() FROM mine.t WHERE X = a',
    'SELECT count() FROM mine.t PREWHERE X = a',
    'SELECT count() FROM mine.t GROUP BY X',
    'SELECT count() AS c FROM mine.t HAVING toString(c) != X',
    'SELECT a FROM mine.t ORDER BY X',
    'SELECT a FROM mine.t ORDER BY n WITH FILL FROM 1 TO 2 INTERPOLATE (a AS X)',
    'SELECT a FROM mine.t LIMIT length(X)',
    'SELECT a FROM mine.t LIMIT 1 BY X',
    'SELECT a, row_number() OVER (PARTITION BY X) FROM mine.t',
    'SELECT a, row_number() OVER w FROM mine.t WINDOW w AS (ORDER BY X)',
    'SELECT a FROM mine.t QUALIFY row_number() OVER (ORDER BY n) < length(X)',
    'SELECT t.a FROM mine.t AS t JOIN mine.t AS u ON t.a = u.a AND t.a != X',
    'SELECT p FROM mine.t ARRAY JOIN [X] AS p',
    'WITH X AS w SELECT w',
    'WITH w AS (SELECT X AS q) SELECT q FROM w',
    'WITH (y -> concat(y, X)) AS g SELECT g(a) FROM mine.t',
    "SELECT * FROM values('p String', (X))",
    'SELECT * FROM view(SELECT X)',
    'SELECT a IN (SELECT X) FROM mine.t',
    'SELECT * REPLACE (X AS a) FROM mine.t',
    'SELECT * APPLY(y -> concat(toString(y), X)) FROM mine.t',
    'SELECT arrayMap(y -> X, [1])',
    'SELECT CASE WHEN 1 THEN X ELSE a END FROM mine.t',
    "SELECT if(1, X, 'y')",
    'SELECT [X], (X, 1), map(X, 1)',
    "SELECT map('p', 1)[X]",
    'SELECT countIf(a = X) FROM mine.t',
    'SELECT groupArray(X) FROM mine.t',
    'SELECT quantileIf(0.5)(n, a = X) FROM mine.t',
    'EXPLAIN SELECT X',
    'EXPLAIN PIPELINE SELECT X',
    'DESCRIBE (SELECT X AS q)',
    'SHOW TABLES FROM mine WHERE name != X',
    'SHOW COLUMNS FROM t FROM mine WHERE field != X',
    '(SELECT X) UNION ALL (SELECT a FROM mine.t)',
    'FROM mine.t SELECT X',
    'SELECT 1 /* ; */ , X -- end',
    "SELECT '\\'', X, '\\''",
    "SELECT $h$ ' $h$, X",
  ];

  it('no place of a SELECT calls file(), and every place takes an ordinary function', async () => {
    for (const place of places) {
      const attack = await server.ask(place.replaceAll(/\bX\b/g, `file('${bait}')`));
      expect.soft(attack.status, `${place} => ${attack.text}`).toBe(403);
      expect.soft(attack.text, place).not.toContain(BAIT);
      const control = await server.ask(place.replaceAll(/\bX\b/g, "upper('y')"));
      expect.soft(control.status, `${place} => ${control.text}`).toBe(200);
    }
  });

  it('no name of the function gets past', () =>
    expectPairs([
      ["SELECT File('FILE')", "SELECT Lower('X')"],
      ["SELECT `file`('FILE')", "SELECT `lower`('X')"],
      ['SELECT "file"(\'FILE\')', 'SELECT "lower"(\'X\')'],
      ["SELECT file/**/('FILE')", "SELECT lower/**/('X')"],
      ["SELECT file--\n('FILE')", "SELECT lower--\n('X')"],
      ["SELECT file#!x\n('FILE')", "SELECT lower#!x\n('X')"],
      ["SELECT file\u00a0('FILE')", "SELECT lower\u00a0('X')"],
      ["SELECT “file”('FILE')", "SELECT “lower”('X')"],
      ['SELECT "fil\\x65"(\'FILE\')', 'SELECT "lower"(\'X\')'],
      ['SELECT "f\nx", file(\'FILE\')', "SELECT 'f\nx', lower('X')"],
      ["SELECT arrayMap(file, ['FILE'])", "SELECT arrayMap(lower, ['X'])"],
      ["SELECT arrayMap((file), ['FILE'])", "SELECT arrayMap((lower), ['X'])"],
      ["SELECT * APPLY(file) FROM (SELECT 'FILE')", "SELECT * APPLY(lower) FROM (SELECT 'X')"],
      ["SELECT * APPLY file FROM (SELECT 'FILE')", "SELECT * APPLY lower FROM (SELECT 'X')"],
      ["SELECT * APPLY(`file`) FROM (SELECT 'FILE')", "SELECT * APPLY(`lower`) FROM (SELECT 'X')"],
      ["SELECT COLUMNS('.') APPLY(file) FROM (SELECT 'FILE')", "SELECT COLUMNS('.') APPLY(lower) FROM (SELECT 'X')"],
      [
        "SELECT * APPLY(y -> (SELECT x FROM format(Values, 'x String', '(1)'))) FROM (SELECT 'FILE')",
        "SELECT * APPLY(y -> concat(y, 'x')) FROM (SELECT 'X')",
      ],
      ["SELECT * APPLY(y -> kql(y)) FROM (SELECT 'FILE')", "SELECT * APPLY(y -> lower(y)) FROM (SELECT 'X')"],
      ["WITH file AS g SELECT g('FILE')", "WITH (y -> lower(y)) AS g SELECT g('X')"],
      ["SELECT file(y) FROM (SELECT 'FILE' AS y)", 'SELECT t.file FROM (SELECT 1 AS file) AS t'],
      ["SELECT fileIf('FILE', 1)", 'SELECT sumIf(1, 1)'],
      ["SELECT formatRow('Template', file('FILE'))", "SELECT formatRow('CSV', 'x')"],
      ['SELECT arrayMap({f:Identifier}, [1])', 'SELECT {f:String}', { url: { param_f: 'file' } }],
      ['SELECT arrayMap({f:Identifier}, [1])', 'SELECT {f:String}', { url: { param_f: '`file`' } }],
      ['SELECT nonesuch(1)', 'SELECT toString(1)'],
      ["SELECT catboostEvaluate('FILE', 1)", 'SELECT exp(1)'],
      ["SELECT hasColumnInTable('ADDRESS', 'u', 'p', 'd', 't', 'c')", 'SELECT count() FROM system.columns'],
      ["SELECT aiGenerate('x', 'y')", "SELECT concat('x', 'y')"],
      ["SELECT AITranslate('x', 'y')", "SELECT replaceAll('x', 'x', 'y')"],
      ['SELECT showCertificate(), addressToLine(1)', 'SELECT version(), hostName(), uptime()'],
      ["SELECT getServerPort('http_port'), getMacro('x')", "SELECT getSetting('max_threads')"],
      ["SELECT naiveBayesClassifier('m', 'x')", "SELECT ngrams('abc', 2)"],
      ["SELECT logTrace('x')", "SELECT identity('x')"],
    ]));

  it('no table comes from outside', () =>
    expectPairs([
      ["SELECT * FROM file('FILE', LineAsString)", 'SELECT * FROM numbers(2)'],
      ['SELECT * FROM `FILE`', 'SELECT * FROM `mine`.`t`'],
      ['SELECT * FROM "FILE"', 'SELECT * FROM "mine"."t"'],
      ['SELECT * FROM default."FILE"', 'SELECT * FROM mine."t"'],
      ["SELECT * FROM 'FILE'", 'SELECT * FROM mine.t'],
      ['SELECT 1 IN default."FILE"', 'SELECT 1 IN (SELECT 1)'],
      ['DESCRIBE "FILE"', 'DESCRIBE mine.t'],
      ['SELECT * FROM {t:Identifier}', 'SELECT length({t:String})', { url: { param_t: bait } }],
      ['INSERT INTO "FOLDER/out.csv" VALUES (1)', "INSERT INTO mine.t VALUES ('x', 1)"],
      ['SELECT * FROM "http://ADDRESS/x.csv"', 'SELECT * FROM mine.t'],
      ["SELECT * FROM format(Values, 'x String', $q$((SELECT file('FILE')))$q$)", "SELECT format('{} {}', 'x', 'y')"],
      ["SELECT * FROM format('JSONEachRow', '{\"a\":1}')", "SELECT * FROM values('a UInt8', 1)"],
      ['DESCRIBE format(JSONEachRow, \'{"a":1}\')', 'DESCRIBE (SELECT 1 AS a)'],
      ["SELECT * FROM url('http://ADDRESS/', LineAsString)", "SELECT domain('http://x/')"],
      ["SELECT * FROM s3('http://ADDRESS/b/k', 'CSV')", 'SELECT * FROM numbers(1, 2)'],
      ["SELECT * FROM remote('ADDRESS', system.one)", 'SELECT * FROM system.one'],
      ["SELECT * FROM cluster('default', system.one)", 'SELECT count() FROM system.clusters'],
      ["SELECT * FROM mysql('ADDRESS', 'd', 't', 'u', 'p')", 'SELECT count() FROM system.tables'],
      ["SELECT * FROM postgresql('ADDRESS', 'd', 't', 'u', 'p')", 'SELECT count() FROM system.columns'],
      [
        "SELECT * FROM mongodb('ADDRESS', 'd', 't', 'u', 'p', 'a UInt8')",
        "SELECT * FROM generateRandom('a UInt8') LIMIT 1",
      ],
      ["SELECT * FROM redis('ADDRESS', 'k', 'k String')", 'SELECT * FROM generateSeries(1, 2)'],
      ["SELECT * FROM jdbc('jdbc:x', 't')", "SELECT * FROM merge('mine', '^t$')"],
      ["SELECT * FROM sqlite('FOLDER/new.db', 't')", 'SELECT * FROM numbers_mt(1)'],
      ["SELECT * FROM executable('id', TSV, 'a String')", 'SELECT * FROM primes() LIMIT 2'],
      ["SELECT * FROM filesystem('FOLDER')", 'SELECT count() FROM system.disks'],
      ["SELECT * FROM eval('SELECT 1')", 'SELECT * FROM view(SELECT 1)'],
      ['SELECT * FROM kql($$print x = 1$$)', 'EXPLAIN SELECT 1'],
      ["SELECT * FROM python('x')", 'SELECT * FROM mine.v(n = 1)'],
      ['SELECT * FROM nonesuch(1)', 'SELECT * FROM mine.v(n = 1)'],
      ["SELECT * FROM loop('mine', 't') LIMIT 1", 'SELECT * FROM mine.t LIMIT 1'],
      ["SELECT * FROM hdfs('hdfs://ADDRESS/x', 'CSV')", 'SELECT 1 FORMAT CSV'],
      ["SELECT * FROM iceberg('http://ADDRESS/x')", 'SELECT 1 FORMAT Parquet'],
      ["SELECT * FROM deltaLakeLocal('FOLDER')", 'SELECT 1 FORMAT Arrow'],
      ["SELECT 1 INTO OUTFILE 'FOLDER/out'", "SELECT 'INTO OUTFILE x'"],
      ["SELECT 1 into/**/outfile 'FOLDER/out' FORMAT TSV", 'SELECT 1 FORMAT TSV'],
      ['SELECT 1 FORMAT Protobuf', 'SELECT 1 FORMAT JSON'],
      ['SELECT 1 FORMAT Template', 'SELECT 1 FORMAT CustomSeparated'],
    ]));
});

describe('A1: what is kept', () => {
  it('no definition holds what a query may not', () =>
    expectPairs([
      [
        "CREATE TABLE mine.d (a String DEFAULT file('FILE')) ENGINE = Memory",
        "CREATE TABLE mine.d0 (a String DEFAULT upper('x')) ENGINE = Memory",
      ],
      [
        "CREATE TABLE mine.d (a String MATERIALIZED file('FILE')) ENGINE = Memory",
        "CREATE TABLE mine.d1 (a String MATERIALIZED upper('x'), b UInt8) ENGINE = Memory",
      ],
      [
        "CREATE TABLE mine.d (b UInt8, a String ALIAS file('FILE')) ENGINE = Memory",
        "CREATE TABLE mine.d2 (b UInt8, a String ALIAS upper('x')) ENGINE = Memory",
      ],
      [
        "CREATE TABLE mine.d (a String EPHEMERAL file('FILE'), b UInt8) ENGINE = Memory",
        "CREATE TABLE mine.d3 (a String EPHEMERAL upper('x'), b UInt8) ENGINE = Memory",
      ],
      [
        "CREATE TABLE mine.d (a Date) ENGINE = MergeTree ORDER BY a TTL a + toIntervalDay(length(file('FILE')))",
        'CREATE TABLE mine.d4 (a Date) ENGINE = MergeTree ORDER BY a TTL a + toIntervalDay(1)',
      ],
      [
        "CREATE TABLE mine.d (a UInt8, PROJECTION p (SELECT file('FILE') ORDER BY a)) ENGINE = MergeTree ORDER BY a",
        'CREATE TABLE mine.d5 (a UInt8, PROJECTION p (SELECT a ORDER BY a)) ENGINE = MergeTree ORDER BY tuple()',
      ],
      [
        "CREATE TABLE mine.d (a UInt8, CONSTRAINT c CHECK file('FILE') = '') ENGINE = MergeTree ORDER BY a",
        'CREATE TABLE mine.d6 (a UInt8, CONSTRAINT c CHECK a > 0) ENGINE = MergeTree ORDER BY a',
      ],
      [
        "CREATE TABLE mine.d (a UInt8, INDEX i file('FILE') TYPE minmax) ENGINE = MergeTree ORDER BY a",
        'CREATE TABLE mine.d7 (a UInt8, b String CODEC(ZSTD(3)), INDEX i lower(b) TYPE bloom_filter(0.01)) ENGINE = MergeTree ORDER BY a',
      ],
      [
        "CREATE TABLE mine.d (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = local, path = 'FOLDER/d/')",
        'CREATE TABLE mine.d8 (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS index_granularity = 1024',
      ],
      [
        "CREATE TABLE mine.d (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS storage_policy = 'x'",
        'CREATE TABLE mine.d9 (a UInt8) ENGINE = MergeTree PARTITION BY a ORDER BY cityHash64(a)',
      ],
      [
        "CREATE TABLE mine.d (a String) ENGINE = File(LineAsString, 'FILE')",
        'CREATE TABLE mine.e0 (a String) ENGINE = Log',
      ],
      [
        "CREATE TABLE mine.d (a String) ENGINE = URL('http://ADDRESS/', LineAsString)",
        'CREATE TABLE mine.e1 (a String) ENGINE = TinyLog',
      ],
      [
        "CREATE TABLE mine.d (a String) ENGINE = SQLite('FOLDER/x.db', 't')",
        'CREATE TABLE mine.e2 (a String) ENGINE = StripeLog',
      ],
      [
        "CREATE TABLE mine.d (a String) ENGINE = EmbeddedRocksDB(0, 'FOLDER/sub') PRIMARY KEY a",
        'CREATE TABLE mine.e3 (a String, b UInt8) ENGINE = Join(ANY, LEFT, a)',
      ],
      ["CREATE TABLE mine.d (a String) ENGINE = Executable('id', TSV)", 'CREATE TABLE mine.e4 (a String) ENGINE = Set'],
      [
        "CREATE TABLE mine.d (a String) ENGINE = S3('http://ADDRESS/b', 'CSV')",
        'CREATE TABLE mine.e5 (a String) ENGINE = Null',
      ],
      [
        "CREATE TABLE mine.d (a UInt8) ENGINE Distributed('c', 'hunt', 'events')",
        'CREATE TABLE mine.e6 (a UInt8) ENGINE Memory',
      ],
      ["CREATE DATABASE d ENGINE = Filesystem('FOLDER')", 'CREATE DATABASE d1 ENGINE = Atomic'],
      ["CREATE DATABASE d ENGINE = SQLite('FOLDER/x.db')", 'CREATE DATABASE d2'],
      ["CREATE DATABASE d ENGINE = S3('http://ADDRESS/b')", "CREATE DATABASE d3 COMMENT 'own'"],
      ["CREATE VIEW mine.w AS SELECT file('FILE')", 'CREATE VIEW mine.w1 AS SELECT upper(a) FROM mine.t'],
      [
        "CREATE VIEW mine.w AS SELECT * FROM url('http://ADDRESS/', LineAsString)",
        'CREATE VIEW mine.w2 AS SELECT * FROM numbers(2)',
      ],
      [
        "CREATE MATERIALIZED VIEW mine.w ENGINE = Memory AS SELECT file('FILE') FROM mine.t",
        'CREATE MATERIALIZED VIEW mine.w3 ENGINE = Memory AS SELECT upper(a) AS u FROM mine.t',
      ],
      [
        "CREATE MATERIALIZED VIEW mine.w REFRESH EVERY 1 HOUR ENGINE = Memory AS SELECT file('FILE') AS x",
        'CREATE MATERIALIZED VIEW mine.w4 REFRESH EVERY 1 HOUR ENGINE = Memory AS SELECT count() AS c FROM hunt.events',
      ],
      ["CREATE TABLE mine.d AS file('FILE', LineAsString)", 'CREATE TABLE mine.d10 AS mine.t'],
      [
        "CREATE TABLE mine.d ENGINE = Memory AS SELECT file('FILE')",
        'CREATE TABLE mine.d11 ENGINE = Memory AS SELECT 1 AS x',
      ],
      [
        "ALTER TABLE mine.t ADD COLUMN z String DEFAULT file('FILE')",
        'ALTER TABLE mine.t ADD COLUMN z1 String DEFAULT upper(a)',
      ],
      [
        "ALTER TABLE mine.t MODIFY COLUMN a String DEFAULT file('FILE')",
        "ALTER TABLE mine.t MODIFY COLUMN a String COMMENT 'x'",
      ],
      ["ALTER TABLE mine.t UPDATE a = file('FILE') WHERE 1", 'ALTER TABLE mine.t UPDATE a = upper(a) WHERE n = 1'],
      ["ALTER TABLE mine.t DELETE WHERE file('FILE') = ''", 'ALTER TABLE mine.t DELETE WHERE n = 77'],
      [
        "ALTER TABLE mine.t ADD PROJECTION p (SELECT file('FILE'))",
        'ALTER TABLE mine.t ADD PROJECTION p1 (SELECT a ORDER BY a)',
      ],
      ['ALTER TABLE mine.t FREEZE', "ALTER TABLE mine.t COMMENT COLUMN a 'y'"],
      ["ALTER TABLE mine.t FETCH PARTITION tuple() FROM '/x'", 'ALTER TABLE mine.t DROP PROJECTION p1'],
      ["ALTER TABLE mine.t MOVE PARTITION tuple() TO DISK 'x'", 'ALTER TABLE mine.t MATERIALIZE COLUMN z1'],
      [
        "ALTER TABLE mine.t MODIFY SETTING storage_policy = 'x'",
        'ALTER TABLE mine.t MODIFY SETTING merge_with_ttl_timeout = 100',
      ],
      [
        "ALTER TABLE mine.t MODIFY TTL toDate(n) + toIntervalDay(length(file('FILE')))",
        'ALTER TABLE mine.t RESET SETTING merge_with_ttl_timeout',
      ],
      ["DELETE FROM mine.t WHERE file('FILE') = a", "DELETE FROM mine.t WHERE a = 'nonesuch'"],
      ["INSERT INTO mine.t SELECT file('FILE'), 1", "INSERT INTO mine.t (a, n) SELECT upper('x'), 1"],
      ["INSERT INTO FUNCTION file('FOLDER/out.csv', CSV, 'a UInt8') SELECT 1", 'INSERT INTO mine.t (n) SELECT 1'],
      [
        "INSERT INTO TABLE FUNCTION url('http://ADDRESS/', CSV, 'a UInt8') VALUES (1)",
        'INSERT INTO TABLE mine.t (n) VALUES (1)',
      ],
      [
        "CREATE DICTIONARY mine.k (id UInt64) PRIMARY KEY id SOURCE(FILE(path 'FILE' format 'TSV')) LAYOUT(FLAT()) LIFETIME(0)",
        'EXISTS TABLE mine.t',
      ],
      ['CREATE FUNCTION f AS (x) -> file(x)', 'SELECT count() FROM system.functions'],
      ["CREATE NAMED COLLECTION c AS url = 'http://ADDRESS/'", 'SHOW DATABASES'],
      ["BACKUP TABLE mine.t TO File('FOLDER/b')", 'OPTIMIZE TABLE mine.t FINAL'],
      ["RESTORE TABLE mine.t FROM File('FOLDER/b')", 'SHOW CREATE TABLE mine.t'],
      ["ATTACH TABLE mine.q FROM 'FOLDER' (a UInt8) ENGINE = MergeTree ORDER BY a", 'SHOW TABLES FROM mine'],
      ['SYSTEM FLUSH LOGS', "SELECT * FROM system.settings WHERE name = 'max_threads'"],
      ['SELECT 1; SELECT 2', 'SELECT 1;'],
    ]));

  it('the syntax tree of a statement is told, and runs nothing', async () => {
    expect(await server.run('EXPLAIN AST DROP TABLE mine.t')).toContain('DropQuery mine t');
    expect(await server.run('EXPLAIN AST SELECT 1 FORMAT JSONEachRow')).toContain('"explain":"SelectWithUnionQuery');
    expect((await server.ask(`EXPLAIN AST SELECT file('${bait}')`)).status).toBe(403);
    expect(await server.run('EXISTS TABLE mine.t')).toBe('1\n');
  });

  it('a format for the answer is asked for in the URL as in the statement', async () => {
    for (const format of ['Protobuf', 'Template', 'AvroConfluent', 'MySQLWire', 'nonesuch'])
      expect
        .soft((await server.ask('SELECT 1', { url: { default_format: format } })).status, format)
        .toBeGreaterThan(400);
    expect(await server.run('SELECT 1 AS a', { url: { default_format: 'JSONEachRow' } })).toBe('{"a":1}\n');
  });
});

it.runIf(isKeyed)('who shows no key gets neither the attack nor its neighbour', async () => {
  for (const body of [`SELECT file('${bait}')`, 'SELECT 1', "INSERT INTO mine.t VALUES ('x', 1)"]) {
    const { status, text } = await server.ask('', { body, headers: { authorization: '' } });
    expect(status, body).toBe(403);
    expect(text).toContain('X-ClickHouse-Key');
    expect(text).not.toContain(BAIT);
  }
  expect(await server.run('SELECT 1')).toBe('1\n');
});

describe('A1: ordinary work goes on', () => {
  it.each([
    "CREATE TABLE mine.o1 (a Nested(x UInt8, y String), e Enum8('a' = 1), d DateTime64(3, 'UTC'), n Decimal(18, 4), f FixedString(4), t Tuple(p UInt8, q String), m Map(String, Array(UInt8)), l LowCardinality(Nullable(String))) ENGINE = MergeTree ORDER BY e SETTINGS allow_nullable_key = 1",
    'CREATE TABLE mine.o2 (a AggregateFunction(quantiles(0.5, 0.9), UInt64), s SimpleAggregateFunction(sum, UInt64), k String) ENGINE = AggregatingMergeTree() ORDER BY k',
    'CREATE TABLE mine.o3 (j JSON(max_dynamic_paths = 8, a.b UInt32, SKIP c), v Variant(UInt8, String), y Dynamic(max_types = 3), i UInt8) ENGINE = MergeTree ORDER BY i',
    'CREATE TABLE mine.o4 (id UInt64, ver UInt64, gone UInt8, s String CODEC(Delta(1), LZ4), f Float64 CODEC(Gorilla, ZSTD(1))) ENGINE = ReplacingMergeTree(ver, gone) PRIMARY KEY id ORDER BY (id, ver)',
    'CREATE TABLE mine.o5 (id UInt64, sign Int8, v UInt8) ENGINE = VersionedCollapsingMergeTree(sign, v) ORDER BY id SAMPLE BY id',
    'CREATE TABLE mine.o6 (k String, a UInt64, b UInt64) ENGINE = SummingMergeTree((a, b)) PARTITION BY cityHash64(k) % 4 ORDER BY k',
    "CREATE TABLE mine.o7 (t DateTime, k String, x UInt64) ENGINE = MergeTree ORDER BY (k, toStartOfDay(t)) TTL t + INTERVAL 1 DAY GROUP BY k SET x = sum(x), t + INTERVAL 1 MONTH DELETE WHERE k = ''",
    'CREATE TABLE mine.o8 (s String, a Array(Float32), INDEX i1 s TYPE tokenbf_v1(256, 2, 0) GRANULARITY 1, INDEX i2 lower(s) TYPE ngrambf_v1(3, 256, 2, 0), INDEX i3 s TYPE set(100), INDEX i4 length(s) TYPE minmax) ENGINE = MergeTree ORDER BY s',
    'CREATE TABLE mine.o9 ENGINE = MergeTree() ORDER BY tuple() AS (SELECT k, id FROM hunt.events)',
    "CREATE TABLE IF NOT EXISTS mine.o10 (a UInt8 DEFAULT 1 COMMENT 'x', b String MATERIALIZED toString(a), PRIMARY KEY (a)) ENGINE = MergeTree COMMENT 'of mine'",
    "ALTER TABLE mine.o9 ADD COLUMN IF NOT EXISTS z UInt8 AFTER k, MODIFY COLUMN id COMMENT 'y', ADD INDEX q (k) TYPE bloom_filter(0.01) GRANULARITY 1",
    'ALTER TABLE mine.o9 MATERIALIZE INDEX q, DROP INDEX q, RENAME COLUMN z TO zz, CLEAR COLUMN zz',
    "ALTER TABLE mine.o9 MODIFY COLUMN k String CODEC(ZSTD(3)), MODIFY COMMENT 'table'",
    'CREATE TABLE mine.o9__tmp AS mine.o9',
    'EXCHANGE TABLES mine.o9__tmp AND mine.o9',
    'INSERT INTO mine.o9 (k, id) SELECT k, id FROM mine.o9__tmp',
    "INSERT INTO mine.o9 (* EXCEPT (zz)) VALUES ('a', 1)",
    "INSERT INTO mine.o1 (e, m, l, d, n) VALUES ('a', {'k': [1, 2]}, NULL, '2024-01-01 00:00:00', -1.5)",
    'INSERT INTO TABLE `mine`.`o9` (`k`, "id") FORMAT JSONEachRow {"k":"b","id":2}',
    'CREATE OR REPLACE VIEW mine.ov AS WITH x AS (SELECT 1 AS a) SELECT a FROM x',
    'CREATE MATERIALIZED VIEW mine.om TO mine.o9 (k String, id UInt64) AS SELECT k, id FROM mine.o9__tmp',
    'CREATE MATERIALIZED VIEW mine.on REFRESH EVERY 1 DAY OFFSET 2 HOUR RANDOMIZE FOR 10 MINUTE APPEND TO mine.o9 EMPTY AS SELECT k, id FROM mine.o9__tmp',
    'ALTER TABLE mine.on MODIFY REFRESH EVERY 2 DAY APPEND',
    'DROP TABLE IF EXISTS mine.on SYNC',
  ])('%s', async (statement) => {
    const answer = await server.ask('', { body: statement });
    expect(answer.status, answer.text).toBe(200);
  });

  it.each([
    'SELECT k, count() AS c, uniqExactIf(id, id > 0), quantiles(0.5, 0.9)(id) FROM hunt.events GROUP BY k WITH TOTALS ORDER BY c DESC LIMIT 10',
    'SELECT k, sum(id) OVER (PARTITION BY k ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM hunt.events',
    'WITH RECURSIVE r AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM r WHERE a < 5) SELECT max(a) FROM r',
    'SELECT e.k, u.c FROM hunt.events AS e LEFT JOIN (SELECT k, count() AS c FROM hunt.events GROUP BY k) AS u USING (k)',
    'SELECT e.id FROM hunt.events AS e ASOF JOIN hunt.events AS u ON e.k = u.k AND e.id >= u.id',
    'SELECT toStartOfHour(now() - INTERVAL 1 DAY), dateDiff(day, toDate(0), today()), extract(year FROM today())',
    "SELECT arrayMap(x -> x + 1, [1, 2]), arrayFilter((x, y) -> x > y, [1], [0]), tupleElement((1, 'a'), 1), map('a', 1)['a']",
    "SELECT CASE k WHEN 'a' THEN 1 ELSE 2 END, if(1, 2, 3), multiIf(1, 2, 3), k LIKE 'a%', k BETWEEN 'a' AND 'b', NOT 1, id::String FROM hunt.events",
    "SELECT trim(BOTH ' ' FROM ' x '), substring('abc' FROM 1 FOR 2), position('b' IN 'abc'), CAST('1' AS UInt8), DATE '2024-01-01'",
    "SELECT count() FROM hunt.events WHERE id IN (SELECT id FROM hunt.events) AND EXISTS (SELECT 1) AND (id, k) IN ((1, 'a'))",
    'SELECT k, GROUPING(k), count() FROM hunt.events GROUP BY GROUPING SETS ((k), ())',
    'SELECT sumState(id) AS s, finalizeAggregation(s) FROM hunt.events',
    'SELECT sumMerge(s) FROM (SELECT sumState(id) AS s FROM hunt.events)',
    "SELECT * EXCEPT (k), COLUMNS('i') APPLY(toString) FROM hunt.events",
    'SELECT untuple((1, 2)), tuple(1).1, [1, 2][1], -1, 7 % 2, 7 DIV 2, 1 ? 2 : 3',
    'SELECT count(*) FILTER (WHERE id > 1), any(k), argMax(k, id), groupUniqArray(k), topK(3)(k) FROM hunt.events',
    'SELECT number, lagInFrame(number) OVER (ORDER BY number) FROM numbers(3) WHERE number GLOBAL IN (1, 2)',
    "SELECT JSONExtractString('{\"a\":\"b\"}', 'a'), formatDateTime(now(), '%Y'), cityHash64(1), rand() < 0, generateUUIDv4() != toUUIDOrZero('')",
    'SELECT * FROM hunt.events AS e ARRAY JOIN [1, 2] AS x LIMIT 1 BY k',
    'SELECT a FROM (SELECT 1 AS a UNION DISTINCT SELECT 2) INTERSECT SELECT 1',
    'SELECT leadInFrame(id) OVER w, ntile(2) OVER w FROM hunt.events WINDOW w AS (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)',
    'SELECT id FROM hunt.events ORDER BY id WITH FILL FROM 0 TO 4 SETTINGS max_threads = 1, join_use_nulls = 1',
    'SELECT settings, format FROM (SELECT 1 AS settings, 2 AS format) WHERE settings = 1',
    'EXPLAIN PLAN header = 1, actions = 1 SELECT count() FROM hunt.events',
    'EXPLAIN ESTIMATE SELECT count() FROM hunt.events',
    "SHOW COLUMNS FROM events FROM hunt LIKE 'i%'",
    "SELECT windowFunnel(10)(toDateTime(id), k = 'a', k = 'b'), retention(id = 1, id = 2), sequenceMatch('(?1)(?2)')(toDateTime(id), k = 'a', k = 'b') FROM hunt.events",
    'SELECT simpleLinearRegression(id, id), corr(id, id), stddevPop(id), entropy(k), skewPop(id) FROM hunt.events',
  ])('%s', async (statement) => {
    const answer = await server.ask('', { body: statement });
    expect(answer.status, answer.text).toBe(200);
  });
});
