/**
 * Control requests: what the server answers about itself, on the events' port. Ingress hands them to the main thread, which
 * answers from what it has at hand. Every answer is JSON.
 *
 *   GET  /v1/server /v1/pipeline /v1/lists
 *   GET  /v1/ledger         page by page (describe-ledger.ts)
 *   POST /v1/lists/{name}   another content for a list, one entry a line
 *   /v1/pipelines …         versions of the pipeline (versions/version-requests.ts)
 */

import { lookup } from '../../native-free-core/base/lookup.ts';
import type { ImportMap } from '../../native-free-core/plan/import-map.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import type { Figures } from '../contract/figures.ts';
import { OperatingError } from '../errors.ts';
import { describeLedger, type LedgerSources } from '../audit/describe-ledger.ts';
import type { Lists } from '../versions/running-lists.ts';

const LIST_PATH = '/v1/lists/';
const PIPELINES_PATH = '/v1/pipelines';

export interface ControlRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: Uint8Array;
}

export interface ControlResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ControlSources extends LedgerSources {
  /** The version that decides. */
  readonly running: () => {
    readonly plan: Plan;
    readonly importMap: ImportMap;
    readonly lists: Lists;
  };
  /** What `GET /v1/server` tells. */
  readonly figures: () => Figures;
  /** Requests below `/v1/pipelines`. */
  readonly pipelines: (request: ControlRequest) => { readonly status: number; readonly body: object };
}

export function controlRequests(sources: ControlSources): (request: ControlRequest) => ControlResponse {
  const routes: Readonly<Record<string, (query: string) => object>> = {
    '/v1/server': sources.figures,
    '/v1/pipeline': () => ({ plan: sources.running().plan, importMap: sources.running().importMap }),
    '/v1/ledger': (query) => describeLedger(sources, query),
    '/v1/lists': () => ({ lists: sources.running().lists.describe() }),
  };
  return (request) => {
    const { method, path, query, body } = request;
    if (path.startsWith(PIPELINES_PATH)) {
      const { status, body: answered } = sources.pipelines(request);
      return answer(status, answered);
    }
    if (path.startsWith(LIST_PATH))
      return replaceList(sources.running().lists, method, path.slice(LIST_PATH.length), body);
    const route = lookup(routes, path);
    if (route === undefined) return answer(404, failure('not_found', `nothing is served here: path=${path}`));
    if (method !== 'GET')
      return answer(405, failure('method_not_allowed', `${path} answers GET only: method=${method}`));
    try {
      return answer(200, route(query));
    } catch (error) {
      if (!(error instanceof OperatingError)) throw error;
      return answer(400, failure(error.code, error.message));
    }
  };
}

function replaceList(lists: Lists, method: string, name: string, body: Uint8Array): ControlResponse {
  if (method !== 'POST')
    return answer(405, failure('method_not_allowed', `${LIST_PATH}${name} takes POST only: method=${method}`));
  try {
    return answer(200, lists.replace(name, new TextDecoder('utf-8', { fatal: true }).decode(body)));
  } catch (error) {
    if (error instanceof TypeError)
      return answer(400, failure('not_utf8', `the new list is not UTF-8: list=${name}; nothing was replaced`));
    if (!(error instanceof OperatingError)) throw error;
    return answer(error.code === 'no_such_list' ? 404 : 400, failure(error.code, error.message));
  }
}

function answer(status: number, body: object): ControlResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function failure(code: OperatingError['code'], message: string): object {
  return { error: { code, message } };
}
