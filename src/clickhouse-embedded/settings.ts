/**
 * Which settings an ordinary client may send, and what every query gets when nobody says anything. The engine's own
 * user may send any setting the engine knows. Child process.
 */
import { EngineFailure } from './engine-failure.ts';
import {
  EXECUTION_SECONDS_DEFAULT,
  EXECUTION_SECONDS_MAX,
  OWN_FREE_DISK_BYTES_MIN,
  OWN_FREE_DISK_SHARE_MIN,
  QUERY_BYTES_MAX,
  TEMPORARY_BYTES_MAX,
} from './child-bounds.ts';
import { isFrontSetting, isOpenSetting } from './open-names.ts';

/**
 * Kept for every ordinary client, whatever it asks for: rows of VALUES are data. With these on, a value could be any
 * expression, and no guard reads the data of an insert.
 */
const PUBLIC_SETTINGS: readonly (readonly [string, string])[] = [
  ['min_free_disk_bytes_to_perform_insert', String(OWN_FREE_DISK_BYTES_MIN)],
  ['min_free_disk_ratio_to_perform_insert', String(OWN_FREE_DISK_SHARE_MIN)],
  ['input_format_values_interpret_expressions', '0'],
  ['input_format_values_deduce_templates_of_expressions', '0'],
];

/**
 * Kept for the engine's user: a materialized view that a client hangs at one of its tables never fails its inserts; see
 * attached-views.ts.
 */
const TRUSTED_SETTINGS: readonly (readonly [string, string])[] = [
  ['materialized_views_ignore_errors', '1'],
  ['ignore_materialized_views_with_dropped_target_table', '1'],
];

/** Room for what the front puts around a statement that is as long as it may be. */
const WRAPPING_BYTES = 4096;

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
    ['max_query_size', String(QUERY_BYTES_MAX + WRAPPING_BYTES)],
  ]);
  if (!isTrusted) {
    // Fields that share a column are aliases; SELECT * shows them like any other.
    settings.set('asterisk_include_alias_columns', '1');
    settings.set('max_execution_time', String(EXECUTION_SECONDS_DEFAULT));
    settings.set('max_memory_usage', String(catalog.queryMemoryBytes));
    settings.set('max_temporary_data_on_disk_size_for_query', String(TEMPORARY_BYTES_MAX));
  }
  for (const [name, value] of requested) {
    if (isFrontSetting(name) && !(isTrusted && name === 'async_insert')) continue;
    if (!catalog.known.has(name)) {
      throw new EngineFailure(
        115,
        'UNKNOWN_SETTING',
        `Setting ${name} is neither a builtin setting nor known to this engine`,
      );
    }
    if (value.includes('\0')) throw new EngineFailure(36, 'BAD_ARGUMENTS', `Setting ${name} holds a NUL byte`);
    if (!isTrusted && !isOpenSetting(name)) {
      throw new EngineFailure(
        452,
        'SETTING_CONSTRAINT_VIOLATION',
        `Setting ${name} should not be changed through the embedded ClickHouse`,
      );
    }
    settings.set(name, isTrusted ? value : bounded(catalog, name, value));
  }
  for (const [name, value] of isTrusted ? TRUSTED_SETTINGS : PUBLIC_SETTINGS) settings.set(name, value);
  return settings;
}

/** Time and memory may be lowered, not raised above the bound; 0 means "no bound" to the engine. */
function bounded(catalog: SettingsCatalog, name: string, value: string): string {
  const most =
    name === 'max_execution_time' ? EXECUTION_SECONDS_MAX : name === 'max_memory_usage' ? catalog.queryMemoryBytes : 0;
  if (most === 0) return value;
  const asked = Number(value);
  return Number.isFinite(asked) && asked > 0 && asked <= most ? value : String(most);
}
