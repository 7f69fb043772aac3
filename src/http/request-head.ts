/**
 * The head of a request, copied out of the library that read it, and what makes a head unfit to be acted on whoever the library is:
 * names that may come once only, and bodies whose length two readers could understand differently. Made by uws.ts and node.ts.
 */

import { reasonOf } from './status.ts';

/** Read differently by the first and by the last of two, these have let requests be smuggled past proxies and checks. */
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
    const before = this.#headers.get(name);
    if (before !== undefined && ONCE_ONLY.has(name)) this.#twice = name;
    this.#headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }

  /** By its name in lower case; '': not sent. */
  header(name: string): string {
    return this.#headers.get(name) ?? '';
  }

  /** Address of the client, or of the proxy before it. To be read in the request's handler, while the connection is there. */
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
    if (this.#twice !== '')
      return { status: 400, message: `given more than once: header=${this.#twice}; send it once` };
    const coding = this.header('transfer-encoding');
    if (coding !== '' && coding.toLowerCase() !== 'chunked')
      return { status: 501, message: `unknown transfer coding: transfer-encoding=${coding}; send chunked or a length` };
    return null;
  }
}

/** A problem's answer as every kind of client can read it. */
export function problemBody({ status, message }: HeadProblem): string {
  return JSON.stringify({ error: { code: reasonOf(status).toLowerCase().replaceAll(' ', '_'), message } });
}
