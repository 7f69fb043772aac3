/** A client's question over the engine's connection, with a client's rights, and what ClickHouse has against it. */

import { ClickHouseError } from '@clickhouse/client';
import type { ClientQuestion } from '../contract/named-queries.ts';
import { OperatingError } from '../errors.ts';
import { messageOf } from './insert/clickhouse-errors.ts';
import type { Connection } from './insert/connection.ts';

/** By ClickHouse's codes: TIMEOUT_EXCEEDED, TOO_SLOW; TOO_MANY_ROWS, TOO_MANY_BYTES, …_OR_BYTES. */
const TIMEOUT = new Set(['159', '160']);
const TOO_LARGE = new Set(['158', '307', '396']);
const BUSY = '202';

export async function askForClient(connection: Connection, sql: string, question: ClientQuestion): Promise<Uint8Array> {
  try {
    return await connection.readForClient(sql, question);
  } catch (error) {
    throw error instanceof OperatingError ? error : refusal(error);
  }
}

function refusal(cause: unknown): OperatingError {
  const reason = messageOf(cause);
  if (!(cause instanceof ClickHouseError))
    return new OperatingError(
      'clickhouse_unreachable',
      `ClickHouse does not answer: ${reason}; ask again in a moment`,
      {
        cause,
        retryable: true,
      },
    );
  if (TIMEOUT.has(cause.code))
    return new OperatingError('query_timeout', `the query takes longer than it may: ${reason}`, { cause });
  if (TOO_LARGE.has(cause.code))
    return new OperatingError('query_too_large', `the answer is larger than it may be: ${reason}`, { cause });
  if (cause.code === BUSY)
    return new OperatingError('busy', `ClickHouse has too many queries: ${reason}`, { cause, retryable: true });
  return new OperatingError('query_failed', `ClickHouse refuses the query: ${reason}`, { cause });
}
