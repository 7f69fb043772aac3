/**
 * `GET /v1/queries` and `GET /v1/queries/{query}?param.NAME=VALUE&format=…`: the named queries of the running version, asked
 * with values only. ClickHouse gets the values as parameters of the request, and the statement with the rights of a client
 * from outside. Called by engine/requests.ts on the main thread; null where the path is another's.
 */

import { lookup } from '../../native-free-core/base/lookup.ts';
import { nearest } from '../../native-free-core/base/nearest.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import type { ClientQuestion } from '../contract/named-queries.ts';
import { OperatingError } from '../errors.ts';
import { answerJson, TIME_SETTINGS } from './rows-as-json.ts';
import { bind, ofPipeline, type NamedQuery } from './named-query.ts';
import { shippedQueries } from './shipped-queries.ts';

export interface QueryRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
}

export interface QueryResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export interface QuerySources {
  /** The version that decides. */
  readonly plan: () => Plan;
  /** Asks ClickHouse with the rights of a client. Throws an OperatingError. */
  readonly read: (sql: string, question: ClientQuestion) => Promise<Uint8Array>;
}

interface Format {
  readonly clickhouse: string;
  readonly type: string;
}

const FORMATS: Readonly<Record<string, Format>> = {
  json: { clickhouse: 'JSONCompact', type: 'application/json' },
  csv: { clickhouse: 'CSVWithNames', type: 'text/csv; charset=utf-8' },
  arrow: { clickhouse: 'ArrowStream', type: 'application/vnd.apache.arrow.stream' },
  parquet: { clickhouse: 'Parquet', type: 'application/vnd.apache.parquet' },
};

const PATH = '/v1/queries';
const PARAMETER = 'param.';
/** At once; the main thread keeps each answer whole. */
const RUNNING_MAX = 4;
const BYTES_MAX = 32 << 20;

const STATUS: Readonly<Record<string, number>> = {
  unknown_query: 404,
  busy: 429,
  query_failed: 422,
  query_too_large: 422,
  query_timeout: 422,
  clickhouse_unreachable: 503,
};

export function queryRequests(
  sources: QuerySources,
): (request: QueryRequest) => QueryResponse | Promise<QueryResponse> | null {
  let of: { readonly plan: Plan; readonly queries: ReadonlyMap<string, NamedQuery> } | null = null;
  const queries = (): ReadonlyMap<string, NamedQuery> => {
    const plan = sources.plan();
    if (of?.plan !== plan) of = { plan, queries: queriesOf(plan) };
    return of.queries;
  };
  let running = 0;
  const run = async (name: string, query: string): Promise<QueryResponse> => {
    if (running === RUNNING_MAX)
      return failed(
        new OperatingError('busy', `queries run already: at_once=${running}; ask again in a moment`, {
          retryable: true,
        }),
      );
    running++;
    try {
      return await answer(sources, found(queries(), name), query);
    } catch (error) {
      return failed(error);
    } finally {
      running--;
    }
  };
  return ({ method, path, query }) => {
    if (path !== PATH && !path.startsWith(`${PATH}/`)) return null;
    if (method !== 'GET') return failure(405, 'method_not_allowed', `${path} answers GET only: method=${method}`);
    return path === PATH ? listed(queries()) : run(path.slice(PATH.length + 1), query);
  };
}

/** The pipeline's own stand before what is shipped under the same name. */
function queriesOf(plan: Plan): ReadonlyMap<string, NamedQuery> {
  const all = [...shippedQueries(plan), ...(plan.queries ?? []).map(ofPipeline)];
  return new Map(all.map((query) => [query.name, query]));
}

function found(queries: ReadonlyMap<string, NamedQuery>, name: string): NamedQuery {
  const query = queries.get(name);
  if (query !== undefined) return query;
  const close = nearest(name, [...queries.keys()]);
  const meant = close === undefined ? '' : `; did you mean ${close}?`;
  throw new OperatingError(
    'unknown_query',
    `no query of this name: ${name.slice(0, 80)}${meant}; GET ${PATH} names them`,
  );
}

function listed(queries: ReadonlyMap<string, NamedQuery>): QueryResponse {
  return json(200, { queries: [...queries.values()] });
}

async function answer(sources: QuerySources, query: NamedQuery, text: string): Promise<QueryResponse> {
  const { format: name, texts } = asked(text);
  const format = lookup(FORMATS, name);
  if (format === undefined)
    throw new OperatingError(
      'bad_parameter',
      `unknown format: format=${name.slice(0, 40)}; write one of ${Object.keys(FORMATS).join(', ')}`,
    );
  const { sql, values, given } = bind(query, texts);
  const begun = performance.now();
  const bytes = await sources.read(sql, {
    parameters: Object.fromEntries(values),
    settings: {
      max_execution_time: String(query.msMax / 1000),
      max_result_rows: String(query.rowsMax),
      max_result_bytes: String(BYTES_MAX),
      result_overflow_mode: 'throw',
      ...(name === 'json' ? TIME_SETTINGS : {}),
    },
    format: format.clickhouse,
    bytesMax: BYTES_MAX,
  });
  const headers = { 'content-type': format.type, 'cache-control': 'no-store' };
  if (name !== 'json') return { status: 200, headers, body: bytes };
  const seconds = (performance.now() - begun) / 1000;
  return { status: 200, headers, body: answerJson(query.name, given, bytes, seconds) };
}

/** Names have been held against the route; each stands once. */
function asked(query: string): { readonly format: string; readonly texts: ReadonlyMap<string, string> } {
  let format = 'json';
  const texts = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === 'format') format = value;
    else if (name.startsWith(PARAMETER)) texts.set(name.slice(PARAMETER.length), value);
  }
  return { format, texts };
}

function failed(error: unknown): QueryResponse {
  if (!(error instanceof OperatingError)) throw error;
  const response = failure(lookup(STATUS, error.code) ?? 400, error.code, error.message);
  return error.retryable ? { ...response, headers: { ...response.headers, 'retry-after': '1' } } : response;
}

function failure(status: number, code: OperatingError['code'], message: string): QueryResponse {
  return json(status, { error: { code, message } });
}

function json(status: number, body: object): QueryResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
