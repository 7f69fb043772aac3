/** Response headers of ClickHouse's HTTP interface. Pure. Child process. */
import type { QueryResult } from './chdb.ts';
import type { Headers } from './reply.ts';

const CONTENT_TYPES: readonly (readonly [RegExp, string])[] = [
  [/^JSON(Strings)?(Compact)?(Strings)?EachRow/, 'application/x-ndjson; charset=UTF-8'],
  [/^JSON/, 'application/json; charset=UTF-8'],
  [/^CSV.*Names/, 'text/csv; charset=UTF-8; header=present'],
  [/^CSV/, 'text/csv; charset=UTF-8; header=absent'],
  [/^(TSV|TabSeparated)/, 'text/tab-separated-values; charset=UTF-8'],
  [/^XML/, 'application/xml; charset=UTF-8'],
  [/^(Native|RowBinary|Parquet|Arrow|ORC|Avro|Npy|BSON|MsgPack|Protobuf)/, 'application/octet-stream'],
];

export interface HeaderContext {
  readonly queryId: string;
  readonly timezone: string;
  /** Everything received before it was visible when the request came, ms UTC; 0: not known yet, and then not told. */
  readonly watermark: number;
}

/** The server closes a connection that is idle for 10 s; clients are told less, so that they close first. */
const KEEP_ALIVE = 'timeout=8';

export function commonHeaders(context: HeaderContext): Headers {
  return {
    'X-ClickHouse-Query-Id': context.queryId,
    'X-ClickHouse-Server-Display-Name': 'embedded',
    'X-ClickHouse-Timezone': context.timezone,
    ...(context.watermark === 0 ? {} : { 'X-Hunt-Watermark': new Date(context.watermark).toISOString() }),
    'Keep-Alive': KEEP_ALIVE,
  };
}

export function resultHeaders(context: HeaderContext, format: string, encoding: string | undefined): Headers {
  const contentType = CONTENT_TYPES.find(([pattern]) => pattern.test(format))?.[1] ?? 'text/plain; charset=UTF-8';
  return {
    ...commonHeaders(context),
    'Content-Type': contentType,
    'X-ClickHouse-Format': format,
    ...(encoding === undefined ? {} : { 'Content-Encoding': encoding }),
  };
}

/** Counts as decimal strings, as ClickHouse writes them. */
export function summaryHeader(answer: QueryResult | undefined, isInsert: boolean): Headers {
  const rows = String(answer?.rowsRead ?? 0);
  const bytes = String(answer?.bytesRead ?? 0);
  const summary = {
    read_rows: rows,
    read_bytes: bytes,
    written_rows: isInsert ? rows : '0',
    written_bytes: isInsert ? bytes : '0',
    total_rows_to_read: '0',
    // What the engine's library counts are the rows that it handed out.
    result_rows: rows,
    result_bytes: bytes,
    elapsed_ns: String(Math.round((answer?.elapsedSeconds ?? 0) * 1e9)),
  };
  return { 'X-ClickHouse-Summary': JSON.stringify(summary) };
}
