/**
 * Which settings an ordinary client may send, and what every query gets when nobody says anything. The engine's own
 * user may send any setting the engine knows. Child process.
 */
import { EngineFailure } from './engine-failure.ts';
import { EXECUTION_SECONDS_DEFAULT, EXECUTION_SECONDS_MAX, QUERY_BYTES_MAX } from './limits.ts';

/** Transport: acted on by the front, or about things it does not have; never handed to the engine. */
const FRONT_SETTINGS = new Set([
  'wait_end_of_query',
  'buffer_size',
  'enable_http_compression',
  'http_zlib_compression_level',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'add_http_cors_header',
  'readonly',
  'cancel_http_readonly_queries_on_client_close',
  'http_write_exception_in_output_format',
  'http_response_buffer_size',
  'wait_for_async_insert',
  'async_insert',
  'log_queries',
  'http_receive_timeout',
  'http_send_timeout',
  'http_connection_timeout',
  'connect_timeout',
  'receive_timeout',
  'send_timeout',
  'output_format_parallel_formatting',
]);

const ALLOWED_PREFIXES = [
  'output_format_',
  'input_format_',
  'date_time_',
  'join_',
  'max_rows_',
  'max_bytes_',
  'max_result_',
  'group_by_',
  'distinct_overflow',
  'sort_overflow',
  'set_overflow',
  'read_overflow',
  'result_overflow',
  'timeout_overflow',
  'transfer_overflow',
  'optimize_',
  'format_csv_',
  'format_tsv_',
  'format_custom_',
  'format_regexp',
  'insert_',
  'allow_experimental_',
  'query_plan_',
  'cast_',
  'aggregate_functions_',
  'aggregation_',
  'empty_result_for_',
  'any_join_',
  'enable_',
];

const ALLOWED = new Set([
  'max_execution_time',
  'max_threads',
  'max_memory_usage',
  'max_block_size',
  'max_insert_block_size',
  'min_insert_block_size_rows',
  'min_insert_block_size_bytes',
  'max_insert_threads',
  'max_columns_to_read',
  'max_rows_to_read',
  'max_query_size',
  'max_ast_depth',
  'max_ast_elements',
  'max_expanded_ast_elements',
  'max_subquery_depth',
  'session_timezone',
  'extremes',
  'final',
  'limit',
  'offset',
  'log_comment',
  'use_uncompressed_cache',
  'prefer_column_name_to_alias',
  'transform_null_in',
  'totals_mode',
  'union_default_mode',
  'short_circuit_function_evaluation',
  'async_insert_deduplicate',
  'deduplicate_blocks_in_dependent_materialized_views',
  'mutations_sync',
  'alter_sync',
  'lightweight_deletes_sync',
  'partial_merge_join_optimizations',
  'default_max_bytes_in_join',
  'flatten_nested',
  'data_type_default_nullable',
  'timeout_before_checking_execution_speed',
  'allow_suspicious_low_cardinality_types',
  'allow_nondeterministic_mutations',
  'do_not_merge_across_partitions_select_final',
  'decimal_check_overflow',
  'asterisk_include_alias_columns',
  'count_distinct_implementation',
  'formatdatetime_parsedatetime_m_is_month_name',
  'preferred_block_size_bytes',
]);

/** Allowed by prefix, but naming files, hosts or code. */
const FORBIDDEN =
  /(_path|_url|_schema|_file|_script|_host|_credentials|_directory)(_|$)|^enable_(named|url_|s3)|^allow_experimental_(hive|kafka|database|materialized|nlp|object_storage|insert_into|window_view|live)/;

export interface SettingsCatalog {
  /** Names the engine knows; unknown ones would be dropped silently when a connection opens. */
  readonly known: ReadonlySet<string>;
  readonly queryMemoryBytes: number;
}

/** The settings of one connection for one query. Throws EngineFailure for what is unknown or not allowed. */
export function settingsFor(
  catalog: SettingsCatalog,
  requested: ReadonlyMap<string, string>,
  isTrusted: boolean,
): Map<string, string> {
  const settings = new Map([
    ['async_insert', '0'],
    ['max_query_size', String(QUERY_BYTES_MAX)],
  ]);
  if (!isTrusted) {
    // Fields that share a column are aliases; SELECT * shows them like any other.
    settings.set('asterisk_include_alias_columns', '1');
    settings.set('max_execution_time', String(EXECUTION_SECONDS_DEFAULT));
    settings.set('max_memory_usage', String(catalog.queryMemoryBytes));
  }
  for (const [name, value] of requested) {
    if (FRONT_SETTINGS.has(name) && !(isTrusted && name === 'async_insert')) continue;
    if (!catalog.known.has(name)) {
      throw new EngineFailure(
        115,
        'UNKNOWN_SETTING',
        `Setting ${name} is neither a builtin setting nor known to this engine`,
      );
    }
    if (value.includes('\0')) throw new EngineFailure(36, 'BAD_ARGUMENTS', `Setting ${name} holds a NUL byte`);
    if (!isTrusted && !isAllowedSetting(name)) {
      throw new EngineFailure(
        452,
        'SETTING_CONSTRAINT_VIOLATION',
        `Setting ${name} should not be changed through the embedded ClickHouse`,
      );
    }
    settings.set(name, isTrusted ? value : bounded(catalog, name, value));
  }
  return settings;
}

export function isFrontSetting(name: string): boolean {
  return FRONT_SETTINGS.has(name);
}

export function isAllowedSetting(name: string): boolean {
  if (FORBIDDEN.test(name)) return false;
  return ALLOWED.has(name) || ALLOWED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

/** Names files, hosts or code, lifts a bound, or holds SQL that no guard sees. */
export function isDangerousSetting(name: string): boolean {
  return (
    FORBIDDEN.test(name) ||
    /^(additional_|readonly$|allow_ddl$|max_memory_usage|max_execution_time|storage_policy$|disk$)/.test(name)
  );
}

/** Time and memory may be lowered, not raised above the bound; 0 means "no bound" to the engine. */
function bounded(catalog: SettingsCatalog, name: string, value: string): string {
  const most =
    name === 'max_execution_time' ? EXECUTION_SECONDS_MAX : name === 'max_memory_usage' ? catalog.queryMemoryBytes : 0;
  if (most === 0) return value;
  const asked = Number(value);
  return Number.isFinite(asked) && asked > 0 && asked <= most ? value : String(most);
}
