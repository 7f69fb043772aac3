/**
 * Values of a query's parameters: what a caller may write for each type, and what ClickHouse is then given. A value reaches
 * it as a parameter of the request, never as part of the statement. Used by the compiler for defaults, by src/queries for
 * what comes in.
 */

interface ValueType {
  /** For messages: what to write. */
  readonly expected: string;
  /** As ClickHouse reads it; null: it is none. */
  read(text: string): string | null;
}

/** Of a text value: more would not fit into the head of a request. */
const TEXT_LENGTH_MAX = 2000;
/** DateTime64 ends with 2299. */
const MS_MAX = Date.UTC(2299, 11, 31);
const SECONDS_MAX = 2 ** 32 - 1;
const TIME_EXPECTED = 'a time such as 2026-12-31T23:59:59Z, or milliseconds since 1970';

const TYPES: Readonly<Record<string, ValueType>> = {
  Int8: whole(-(2n ** 7n), 2n ** 7n - 1n),
  Int16: whole(-(2n ** 15n), 2n ** 15n - 1n),
  Int32: whole(-(2n ** 31n), 2n ** 31n - 1n),
  Int64: whole(-(2n ** 63n), 2n ** 63n - 1n),
  UInt8: whole(0n, 2n ** 8n - 1n),
  UInt16: whole(0n, 2n ** 16n - 1n),
  UInt32: whole(0n, 2n ** 32n - 1n),
  UInt64: whole(0n, 2n ** 64n - 1n),
  Float32: { expected: 'a number', read: readNumber },
  Float64: { expected: 'a number', read: readNumber },
  String: {
    expected: `a text of at most ${TEXT_LENGTH_MAX} characters, without NUL`,
    read: (text) => (text.length <= TEXT_LENGTH_MAX && !text.includes('\0') ? text : null),
  },
  Bool: { expected: 'true or false', read: (text) => (text === 'true' || text === 'false' ? text : null) },
  Date: { expected: 'a day such as 2026-12-31', read: readDay },
  DateTime: { expected: TIME_EXPECTED, read: (text) => readTime(text, 0) },
  'DateTime64(3)': { expected: TIME_EXPECTED, read: (text) => readTime(text, 3) },
  "DateTime64(3, 'UTC')": { expected: TIME_EXPECTED, read: (text) => readTime(text, 3) },
};

const BY_NAME = new Map(Object.entries(TYPES));

export const QUERY_TYPES: readonly string[] = Object.keys(TYPES);

/** As ClickHouse reads it; null where the text is no value of the type. */
export function queryValue(type: string, text: string): string | null {
  return BY_NAME.get(type)?.read(text) ?? null;
}

/** What a value of the type looks like. */
export function queryValueExpected(type: string): string {
  return BY_NAME.get(type)?.expected ?? `a value of ${type}`;
}

function whole(min: bigint, max: bigint): ValueType {
  return {
    expected: `a whole number from ${min} to ${max}`,
    read(text) {
      if (!/^-?[0-9]{1,20}$/.test(text)) return null;
      const value = BigInt(text);
      return value >= min && value <= max ? String(value) : null;
    },
  };
}

function readNumber(text: string): string | null {
  if (!/^[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?$/.test(text) || text.length > 40) return null;
  const value = Number(text);
  return Number.isFinite(value) ? String(value) : null;
}

function readDay(text: string): string | null {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text)) return null;
  const time = Date.parse(`${text}T00:00:00Z`);
  return Number.isFinite(time) && new Date(time).toISOString().startsWith(text) ? text : null;
}

/** Seconds since 1970, which mean the same in every zone of a server. */
function readTime(text: string, digits: 0 | 3): string | null {
  const isMs = /^[0-9]{1,14}$/.test(text);
  const isText =
    /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,3})?)?(?:Z|[-+][0-9]{2}:[0-9]{2})$/.test(
      text,
    );
  if (!isMs && !isText) return null;
  const ms = isMs ? Number(text) : Date.parse(text);
  if (!(ms >= 0 && ms <= MS_MAX)) return null;
  if (digits === 3) return (ms / 1000).toFixed(3);
  return ms / 1000 <= SECONDS_MAX ? String(Math.floor(ms / 1000)) : null;
}
