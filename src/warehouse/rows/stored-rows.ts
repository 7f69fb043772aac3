/**
 * Stored rows of one entity, in the order of its state, from ClickHouse into columns: what a feature needs that came later
 * than its events. Streams: memory is one block here, and ClickHouse sorts on its disk where it must. Called by
 * fill-from-rows.ts.
 */

import { BLOCK_ROWS_MAX } from '../../../native-free-core/layout/limits.ts';
import { HEAP_BYTES, resetColumn, type Column } from '../../../native-free-core/layout/column.ts';
import type { EntityPlan, Plan } from '../../../native-free-core/plan/plan.ts';
import type { Dictionary } from '../../../native-free-core/state/dictionary.ts';
import { OperatingError } from '../../errors.ts';
import { eventsSource, type EventsSource, type PositionRange } from '../../contract/events-source.ts';
import type { Position } from '../../contract/event-log.ts';
import { quoteName } from '../../contract/sql-text.ts';
import { INCOMPLETE, numberReader, readerOf, selectOf, type RowBytes } from './row-binary.ts';

export interface RowsAddress {
  readonly url: string;
  readonly database: string;
  readonly username: string;
  readonly password: string;
}

/** Which rows of `events`, in which order, into which columns. */
export interface RowsRequest {
  readonly address: RowsAddress;
  /** The plan's columns; those of `needed` are filled. */
  readonly columns: readonly Column[];
  readonly needed: readonly number[];
  /** Whole numbers below 2^53 that no column of the plan holds, and where they go. */
  readonly numbers?: readonly { readonly sql: string; readonly into: Float64Array }[];
  readonly dictionary: Dictionary;
  readonly range: PositionRange;
  /** Of these rows those that are wanted. */
  readonly where: string;
  readonly orderBy: string;
  /** Of so many rows in the columns; they are reset afterwards. */
  readonly onRows: (rows: number) => void;
  /** Threads that ClickHouse may take; default: one, since events are decided meanwhile. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

/** All rows of one entity up to an epoch. */
export interface EntityRows {
  readonly plan: Plan;
  readonly entity: EntityPlan;
  /** Number of the log that brought them. */
  readonly log: number;
  /** Epochs up to this one. */
  readonly throughEpoch: Position;
}

const SORT_BYTES_MAX = 1_000_000_000;
const QUERY_SECONDS_MAX = 86_400;
/** A block with fewer bytes of texts left than this takes no more rows. */
const HEAP_RESERVE_BYTES = 1 << 20;

export async function readRows(request: RowsRequest): Promise<void> {
  const { columns, needed, numbers = [], dictionary, orderBy } = request;
  const { from: source, where } = eventsSource(request.range, request.address.database);
  const fields = [
    ...needed.map((column) => selectOf(columns[column]!.plan)),
    ...numbers.map(({ sql }) => `toUInt64(${sql})`),
  ];
  const response = await ask(
    request,
    `SELECT ${fields.join(', ')} FROM ${source} WHERE ${request.where} AND ${where} ORDER BY ${orderBy} FORMAT RowBinary`,
  );
  const readers = [
    ...needed.map((column) => readerOf(columns[column]!, dictionary)),
    ...numbers.map(({ into }) => numberReader(into)),
  ];
  const heaps = needed.map((column) => columns[column]!).filter(({ heap }) => heap.length > 0);
  const from: RowBytes = { bytes: new Uint8Array(0), view: new DataView(new ArrayBuffer(0)), at: 0, end: 0 };
  let rows = 0;
  const reset = (count: number): void => {
    for (const column of needed) columns[column]!.touched = true;
    for (const column of columns) resetColumn(column, count);
    rows = 0;
  };
  const finish = (): void => {
    for (const column of needed) columns[column]!.touched = true;
    request.onRows(rows);
    reset(rows);
  };
  // An attempt that broke off has left some.
  reset(BLOCK_ROWS_MAX);
  for await (const chunk of chunksOf(response)) {
    append(from, chunk);
    while (from.at < from.end) {
      if (!readRow(readers, from, rows)) break;
      if (++rows === BLOCK_ROWS_MAX || heaps.some(({ heapEnd }) => heapEnd > HEAP_BYTES - HEAP_RESERVE_BYTES)) finish();
    }
  }
  if (from.at < from.end) {
    const text = new TextDecoder().decode(from.bytes.subarray(from.at, Math.min(from.end, from.at + 500)));
    throw new OperatingError('rows_unreadable', `ClickHouse ended in the middle of a row: ${text}`, {
      retryable: true,
    });
  }
  if (rows > 0) finish();
}

/** Rows that the request would give. */
export async function countStoredRows(request: Pick<RowsRequest, 'address' | 'signal'> & EntityRows): Promise<number> {
  const { address, log, throughEpoch } = request;
  return countRows(request, eventsSource({ log, throughEpoch }, address.database), entityCondition(request));
}

/** Rows of the source that meet the condition. */
export async function countRows(
  request: Pick<RowsRequest, 'address' | 'threads' | 'signal'>,
  { from, where }: EventsSource,
  condition: string,
): Promise<number> {
  const [line] = await askLines(request, `SELECT count() FROM ${from} WHERE ${condition} AND ${where}`);
  return Number(line![0]);
}

/** Lines of a SELECT, each as its texts. */
export async function askLines(
  request: Pick<RowsRequest, 'address' | 'threads' | 'signal'>,
  sql: string,
): Promise<string[][]> {
  const response = await ask(request, `${sql} FORMAT JSONCompactStringsEachRow`);
  const text = await response.text();
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as string[]]));
}

