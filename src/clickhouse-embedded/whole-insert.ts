/**
 * Settings for an insert that must become one block and one part, with its deduplication token honoured. Exported for
 * whoever inserts batches; they hold for a ClickHouse server as well as for the embedded engine.
 */

/** Far above any batch: no block is ever cut. Rows; 2^24. */
const BLOCK_ROWS_MAX = 16_777_216;
/** Bytes; 2^34. */
const BLOCK_BYTES_MAX = 17_179_869_184;

export const BATCH_INSERT_SETTINGS = {
  /** The answer must mean "inserted", not "queued". chDB's default is 1. */
  async_insert: 0,
  wait_end_of_query: 1,
  /**
   * The blocks of the body (65,536 rows each) are squashed until one of these is reached: never. Default 1,048,449 rows or
   * 256 MiB.
   */
  min_insert_block_size_rows: BLOCK_ROWS_MAX,
  min_insert_block_size_bytes: BLOCK_BYTES_MAX,
  /** ... and no block is split again. */
  max_insert_block_size: BLOCK_ROWS_MAX,
  /** One thread writes, so that there is one part. */
  max_insert_threads: 1,
  /** One thread reads: the order of rows within the batch stays that of the body. */
  max_threads: 1,
  /** Views count a repeated block once. */
  deduplicate_blocks_in_dependent_materialized_views: 1,
} as const;
