/**
 * How rows lie on ClickHouse's disk: codecs and table settings, chosen by measurement (4 inserts of 500,000 rows of 59
 * columns and one merge of them, chDB 26.7, CPU seconds of insert + merge, bytes a row):
 *
 *   as it comes                      1.9 + 4.6   147      LZ4, wide parts, granules of 8,192, statistics
 *   no statistics                    1.7 + 3.7   150      and compact parts
 *   T64 before LZ4 on integers       1.5 + 3.6   111      and granules of 16,384
 *   larger blocks in merges          1.5 + 3.3   111      what is used here
 *   ZSTD(1)                          2.3 + 5.1    86
 *   floats uncompressed              1.3 + 3.4   151
 *   nothing compressed               1.1 + 4.6   336
 *   fsync of every part             +0.1 s of waiting for the four; 0.3 s where parts are wide (59 files each)
 *
 * An insert alone, 350,000 rows of the example game, CPU over that of what is used here, in turn (bench/load/insert.bench.ts
 * has the first and repeats the last):
 *
 *   received and parsed alone        0.35
 *   rows come sorted by the key      0.80   0.22 core-seconds per million rows less, but bringing 48 columns into that order
 *                                           took 0.34 in JavaScript, beside 0.02 to find it
 *   no column Nullable               0.93   1.00 where LowCardinality columns stay so, 1.03 the same once more: NULL is
 *                                           free as far as can be measured, and stays what semantics.md says
 *   blocks of 16,384 or all rows     1.11, 0.99
 */

/** For tables that are created from now on: those of an older data folder keep what they were created with. */
export const BATCH_TABLE_SETTINGS: Readonly<Record<string, string>> = {
  /**
   * Tokens of as many batches are remembered: a repeated insert adds nothing (a shortcut; the proof is a look-up by batch).
   */
  non_replicated_deduplication_window: '1000',
  index_granularity: '16384',
  /** Up to here a part is one file: fewer to write, and one to fsync. 1 GiB uncompressed is about 3 million rows. */
  min_bytes_for_wide_part: '1073741824',
  /** Nothing here asks for them; they are a tenth of a merge. */
  auto_statistics_types: "''",
  merge_max_block_size: '16384',
  merge_max_block_size_bytes: '104857600',
  /**
   * Parts merged at once: 20 instead of 5 halve how often a row is written again (24 inserts: 1.3 for 2.2 CPU seconds per
   * million rows).
   */
  merge_selector_base: '20',
  /**
   * And they wait until so many are there: under load most merging is put off (500,000 rows/s: 0.8 for 1.5-1.7 CPU seconds
   * per million rows).
   */
  min_parts_to_merge_at_once: '32',
  /** At a batch or two a second that is an hour of load before inserts are slowed down. */
  parts_to_delay_insert: '6000',
  parts_to_throw_insert: '12000',
  max_parts_in_total: '200000',
  /**
   * What a part's description takes in memory stays there as long as the part waits for its merge, for minutes under load.
   * Sparse columns save 3% on disk and cost 7 kB a part; marks of each stream of a column (null map, dictionary) instead of
   * each column cost 13 kB more: 19 to 23 kB a part instead of 39 to 42, at the same speed. Only both together: the engine
   * broke on sparse NULLs without such marks.
   */
  nullable_serialization_version: "'basic'",
  ratio_of_defaults_for_sparse_serialization: '1.0',
  write_marks_for_substreams_in_compact_parts: '0',
};

/**
 * Of `batches`, one row an insert: what its merges leave behind would stay until the cleaner comes, up to five minutes
 * later, as many parts as `events` has. (The embedded engine keeps such parts for no time of its own: old_parts_lifetime is
 * 0 there.)
 */
export const SMALL_TABLE_SETTINGS: Readonly<Record<string, string>> = {
  cleanup_delay_period_random_add: '0',
  max_cleanup_delay_period: '30',
};

/**
 * Of a server elsewhere: a confirmed insert has reached its disk, on the strength of which the spool is trimmed. The
 * embedded one's file system is synced before each trim instead.
 */
export const SYNC_SETTINGS: Readonly<Record<string, string>> = {
  fsync_after_insert: '1',
  fsync_part_directory: '1',
};
