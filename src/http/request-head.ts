/**
 * The head of a request, copied out of the library that read it, and what makes a head unfit to be acted on whoever the
 * library is: names that may come once only, and bodies whose length two readers could understand differently. Made by
 * uws.ts and node.ts.
 */

import { reasonPhrase } from './status.ts';

/**
 * Read differently by the first and by the last of two, such names have let requests be smuggled past proxies and checks.
 */
const ONCE_ONLY = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'content-type',
  'authorization',
  'origin',
  'x-hunt-key',
  'x-clickhouse-key',
  'x-clickhouse-user',
]);

/** Bounds of all that is served; a query in a URL may be as long as ClickHouse's own server takes it. */
export const URL_BYTES_MAX = 1 << 20;
export const HEADER_BYTES_MAX = 16 << 10;
const HEADERS_MAX = 100;

/** What is wrong with a head; the connection ends behind the answer. */
export interface HeadProblem {
  readonly status: number;
  readonly message: string;
}

export class RequestHead {
  /** Upper case. */
  readonly method: string;
  /** As it was sent: nothing is decoded. */
  readonly path: string;
  /** Without its question mark; '': none. */
  readonly query: string;
  readonly #headers = new Map<string, string>();
  #twice = '';
  #count = 0;
  #bytes = 0;
  #parameters: URLSearchParams | undefined;
  readonly #remoteOf: () => string;

  constructor(method: string, path: string, query: string, remoteOf: () => string) {
    this.method = method;
    this.path = path;
    this.query = query;
    this.#remoteOf = remoteOf;
  }

  /** `name` in lower case. Several of one name are one list, as RFC 9110 5.3 has it. */
  add(name: string, value: string): void {
    this.#count++;
    this.#bytes += name.length + value.length;
    const before = this.#headers.get(name);
    if (before !== undefined && ONCE_ONLY.has(name)) this.#twice = name;
    this.#headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }

  /** By its name in lower case; '': not sent. */
  header(name: string): string {
    return this.#headers.get(name) ?? '';
  }

  /**
   * Address of the client, or of the proxy before it. To be read in the request's handler, while the connection is there.
   */
  get remote(): string {
    return this.#remoteOf();
  }

  get headers(): ReadonlyMap<string, string> {
    return this.#headers;
  }

  /** Of the query, decoded. */
  parameter(name: string): string | undefined {
    if (this.query === '') return undefined;
    this.#parameters ??= new URLSearchParams(this.query);
    return this.#parameters.get(name) ?? undefined;
  }

  /** null: it may be acted on. */
  get problem(): HeadProblem | null {
    if (this.#count > HEADERS_MAX || this.#bytes > HEADER_BYTES_MAX)
      return { status: 431, message: `too much in the head: headers=${this.#count} bytes=${this.#bytes}; send less` };
    if (this.path.length + this.query.length > URL_BYTES_MAX)
      return { status: 414, message: `the URL is too long; send at most ${URL_BYTES_MAX} bytes` };
    if (this.#twice !== '')
      return { status: 400, message: `given more than once: header=${this.#twice}; send it once` };
    const coding = this.header('transfer-encoding');
    if (coding !== '' && coding.toLowerCase() !== 'chunked')
      return { status: 501, message: `unknown transfer coding: transfer-encoding=${coding}; send chunked or a length` };
    const expect = this.header('expect');
    if (expect !== '' && expect.toLowerCase() !== '100-continue')
      return { status: 417, message: `unknown expectation: expect=${expect}; send 100-continue or none` };
    return null;
  }
}

/** A problem's answer as every kind of client can read it. */
export function problemBody({ status, message }: HeadProblem): string {
  return JSON.stringify({ error: { code: reasonPhrase(status).toLowerCase().replaceAll(' ', '_'), message } });
}
