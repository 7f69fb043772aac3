/**
 * What every request to the events' port passes before a handler sees it: host, origin, route, key, names, content type,
 * announced length. The serve… functions of an ingress thread register one handler for each `by` of the routes.
 */

import type { Door } from '../access/door.ts';
import type { FailedAttempts } from '../access/failed-attempts.ts';
import type { KeyHolder } from '../access/keys.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Exchange } from '../http/transport.ts';
import { preflightHeaders, readableBy } from '../access/cors.ts';
import { endWith, type HttpProblem } from './http-answer.ts';
import { nameProblem } from './query-names.ts';
import type { RefusedChanges } from './refused-changes.ts';
import { allowedMethods, findRoute, type FoundRoute, type Route } from './routes.ts';

export interface Admitted extends FoundRoute {
  readonly holder: KeyHolder;
}

export type Handle = (head: RequestHead, exchange: Exchange, admitted: Admitted) => void;

const NOBODY: KeyHolder = { id: '', scopes: [] };

export class Router {
  readonly #door: Door;
  readonly #attempts: FailedAttempts;
  readonly #refusedChanges: RefusedChanges;
  readonly #handlers = new Map<Route['by'], Handle>();

  constructor(door: Door, attempts: FailedAttempts, refusedChanges: RefusedChanges) {
    this.#door = door;
    this.#attempts = attempts;
    this.#refusedChanges = refusedChanges;
  }

  on(by: Route['by'], handle: Handle): void {
    this.#handlers.set(by, handle);
  }

  handle(head: RequestHead, exchange: Exchange): void {
    const refusal = this.#door.refusal(head);
    if (refusal !== null) return endWith(exchange, this.#refuse(head, refusal));
    const page = this.#door.origins.allowed(head);
    if (page !== null) exchange.always(readableBy(page));
    if (head.method === 'OPTIONS') return answerOptions(head, exchange, page);
    const admitted = this.#find(head);
    if ('status' in admitted) endWith(exchange, admitted);
    else this.#handlers.get(admitted.route.by)!(head, exchange, admitted);
  }

  /** For upgrades, too. */
  admit(head: RequestHead): Admitted | HttpProblem {
    return this.#door.refusal(head) ?? this.#find(head);
  }

  #find(head: RequestHead): Admitted | HttpProblem {
    const found = findRoute(head.method, head.path);
    if ('status' in found) return found;
    const { scope } = found.route;
    const holder = scope === 'open' ? NOBODY : this.#door.keys.find(keyOf(head));
    if (holder === null) {
      this.#attempts.note(`${head.method} ${head.path} from ${head.remote}`);
      return this.#refuse(head, UNAUTHORIZED);
    }
    if (scope !== 'open' && !holder.scopes.includes(scope))
      return this.#refuse(head, outOfScope(found.route, scope), holder);
    const unknown = scope === 'open' ? null : nameProblem(found.route, head);
    const problem = unknown ?? (found.route.method === 'POST' ? bodyProblem(found.route, head) : null);
    return problem ?? { ...found, holder };
  }

  #refuse(head: RequestHead, problem: HttpProblem, holder: KeyHolder = NOBODY): HttpProblem {
    this.#refusedChanges.note(head, problem, holder.id);
    return problem;
  }
}

function keyOf(head: RequestHead): string {
  const authorization = head.header('authorization');
  const bearer = /^Bearer /i.test(authorization) ? authorization.slice('Bearer '.length) : '';
  return bearer || head.header('x-hunt-key') || head.parameter('key') || '';
}

/**
 * What a path takes; and what a page's browser asks before it sends a request of its page's. No key is needed: browsers send
 * none.
 */
function answerOptions(head: RequestHead, exchange: Exchange, page: string | null): void {
  const allow = allowedMethods(head.path);
  if (allow === '') return endWith(exchange, findRoute('OPTIONS', head.path) as HttpProblem);
  const methods = `${allow}, OPTIONS`;
  exchange.end(204, { allow: methods, ...(page === null ? {} : preflightHeaders(head, methods)) }, '');
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
  const charset = /;\s*charset="?([^";\s]*)/i.exec(head.header('content-type'))?.[1]?.toLowerCase() ?? 'utf-8';
  if (!UTF_8.includes(charset)) {
    const message = `unknown charset: charset=${charset.slice(0, 40)}; send utf-8`;
    return { status: 415, code: 'unknown_charset', message };
  }
  if (Number(head.header('content-length')) > bytesMax) {
    const message = `the body has more than ${bytesMax} bytes; send less at a time`;
    return { status: 413, code: 'body_too_large', message };
  }
  return null;
}

/** ASCII is a part of it. */
const UTF_8 = ['utf-8', 'utf8', 'us-ascii'];

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
