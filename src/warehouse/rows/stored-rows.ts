/**
 * Stored rows of one entity, in the order of its state, from ClickHouse into columns: what a feature needs that came later than its
 * events. Streams: memory is one block here, and ClickHouse sorts on its disk where it must. Called by fill-from-rows.ts.
 */

import { BLOCK_ROWS_MAX } from '../../../native-free-core/layout/limits.ts';
import { resetColumn, type Column } from '../../../native-free-core/layout/column.ts';
import type { EntityPlan, Plan } from '../../../native-free-core/layout/plan.ts';
import type { Dictionary } from '../../../native-free-core/state/dictionary.ts';
import { OperatingError } from '../../errors.ts';
import { quoteName } from '../tables/index.ts';
import { INCOMPLETE, readerOf, selectOf, type RowBytes } from './row-binary.ts';

export interface RowsAddress {
  readonly url: string;
  readonly database: string;
  readonly username: string;
  readonly password: string;
}

export interface StoredRowsRequest {
  readonly address: RowsAddress;
  readonly plan: Plan;
  readonly entity: EntityPlan;
  /** The plan's columns; those of `needed` are filled. */
  readonly columns: readonly Column[];
  readonly needed: readonly number[];
  readonly dictionary: Dictionary;
  /** Epochs up to this one. */
  readonly throughEpoch: number;
  /** Of so many rows in the columns; they are reset afterwards. */
  readonly onRows: (rows: number) => void;
  readonly signal?: AbortSignal;
}

const SORT_BYTES_MAX = 1_000_000_000;
const QUERY_SECONDS_MAX = 86_400;

export async function readStoredRows(request: StoredRowsRequest): Promise<void> {
  const { plan, entity, columns, needed, dictionary } = request;
  const [seq, life] = [entity.seqColumn, entity.lifeColumn].map((column) => quoteName(plan.columns[column]!.name));
  const fields = needed.map((column) => selectOf(plan.columns[column]!));
  const response = await ask(
    request,
    `SELECT ${fields.join(', ')} FROM ${quoteName(request.address.database)}.events WHERE ${storedCondition(request)} ORDER BY ${life}, ${seq} FORMAT RowBinary`,
  );
  const readers = needed.map((column) => readerOf(columns[column]!, dictionary));
  const from: RowBytes = { bytes: new Uint8Array(0), view: new DataView(new ArrayBuffer(0)), at: 0, end: 0 };
  let rows = 0;
  const finish = (): void => {
    for (const column of needed) columns[column]!.touched = true;
    request.onRows(rows);
    for (const column of columns) resetColumn(column, rows);
    rows = 0;
  };
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    append(from, chunk);
    while (from.at < from.end) {
      if (!readRow(readers, from, rows)) break;
      if (++rows === BLOCK_ROWS_MAX) finish();
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
export async function countStoredRows(
  request: Omit<StoredRowsRequest, 'onRows' | 'columns' | 'needed' | 'dictionary'>,
): Promise<number> {
  const table = `${quoteName(request.address.database)}.events`;
  const response = await ask(request, `SELECT count() FROM ${table} WHERE ${storedCondition(request)} FORMAT TSV`);
  return Number(await response.text());
}

function storedCondition({
  plan,
  entity,
  throughEpoch,
}: Pick<StoredRowsRequest, 'plan' | 'entity' | 'throughEpoch'>): string {
  return `${quoteName(plan.columns[entity.seqColumn]!.name)} > 0 AND _epoch <= ${throughEpoch}`;
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

async function ask({ address, signal }: Pick<StoredRowsRequest, 'address' | 'signal'>, sql: string): Promise<Response> {
  const url = new URL(address.url);
  const settings = {
    database: address.database,
    max_bytes_before_external_sort: String(SORT_BYTES_MAX),
    max_execution_time: String(QUERY_SECONDS_MAX),
    // Events are decided meanwhile.
    max_threads: '1',
  };
  for (const [name, value] of Object.entries(settings)) url.searchParams.set(name, value);
  const credentials = Buffer.from(`${address.username}:${address.password}`).toString('base64');
  const response = await fetch(url, {
    method: 'POST',
    body: sql,
    headers: { authorization: `Basic ${credentials}` },
    ...(signal === undefined ? {} : { signal }),
  });
  if (response.ok) return response;
  const reason = (await response.text()).trim().slice(0, 500);
  throw new OperatingError('rows_unreadable', `ClickHouse does not give the stored rows: ${reason}`, {
    retryable: true,
  });
}
