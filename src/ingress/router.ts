/** Which handler a request goes to, by method and path. Filled by the serve… functions of an ingress thread, asked for each request. */

import type { RequestHead } from '../http/request-head.ts';
import type { Exchange } from '../http/transport.ts';

/** `parameters`: the path's segments that stand where the pattern has names, as they were sent. */
export type Handle = (head: RequestHead, exchange: Exchange, parameters: readonly string[]) => void;

interface Route {
  readonly method: string;
  readonly segments: readonly string[];
  readonly handle: Handle;
}

const ANY_METHOD = '*';

export class Router {
  readonly #routes: Route[] = [];

  /** `path`: segments, `:name` for any one that is not empty, a `*` at the end for any rest. The first that fits is taken. */
  on(method: string, path: string, handle: Handle): void {
    this.#routes.push({ method, segments: path.split('/'), handle });
  }

  /** A HEAD goes where its GET would: its answer's body is left out on the way. */
  handle(head: RequestHead, exchange: Exchange): void {
    const method = head.method === 'HEAD' ? 'GET' : head.method;
    const segments = head.path.split('/');
    for (const route of this.#routes) {
      if (route.method !== ANY_METHOD && route.method !== method) continue;
      const parameters = match(route.segments, segments);
      if (parameters !== null) return route.handle(head, exchange, parameters);
    }
  }
}

function match(pattern: readonly string[], path: readonly string[]): string[] | null {
  const parameters: string[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const expected = pattern[i]!;
    if (expected === '*') return parameters;
    const found = path[i];
    if (found === undefined) return null;
    if (expected.startsWith(':')) {
      if (found === '') return null;
      parameters.push(found);
    } else if (expected !== found) return null;
  }
  return pattern.length === path.length ? parameters : null;
}
