/**
 * Whether ClickHouse answers: one small SELECT from the engine's own table, as its own user, who stands behind no other's
 * queries. Main thread.
 */

import type { ClickHouse } from './clickhouse.ts';
import { eventsSource } from '../contract/events-source.ts';

const ERROR_LENGTH_MAX = 300;

/** Rejects where it does not, or not before `signal` is aborted. */
export async function probeQueries(clickhouse: ClickHouse, signal: AbortSignal): Promise<void> {
  const { url, database, username, password } = clickhouse;
  const response = await fetch(`${url}/`, {
    method: 'POST',
    body: `SELECT _batch FROM ${eventsSource('all', database).from} LIMIT 0 FORMAT TSV`,
    headers: { 'X-ClickHouse-User': username, 'X-ClickHouse-Key': password },
    signal,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`status=${response.status} ${text.slice(0, ERROR_LENGTH_MAX)}`);
}