/** The rows that moved this entity's state. */
export function entityCondition({ plan, entity }: Pick<EntityRows, 'plan' | 'entity'>): string {
  return `${quoteName(plan.columns[entity.seqColumn]!.name)} > 0`;
}

/** The order of an entity's state. */
export function entityOrder({ plan, entity }: Pick<EntityRows, 'plan' | 'entity'>): string {
  return [entity.lifeColumn, entity.seqColumn].map((column) => quoteName(plan.columns[column]!.name)).join(', ');
}

/** A query that fails after its first rows breaks the connection off. */
async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  try {
    yield* response.body as unknown as AsyncIterable<Uint8Array>;
  } catch (cause) {
    const why = cause instanceof Error && cause.cause instanceof Error ? ` (${cause.cause.message})` : '';
    const message = `ClickHouse broke off in the middle of the stored rows: ${String(cause)}${why}; its log says why`;
    throw new OperatingError('rows_broken_off', message, { cause, retryable: true });
  }
}

/** false: the row is not whole; it is read again when more has come. */
function readRow(readers: readonly ((from: RowBytes, r: number) => void)[], from: RowBytes, row: number): boolean {
  const begin = from.at;
  try {
    for (const read of readers) read(from, row);
    return true;
  } catch (error) {
    if (error !== INCOMPLETE) throw error;
    from.at = begin;
    return false;
  }
}

function append(from: RowBytes, chunk: Uint8Array): void {
  const left = from.end - from.at;
  const bytes = left === 0 ? chunk : new Uint8Array(left + chunk.length);
  if (left > 0) {
    bytes.set(from.bytes.subarray(from.at, from.end), 0);
    bytes.set(chunk, left);
  }
  from.bytes = bytes;
  from.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  from.at = 0;
  from.end = bytes.length;
}

async function ask(
  { address, threads = 1, signal }: Pick<RowsRequest, 'address' | 'threads' | 'signal'>,
  sql: string,
): Promise<Response> {
  const url = new URL(address.url);
  const settings = {
    database: address.database,
    max_bytes_before_external_sort: String(SORT_BYTES_MAX),
    max_execution_time: String(QUERY_SECONDS_MAX),
    max_threads: String(threads),
  };
  for (const [name, value] of Object.entries(settings)) url.searchParams.set(name, value);
  const credentials = Buffer.from(`${address.username}:${address.password}`).toString('base64');
  const response = await fetch(url, {
    method: 'POST',
    body: sql,
    headers: { authorization: `Basic ${credentials}` },
    ...(signal === undefined ? {} : { signal }),
  }).catch((cause: unknown) => {
    throw new OperatingError('rows_unreadable', `ClickHouse does not answer: url=${address.url}`, {
      cause,
      retryable: true,
    });
  });
  if (response.ok) return response;
  const reason = (await response.text()).trim().slice(0, 500);
  throw new OperatingError('rows_unreadable', `ClickHouse does not give the stored rows: ${reason}`, {
    retryable: true,
  });
}
