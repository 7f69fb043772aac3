/**
 * The engine's server configuration, written as a file because chDB takes nested values and cache sizes in no other way.
 * Child process, before the engine opens. Users and profiles in it are ignored by chDB (measured), which is why the front
 * guards.
 */
import { COUNTED_SHARE } from './memory-watch.ts';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { REFRESHING_VIEWS_MAX } from './child-bounds.ts';

const MIB = 1024 * 1024;

export interface ServerLimits {
  readonly memoryMaxBytes: number;
  readonly cores: number;
  /** An empty folder. */
  readonly userFiles: string;
}

/**
 * Caches are shares of the memory bound; ClickHouse's own defaults (5 GiB of marks) assume a machine of its own. Small ones,
 * because each batch is looked at once, as it comes in: larger caches only grew with the parts (6% in five minutes at the
 * largest load).
 */
export function writeServerConfiguration(path: string, limits: ServerLimits): void {
  const share = (part: number): number => Math.floor(limits.memoryMaxBytes * part);
  const backgroundThreads = Math.max(2, Math.min(8, Math.floor(limits.cores / 2)));
  // The library holds itself to it for models only (measured); walls/ hold the rest.
  rmSync(limits.userFiles, { recursive: true, force: true });
  mkdirSync(limits.userFiles, { mode: 0o500 });
  const values: Readonly<Record<string, number | string>> = {
    // Counted by the engine's own tracker, which came back to its base after every refused query (measured).
    max_server_memory_usage: share(COUNTED_SHARE),
    max_server_memory_usage_to_ram_ratio: 1,
    user_files_path: `${escaped(limits.userFiles)}/`,
    mark_cache_size: share(1 / 256),
    primary_index_cache_size: share(1 / 512),
    index_mark_cache_size: share(1 / 512),
    uncompressed_cache_size: 0,
    index_uncompressed_cache_size: 0,
    compiled_expression_cache_size: 16 * MIB,
    mmap_cache_size: 64,
    max_thread_pool_size: 512,
    // Its default of 50 ms took 1.4 ms a second of an idle engine; memory-watch.ts looks sooner where memory grows.
    memory_worker_period_ms: 500,
    max_thread_pool_free_size: 16,
    background_pool_size: backgroundThreads,
    background_merges_mutations_concurrency_ratio: 1,
    // A refresh of a client's view holds one thread of it all its time: four are left for the engine.
    background_schedule_pool_size: 4 + REFRESHING_VIEWS_MAX,
    background_common_pool_size: 4,
    background_move_pool_size: 1,
    background_fetches_pool_size: 1,
  };
  const lines = Object.entries(values).map(([name, value]) => `  <${name}>${value}</${name}>`);
  // A merge reads all columns of a part at once; the default lower bounds of free pool entries exceed a small pool.
  const mergeTree = [
    '  <merge_tree>',
    `    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>`,
    `    <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>`,
    `    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>`,
    '  </merge_tree>',
  ];
  writeFileSync(path, ['<clickhouse>', ...lines, ...mergeTree, '</clickhouse>', ''].join('\n'));
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
