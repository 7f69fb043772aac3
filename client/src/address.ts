/**
 * Where a server is. One address serves both doors, so `http://…` and `ws://…` name the same server. Used by all of client/
 * and src/client/.
 */

import { lookup } from '../../native-free-core/base/lookup.ts';
import { OperatingError } from '../../native-free-core/base/operating-error.ts';

export interface ServerAddress {
  /** Ends in `/`. */
  readonly http: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** The key that stands in the headers, for where none can be sent. */
  readonly key: string | undefined;
}

const HTTP_SCHEME: Readonly<Record<string, string>> = {
  'http:': 'http:',
  'https:': 'https:',
  'ws:': 'http:',
  'wss:': 'https:',
};

/** `key`: the API key that the server was started with. */
export function serverAddress(url: string, key: string | undefined): ServerAddress {
  const scheme = lookup(HTTP_SCHEME, /^[a-z]+:/i.exec(url)?.[0].toLowerCase() ?? '');
  const text = url.replace(/^[a-z]+:/i, scheme ?? '');
  const address = scheme !== undefined && URL.canParse(text) ? new URL(text) : null;
  if (address === null) {
    const advice = URL.canParse(`http://${url}`) ? `http://${url}` : 'http://127.0.0.1:8700';
    throw new OperatingError('bad_url', `not a server's address: url=${url}; write ${advice}`);
  }
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return { http: new URL('/', address), headers, key };
}

/** Address of `/v1/stream`, with the terms that hold for the whole connection. */
export function streamUrl(address: ServerAddress, terms: Readonly<Record<string, string>>): URL {
  const url = new URL('/v1/stream', address.http);
  url.protocol = address.http.protocol === 'https:' ? 'wss:' : 'ws:';
  for (const [name, value] of Object.entries(terms)) if (value !== '') url.searchParams.set(name, value);
  return url;
}

/** What went wrong on the way to a server, in words that say what to do. */
export function unreachable(address: ServerAddress, cause: unknown): OperatingError {
  const reason = reasonOf(cause);
  const advice = isPlainPort(cause)
    ? `this port speaks plain HTTP: write ${plainOrigin(address.http)}`
    : /ECONNREFUSED/.test(reason)
      ? 'nothing listens there: start the server with hunt serve, or name another by --url'
      : 'check the address and the network';
  return new OperatingError(
    'server_unreachable',
    `cannot reach the server: url=${address.http.origin} reason=${reason}; ${advice}`,
    { cause, retryable: true },
  );
}

/** A TLS handshake was answered by something that is no TLS. */
export function isPlainPort(cause: unknown): boolean {
  return /wrong version number|packet length too long|EPROTO|ERR_SSL/i.test(reasonOf(cause));
}

export function plainOrigin(url: URL): string {
  return url.origin.replace(/^https:/, 'http:');
}

/** What answers there is ClickHouse, or a front of it: every answer of its HTTP interface has headers of this name. */
export function isClickHouse(response: Response): boolean {
  return [...response.headers.keys()].some((name) => name.startsWith('x-clickhouse-'));
}

/** fetch() hides the reason in its cause, and several attempts in an AggregateError. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.cause !== undefined) return reasonOf(cause.cause);
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0]);
  const code = (cause as { readonly code?: string }).code;
  // One line: OpenSSL's messages have a line end of their own.
  return cause.message === '' ? (code ?? cause.name) : cause.message.trim().replace(/\s+/g, ' ');
}

/** `code=… message` of the server's error body, or the body itself. */
export function refusalText(body: string): string {
  try {
    const { error } = JSON.parse(body) as { error: { code: string; message: string } };
    return `code=${error.code}: ${error.message}`;
  } catch {
    return `body=${body.replace(/\s+/g, ' ').trim().slice(0, 300)}`;
  }
}
