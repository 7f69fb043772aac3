/** What the load generator learns from outside: the server's description, ClickHouse over HTTP, processes from /proc. */

import { readFileSync } from 'node:fs';
import { OperatingError } from '../../errors.ts';

export interface ServerFacts {
  readonly pid: number;
  readonly workers: number;
  readonly clickhouse: { readonly url: string; readonly database: string; readonly pid?: number };
}

export function httpUrl(text: string): URL {
  try {
    const url = new URL(text.replace(/^ws/, 'http'));
    if (url.protocol === 'http:') return url;
  } catch {
    // Falls through to the error below.
  }
  throw new OperatingError('bad_url', `not a server's address: url=${text}; write http://127.0.0.1:8700`);
}

export async function getJson<T>(url: URL, path: string, key: string | undefined): Promise<T> {
  let response: Response;
  try {
    response = await fetch(new URL(path, url), {
      headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    });
  } catch (cause) {
    throw new OperatingError('server_unreachable', `no server answers: url=${url.href}; start one with hunt serve`, {
      cause,
    });
  }
  if (!response.ok)
    throw new OperatingError(
      'server_refused',
      `the server refused: path=${path} status=${response.status} body=${(await response.text()).slice(0, 300)}`,
    );
  return (await response.json()) as T;
}

/** Rows of a SELECT over ClickHouse's HTTP interface. */
export async function askClickHouse<Row>(clickhouse: string, sql: string): Promise<Row[]> {
  const url = new URL(clickhouse);
  const headers: Record<string, string> = {};
  if (url.username !== '')
    headers['authorization'] =
      `Basic ${Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString('base64')}`;
  const response = await fetch(`${url.origin}/?default_format=JSONEachRow&output_format_json_quote_64bit_integers=0`, {
    method: 'POST',
    body: sql,
    headers,
  });
  const text = await response.text();
  if (!response.ok) throw new OperatingError('clickhouse_refused', `ClickHouse refused a query: ${text.slice(0, 500)}`);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
}

/** CPU seconds used so far, and resident bytes; zeros for a process that is not there. */
export function processFigures(pid: number | undefined): { cpuSeconds: number; rssBytes: number } {
  if (pid === undefined) return { cpuSeconds: 0, rssBytes: 0 };
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // User and system time in ticks of 10 ms, resident pages of 4 KiB (proc(5), fields 14, 15 and 24).
    return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100, rssBytes: Number(fields[21]) * 4096 };
  } catch {
    return { cpuSeconds: 0, rssBytes: 0 };
  }
}
