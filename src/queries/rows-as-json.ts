/**
 * What ClickHouse answers in JSONCompact, as this engine writes JSON: rows as objects, integers of 64 bits as texts, times
 * as milliseconds since 1970, columns with their types. Called by query-requests.ts.
 */

import type { QueryAnswer } from '../contract/named-queries.ts';

/** So that times come as seconds with their fraction, whatever the zone. */
export const TIME_SETTINGS: Readonly<Record<string, string>> = {
  date_time_output_format: 'unix_timestamp',
  output_format_json_quote_64bit_integers: '1',
  output_format_json_quote_denormals: '1',
};

interface Compact {
  readonly meta: readonly { readonly name: string; readonly type: string }[];
  readonly data: readonly (readonly unknown[])[];
}

const TIME = /^(?:Nullable\()?DateTime(?:64)?\b/;

export function answerJson(
  query: string,
  given: ReadonlyMap<string, string>,
  bytes: Uint8Array,
  seconds: number,
): string {
  const { meta, data } = JSON.parse(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'),
  ) as Compact;
  const isTime = meta.map(({ type }) => TIME.test(type));
  const columns = meta.map(({ name, type }, i) => ({ name, type: isTime[i] ? 'time' : type }));
  const rows = data.map((values) =>
    Object.fromEntries(values.map((value, i) => [meta[i]!.name, isTime[i] ? milliseconds(value) : value])),
  );
  const answer: QueryAnswer = {
    query,
    parameters: Object.fromEntries(given),
    columns,
    rows,
    rowCount: rows.length,
    seconds: Math.round(seconds * 1000) / 1000,
  };
  return JSON.stringify(answer);
}

/** `1796093060.937` or 1796093060. */
function milliseconds(value: unknown): number | null {
  return value === null ? null : Math.round(Number(value) * 1000);
}
