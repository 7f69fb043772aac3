/**
 * Names that the engine's parser knows and its system tables do not list. open-names.test.ts holds that against the running
 * engine.
 */
import { words } from './name-words.ts';

/**
 * Functions that stand for syntax: a lambda, a sub-query as a value, what a column list or a codec is called in the syntax
 * tree.
 */
export const SYNTAX_FUNCTIONS = words(`
  lambda exists grouping untuple codec statistics
`);

/** Table functions that are in no system table. `kql` runs its text as another language, `python` is code. */
export const UNLISTED_TABLE_FUNCTIONS = words(`
  kql python
`);

/** `INDEX i column TYPE ...` */
export const INDEX_TYPES = words(`
  minmax set bloom_filter ngrambf_v1 tokenbf_v1 sparse_grams text vector_similarity hypothesis
`);

/** `CODEC(...)`, and what statistics are kept for a column. Encryption needs keys of the server and is not among them. */
export const CODECS = words(`
  Default NONE LZ4 LZ4HC ZSTD ZXC Delta DoubleDelta Gorilla T64 FPC GCD ALP Quantized
  tdigest uniq countmin minmax nullcount basic
`);

/** `REFRESH EVERY 1 HOUR SETTINGS ...`, and those of the Join and Set engines. */
export const REFRESH_SETTINGS = words(`
  refresh_retries refresh_retry_initial_backoff_ms refresh_retry_max_backoff_ms persistent
`);

/** Words that may stand before a parenthesis without being a function; in small or capital letters. */
export const SYNTAX_WORDS = words(`
  SELECT DISTINCT ON ALL FROM JOIN USING PREWHERE WHERE BY HAVING QUALIFY LIMIT OFFSET WITH AS AND OR NOT XOR IN LIKE ILIKE BETWEEN IS
  THEN ELSE WHEN CASE OVER VALUES UNION EXCEPT INTERSECT APPLY REPLACE COLUMNS INTERVAL ANY EXISTS FILTER SETS GROUPING DIV MOD SETTINGS
  DECIMAL DECIMAL32 DECIMAL64 DECIMAL128 DATETIME DATETIME64 FIXEDSTRING NULLABLE ARRAY TUPLE MAP LOWCARDINALITY ENUM8 ENUM16
`);

/** What may follow a column in a query. */
export const WORDS_AFTER_NAME = words(`
  ORDER GROUP FORMAT INTO ASC DESC NULLS END SAMPLE FINAL ARRAY LEFT RIGHT FULL INNER CROSS ANTI SEMI ASOF GLOBAL COLLATE WINDOW FETCH
  REGEXP
`);
