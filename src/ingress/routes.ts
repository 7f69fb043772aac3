/**
 * Every route of the events' port: method, path, scope, what its body may be. Whatever is not here is not served. A path's
 * parts in braces stand for one part each. Used by router.ts on ingress threads.
 */

import { MEDIA_TYPES } from '../../native-free-core/encodings/index.ts';
import { FRAME_BYTES_MAX } from '../../native-free-core/layout/limits.ts';
import type { Scope } from '../access/scope.ts';
import type { HttpProblem } from './http-answer.ts';

interface CommonRoute {
  readonly path: string;
  /** `open`: no key is needed. */
  readonly scope: Scope | 'open';
  /** Which part of ingress answers; `control`: the main thread. */
  readonly by: 'index' | 'healthz' | 'readyz' | 'events' | 'stream' | 'entities' | 'control';
  /** What its query may say besides the key (query-names.ts). */
  readonly parameters?: readonly string[];
  /** Its query has parameters that begin with this, whose names it checks itself. */
  readonly named?: string;
  /** Headers of ours that it reads besides the key. */
  readonly headers?: readonly string[];
}

interface ReadRoute extends CommonRoute {
  /** HEAD is GET without the body. */
  readonly method: 'GET';
}

interface WriteRoute extends CommonRoute {
  readonly method: 'POST';
  /**
   * Content types of the body. Never one that a web page may send without asking first (text/plain,
   * application/x-www-form-urlencoded, multipart/form-data), so that no page can change anything even where its origin is
   * not told.
   */
  readonly types: readonly [string, ...string[]];
  readonly bytesMax: number;
  /** What the request changes, as the audit log calls it; null: nothing that is declared. */
  readonly action: 'deploy' | 'shadow' | 'rollback' | 'switch-rule' | 'replace-list' | null;
}

export type Route = ReadRoute | WriteRoute;

export const EVENT_TYPES = MEDIA_TYPES;
/** The terms on which frames come in (terms.ts), in the query or as headers. */
const TERMS = ['producer', 'ack', 'dedup'] as const;
const TERM_HEADERS = TERMS.map((name) => `x-hunt-${name}`);
const JSON_ONLY = ['application/json'] as const;
/** One entry a line. */
const LIST_TYPES = ['text/csv', 'application/octet-stream'] as const;

/** Rules and versions by name. */
const CONTROL_BYTES_MAX = 4 << 20;
/** A pipeline file with all that it names, models and lists among it. */
const PIPELINE_BYTES_MAX = 64 << 20;
/** A million keys of sixteen bytes, twice. Longer lists stand in the pipeline's file before a start. */
const LIST_BYTES_MAX = 32 << 20;

export const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/', scope: 'open', by: 'index' },
  { method: 'GET', path: '/healthz', scope: 'open', by: 'healthz' },
  { method: 'GET', path: '/readyz', scope: 'open', by: 'readyz' },
  {
    method: 'POST',
    path: '/v1/events',
    scope: 'ingest',
    by: 'events',
    types: EVENT_TYPES,
    bytesMax: FRAME_BYTES_MAX,
    action: null,
    parameters: TERMS,
    headers: ['x-hunt-seq', ...TERM_HEADERS],
  },
  { method: 'GET', path: '/v1/stream', scope: 'ingest', by: 'stream', parameters: TERMS, headers: TERM_HEADERS },
  { method: 'GET', path: '/v1/entities/{entity}/{key}', scope: 'query', by: 'entities', parameters: ['at'] },
  { method: 'GET', path: '/v1/server', scope: 'query', by: 'control' },
  { method: 'GET', path: '/v1/pipeline', scope: 'query', by: 'control' },
  { method: 'GET', path: '/v1/ledger', scope: 'query', by: 'control', parameters: ['limit', 'after'] },
  { method: 'GET', path: '/v1/lists', scope: 'query', by: 'control' },
  { method: 'GET', path: '/v1/decisions/{event_id}', scope: 'query', by: 'control', parameters: ['day'] },
  { method: 'GET', path: '/v1/queries', scope: 'query', by: 'control' },
  {
    method: 'GET',
    path: '/v1/queries/{query}',
    scope: 'query',
    by: 'control',
    parameters: ['format'],
    named: 'param.',
  },
  { method: 'GET', path: '/v1/pipelines', scope: 'query', by: 'control' },
  { method: 'GET', path: '/v1/pipelines/versions', scope: 'query', by: 'control' },
  post('/v1/decide', 'decide', ['application/json', 'application/x-protobuf'], FRAME_BYTES_MAX, null),
  {
    ...post('/v1/lists/{list}', 'lists', LIST_TYPES, LIST_BYTES_MAX, 'replace-list'),
    parameters: ['actor', 'reason'],
  },
  post('/v1/pipelines', 'deploy', JSON_ONLY, PIPELINE_BYTES_MAX, 'deploy'),
  post('/v1/pipelines/shadow', 'deploy', JSON_ONLY, PIPELINE_BYTES_MAX, 'shadow'),
  post('/v1/pipelines/rollback', 'deploy', JSON_ONLY, CONTROL_BYTES_MAX, 'rollback'),
  post('/v1/pipelines/rules', 'deploy', JSON_ONLY, CONTROL_BYTES_MAX, 'switch-rule'),
];

function post(
  path: string,
  scope: Scope,
  types: WriteRoute['types'],
  bytesMax: number,
  action: WriteRoute['action'],
): WriteRoute {
  return { method: 'POST', path, scope, by: 'control', types, bytesMax, action };
}

/** Routes by method, for each path as it is declared. */
interface Place {
  readonly segments: readonly string[];
  readonly methods: Map<string, Route>;
}

const places: Place[] = [];
for (const route of ROUTES) {
  const segments = route.path.split('/');
  let place = places.find((one) => one.segments.join('/') === route.path);
  if (place === undefined) places.push((place = { segments, methods: new Map<string, Route>() }));
  place.methods.set(route.method, route);
}

export interface FoundRoute {
  readonly route: Route;
  /** The path's parts that stand where the route has braces, as they were sent. */
  readonly parameters: readonly string[];
}

/** What a path answers, as `Allow` says it; '': there is no such path. */
export function allowedMethods(path: string): string {
  return allowOf(placeOf(path.split('/')));
}

export function findRoute(method: string, path: string): FoundRoute | HttpProblem {
  const parts = path.split('/');
  const place = placeOf(parts);
  if (place === undefined) return { status: 404, code: 'not_found', message: `nothing is served here: path=${path}` };
  const route = place.methods.get(method === 'HEAD' ? 'GET' : method);
  if (route !== undefined) return { route, parameters: parts.filter((_, i) => isName(place.segments[i]!)) };
  const allow = allowOf(place);
  const message = `${path} does not answer this method: method=${method}; it takes ${allow}`;
  return { status: 405, code: 'method_not_allowed', message, headers: { allow } };
}

function placeOf(parts: readonly string[]): Place | undefined {
  return places.find(
    ({ segments }) =>
      segments.length === parts.length &&
      segments.every((segment, i) => segment === parts[i] || (isName(segment) && parts[i] !== '')),
  );
}

function isName(segment: string): boolean {
  return segment.startsWith('{');
}

function allowOf(place: Place | undefined): string {
  const methods = [...(place?.methods.keys() ?? [])];
  return methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
}
