/** Questions to ClickHouse over its own HTTP interface. Used by the commands; programs may use any ClickHouse client. */

import { OperatingError } from '../errors.ts';
import { isClickHouse, isPlainPort, plainOrigin, reasonOf } from '../../client/src/address.ts';
import type { HuntControl } from './control.ts';

/** Of the answer of something that is no ClickHouse. */
const BODY_SHOWN = 200;

export interface QueryTarget {
  readonly origin: string;
  readonly database: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** `http://user:password@host:8123/database` where given, else the one that the server names. */
export async function queryTarget(control: HuntControl, clickhouse: string | undefined): Promise<QueryTarget> {
  if (clickhouse === undefined) {
    const { url, database, embedded } = (await control.server()).clickhouse;
    // A ClickHouse elsewhere has users of its own: the server's key is none of its business.
    const headers: Record<string, string> =
      embedded && control.key !== undefined ? { 'x-clickhouse-key': control.key } : {};
    return { origin: reachable(new URL(url), control.address.http).origin, database, headers };
  }
  const url = URL.canParse(clickhouse) ? new URL(clickhouse) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new OperatingError(
      'bad_url',
      `not a ClickHouse address: clickhouse=${clickhouse}; write http://user:password@host:8123/database`,
    );
  }
  const credentials = [url.username, url.password].map(decodeURIComponent).join(':');
  const headers: Record<string, string> =
    url.username === '' ? {} : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
  return { origin: url.origin, database: decodeURIComponent(url.pathname.slice(1)) || 'hunt', headers };
}

/** A server that listens on all addresses is asked under the one by which it was found. */
function reachable(clickhouse: URL, server: URL): URL {
  if (!['0.0.0.0', '[::]'].includes(clickhouse.hostname)) return clickhouse;
  const url = new URL(clickhouse);
  url.hostname = server.hostname;
  return url;
}

/** The running answer to a statement. Throws with ClickHouse's own message where it refuses. */
export async function openQuery(
  target: QueryTarget,
  sql: string,
  settings: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<Response> {
  const url = new URL('/', target.origin);
  url.searchParams.set('database', target.database);
  for (const [name, value] of Object.entries(settings)) url.searchParams.set(name, value);
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      body: sql,
      headers: target.headers,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (cause) {
    const advice = isPlainPort(cause) ? `this port speaks plain HTTP: write ${plainOrigin(url)}` : 'is it running?';
    throw new OperatingError(
      'clickhouse_unreachable',
      `cannot reach ClickHouse: url=${target.origin} reason=${reasonOf(cause)}; ${advice}`,
      {
        cause,
        retryable: true,
      },
    );
  }
  if (response.ok) return response;
  const message = (await response.text()).trim();
  if (!isClickHouse(response)) {
    throw new OperatingError(
      'wrong_port',
      `no ClickHouse answers there: url=${target.origin} status=${response.status} body=${message.replace(/\s+/g, ' ').slice(0, BODY_SHOWN)}; name its HTTP port (8123 by default), for example http://127.0.0.1:8123`,
    );
  }
  throw new OperatingError(
    'query_failed',
    message === '' ? `ClickHouse refused the query: status=${response.status}` : message,
  );
}

/** All rows of a SELECT; 64-bit integers come as numbers. `timeoutMs`: given up after. */
export async function queryRows<Row>(target: QueryTarget, sql: string, timeoutMs: number): Promise<Row[]> {
  const settings = { default_format: 'JSONEachRow', output_format_json_quote_64bit_integers: '0' };
  const response = await openQuery(target, sql, settings, AbortSignal.timeout(timeoutMs));
  const text = await response.text();
  return text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Row);
}
