/**
 * What ClickHouse's errors mean for a batch. Data: these rows will never go in as the table stands, so they are found and
 * put aside. Everything else is a state (memory, too many parts, read-only, network) and passes, so it is tried again.
 */

import { ClickHouseError } from '@clickhouse/client';

/** Codes by which a value is refused, whatever the state of the server. */
const DATA_CODES = new Map([
  [6, 'CANNOT_PARSE_TEXT'],
  [25, 'CANNOT_PARSE_ESCAPE_SEQUENCE'],
  [26, 'CANNOT_PARSE_QUOTED_STRING'],
  [27, 'CANNOT_PARSE_INPUT_ASSERTION_FAILED'],
  [38, 'CANNOT_PARSE_DATE'],
  [41, 'CANNOT_PARSE_DATETIME'],
  [53, 'TYPE_MISMATCH'],
  [69, 'ARGUMENT_OUT_OF_BOUND'],
  [70, 'CANNOT_CONVERT_TYPE'],
  [72, 'CANNOT_PARSE_NUMBER'],
  [117, 'INCORRECT_DATA'],
  [128, 'TOO_LARGE_ARRAY_SIZE'],
  [130, 'CANNOT_READ_ARRAY_FROM_TEXT'],
  [131, 'TOO_LARGE_STRING_SIZE'],
  [153, 'ILLEGAL_DIVISION'],
  [190, 'SIZES_OF_ARRAYS_DONT_MATCH'],
  [321, 'VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE'],
  [349, 'CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN'],
  [376, 'CANNOT_PARSE_UUID'],
  [395, 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO'],
  [407, 'DECIMAL_OVERFLOW'],
  [467, 'CANNOT_PARSE_BOOL'],
  [469, 'VIOLATED_CONSTRAINT'],
  [675, 'CANNOT_PARSE_IPV4'],
  [676, 'CANNOT_PARSE_IPV6'],
  [691, 'UNKNOWN_ELEMENT_OF_ENUM'],
]);

/** A column, a table, a database that is not there. */
const MISSING_CODES = new Set([16, 60, 81]);
/** Unknown user, wrong password, authentication failed: no repetition at start mends them. */
const CREDENTIAL_CODES = new Set([192, 193, 194, 516]);
const MESSAGE_CHARACTERS_MAX = 500;

function codeOf(error: unknown): number {
  return error instanceof ClickHouseError ? Number(error.code) : 0;
}

/** Why the data was refused, or null where the error is about something else. */
export function refusalOf(error: unknown): string | null {
  const name = DATA_CODES.get(codeOf(error));
  return name === undefined ? null : `${name}: ${messageOf(error)}`;
}

export function isMissing(error: unknown): boolean {
  return MISSING_CODES.has(codeOf(error));
}

export function isAboutCredentials(error: unknown): boolean {
  return CREDENTIAL_CODES.has(codeOf(error));
}

/** Short enough for a log line and a dead letter. */
export function messageOf(error: unknown): string {
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  const whole = code === 0 || text.includes(`Code: ${code}`) ? text : `Code: ${code}. ${text}`;
  return whole.length > MESSAGE_CHARACTERS_MAX ? `${whole.slice(0, MESSAGE_CHARACTERS_MAX)}…` : whole;
}
