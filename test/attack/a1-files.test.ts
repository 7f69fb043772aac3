/**
 * Files, keys and networks through the ClickHouse port, as anybody: each attack beside a harmless neighbour that must work.
 * A bait file holds a word that must never come out, a folder must stay as it is, a listener must hear nothing.
 */
import { describe, expect, it } from 'vitest';
import { isKeyed } from '../doors.ts';
import { BAIT, useBaitedServer } from './bait.ts';
import { ORDINARY_STATEMENTS } from './ordinary-statements.ts';

const { server, bait, expectPairs } = useBaitedServer();

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
  it.each(ORDINARY_STATEMENTS)('%s', async (statement) => {
    const answer = await server.ask('', { body: statement });
    expect(answer.status, answer.text).toBe(200);
  });
});
