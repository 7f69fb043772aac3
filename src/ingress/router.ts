/**
 * What every request to the events' port passes before a handler sees it: host, origin, route, key, content type, announced length. The
 * serve… functions of an ingress thread register one handler for each `by` of the routes.
 */

import type { Door } from '../access/door.ts';
import type { FailedAttempts } from '../access/failed-attempts.ts';
import type { KeyHolder } from '../access/keys.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Exchange } from '../http/transport.ts';
import { endWith, type HttpProblem } from './http-answer.ts';
import { findRoute, type FoundRoute, type Route } from './routes.ts';

export interface Admitted extends FoundRoute {
  readonly holder: KeyHolder;
}

export type Handle = (head: RequestHead, exchange: Exchange, admitted: Admitted) => void;

const NOBODY: KeyHolder = { id: '', scopes: [] };

export class Router {
  readonly #door: Door;
  readonly #attempts: FailedAttempts;
  readonly #handlers = new Map<Route['by'], Handle>();

  constructor(door: Door, attempts: FailedAttempts) {
    this.#door = door;
    this.#attempts = attempts;
  }

  on(by: Route['by'], handle: Handle): void {
    this.#handlers.set(by, handle);
  }

  handle(head: RequestHead, exchange: Exchange): void {
    const admitted = this.admit(head);
    if ('status' in admitted) endWith(exchange, admitted);
    else this.#handlers.get(admitted.route.by)!(head, exchange, admitted);
  }

  /** For upgrades, too. */
  admit(head: RequestHead): Admitted | HttpProblem {
    const refusal = this.#door.refusal(head);
    if (refusal !== null) return refusal;
    const found = findRoute(head.method, head.path);
    if ('status' in found) return found;
    const { scope } = found.route;
    const holder = scope === 'open' ? NOBODY : this.#door.keys.find(keyOf(head));
    if (holder === null) {
      this.#attempts.note(`${head.method} ${head.path} from ${head.remote}`);
      return UNAUTHORIZED;
    }
    if (scope !== 'open' && !holder.scopes.includes(scope)) return outOfScope(found.route, scope);
    const problem = found.route.method === 'POST' ? bodyProblem(found.route, head) : null;
    return problem ?? { ...found, holder };
  }
}

function keyOf(head: RequestHead): string {
  const authorization = head.header('authorization');
  const bearer = /^Bearer /i.test(authorization) ? authorization.slice('Bearer '.length) : '';
  return bearer || head.header('x-hunt-key') || head.parameter('key') || '';
}

/** The content type without its parameters, in small letters. */
export function contentTypeOf(head: RequestHead): string {
  return head.header('content-type').split(';')[0]!.trim().toLowerCase();
}

function bodyProblem({ types, bytesMax }: Extract<Route, { method: 'POST' }>, head: RequestHead): HttpProblem | null {
  const type = contentTypeOf(head);
  if (!types.includes(type)) {
    const message = `unknown content type: content-type=${type || 'none'}; send ${types.join(', ')}`;
    return { status: 415, code: 'unknown_content_type', message };
  }
  if (Number(head.header('content-length')) > bytesMax) {
    const message = `the body has more than ${bytesMax} bytes; send less at a time`;
    return { status: 413, code: 'body_too_large', message };
  }
  return null;
}

const UNAUTHORIZED: HttpProblem = {
  status: 401,
  code: 'unauthorized',
  message: 'an API key is required: send Authorization: Bearer KEY, X-Hunt-Key: KEY or ?key=KEY',
  headers: { 'www-authenticate': 'Bearer' },
};

function outOfScope({ method, path }: Route, scope: string): HttpProblem {
  return {
    status: 403,
    code: 'out_of_scope',
    message: `this key may not do that: ${method} ${path} needs the scope ${scope}; use another key`,
  };
}
