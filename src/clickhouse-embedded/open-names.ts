/**
 * Which of the engine's names ordinary clients may use: sets over the lists in names/. Whatever is in no list is not open,
 * so a name that an upgrade brings stays shut until somebody has looked at it. Pure. Child process.
 */
import { CLOSED_AGGREGATES, COMBINATORS, OPEN_AGGREGATES } from './names/aggregates.ts';
import { CLOSED_FUNCTIONS, OPEN_FUNCTIONS } from './names/functions.ts';
import { FRONT_SETTINGS, OPEN_SETTINGS } from './names/settings-open.ts';
import { OPEN_TABLE_SETTINGS } from './names/table-settings.ts';
import {
  CLOSED_FORMATS,
  CLOSED_TABLE_FUNCTIONS,
  OPEN_DATABASE_ENGINES,
  OPEN_FORMATS,
  OPEN_TABLE_ENGINES,
  OPEN_TABLE_FUNCTIONS,
} from './names/tables.ts';
import {
  CODECS,
  INDEX_TYPES,
  REFRESH_SETTINGS,
  SYNTAX_FUNCTIONS,
  UNLISTED_TABLE_FUNCTIONS,
} from './names/syntax-names.ts';

/** The engine takes many of its names in any case, so all of them are compared in small letters. */
const lower = (names: readonly string[]): ReadonlySet<string> => new Set(names.map((name) => name.toLowerCase()));

const functions = lower([...OPEN_FUNCTIONS, ...SYNTAX_FUNCTIONS]);
const closedFunctions = lower([...CLOSED_FUNCTIONS, ...CLOSED_AGGREGATES]);
const aggregates = lower(OPEN_AGGREGATES);
const combinators = COMBINATORS.map((name) => name.toLowerCase());
const tableFunctions = lower(OPEN_TABLE_FUNCTIONS);
const closedTableFunctions = lower([...CLOSED_TABLE_FUNCTIONS, ...UNLISTED_TABLE_FUNCTIONS]);
const storage = lower([...OPEN_TABLE_ENGINES, ...OPEN_DATABASE_ENGINES]);
const indexTypes = lower(INDEX_TYPES);
const codecs = lower(CODECS);
const formats = lower(OPEN_FORMATS);
const closedFormats = lower(CLOSED_FORMATS);
const settings = new Set(OPEN_SETTINGS);
const frontSettings = new Set(FRONT_SETTINGS);
const tableSettings = new Set([...OPEN_TABLE_SETTINGS, ...REFRESH_SETTINGS]);

/** Scalar, aggregate with or without combinators, or window function. */
export function isOpenFunction(name: string): boolean {
  const key = name.toLowerCase();
  return !closedFunctions.has(key) && (functions.has(key) || isAggregate(key));
}

/** Known and shut: such a name must not even stand where a function could be passed by name. */
export function isClosedFunction(name: string): boolean {
  return closedFunctions.has(name.toLowerCase());
}

export function isOpenTableFunction(name: string): boolean {
  return tableFunctions.has(name.toLowerCase());
}

export function isClosedTableFunction(name: string): boolean {
  return closedTableFunctions.has(name.toLowerCase());
}

/** An engine of tables or of databases. */
export function isOpenEngine(name: string): boolean {
  return storage.has(name.toLowerCase());
}

export function isIndexType(name: string): boolean {
  return indexTypes.has(name.toLowerCase());
}

export function isCodec(name: string): boolean {
  return codecs.has(name.toLowerCase());
}

export function isOpenFormat(name: string): boolean {
  return formats.has(name.toLowerCase());
}

export function isClosedFormat(name: string): boolean {
  return closedFormats.has(name.toLowerCase());
}

export function isOpenSetting(name: string): boolean {
  return settings.has(name);
}

export function isFrontSetting(name: string): boolean {
  return frontSettings.has(name);
}

/** Of a table, or of a view that refreshes itself. */
export function isOpenTableSetting(name: string): boolean {
  return tableSettings.has(name);
}

/** `sumIf`, `uniqArrayState`: combinators hang at the end, several of them one after another. */
function isAggregate(key: string): boolean {
  if (aggregates.has(key)) return true;
  return combinators.some((combinator) => {
    const base = key.slice(0, -combinator.length);
    return base !== '' && key.endsWith(combinator) && !closedFunctions.has(base) && isAggregate(base);
  });
}
