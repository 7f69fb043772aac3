/**
 * The requests that ask why: `POST /v1/decide` and `GET /v1/decisions/{event_id}`. Called by engine/start.ts with what
 * ingress hands to the main thread; null where the path is another's. Both are bounded: the main thread has other work.
 */

import { lookup } from '../../native-free-core/base/lookup.ts';
import { FRAME_BYTES_MAX } from '../../native-free-core/layout/limits.ts';
import { OperatingError } from '../errors.ts';
import { createDryRun, type DryRun, type LiveState } from './dry-run.ts';
import { StoredDecisions, type StoredSources } from './stored-decision.ts';

export interface ExplainRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface ExplainResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ExplainSources extends Omit<StoredSources, 'live'> {
  readonly live: () => LiveState;
}

const DECIDE_PATH = '/v1/decide';
const DECISIONS_PATH = '/v1/decisions/';
/** Of each second of the main thread. */
const DRY_RUN_MS_PER_SECOND = 250;
/** Questions to ClickHouse at once. */
const EXPLANATIONS_MAX = 4;

const STATUS: Readonly<Record<string, number>> = {
  unknown_event: 404,
  not_visible_yet: 404,
  version_unknown: 409,
  busy: 429,
};

export function explainRequests(
  sources: ExplainSources,
): (request: ExplainRequest) => ExplainResponse | Promise<ExplainResponse> | null {
  const dryRun = createDryRun(sources.live);
  const decisions = new StoredDecisions(sources);
  const time = new TimeShare(DRY_RUN_MS_PER_SECOND);
  let explaining = 0;
  const explain = async (request: ExplainRequest): Promise<ExplainResponse> => {
    if (request.method !== 'GET') return notAllowed(request, 'GET');
    if (explaining === EXPLANATIONS_MAX) return failed(busy(`decisions are being explained: at_once=${explaining}`));
    explaining++;
    try {
      const id = decodeText(request.path.slice(DECISIONS_PATH.length));
      const day = new URLSearchParams(request.query).get('day');
      return answer(200, await decisions.explain({ id, day }));
    } catch (error) {
      return failed(error);
    } finally {
      explaining--;
    }
  };
  return (request) => {
    if (request.path === DECIDE_PATH)
      return time.spend(() => decide(dryRun, request)) ?? failed(busy('dry runs have had their share of this second'));
    return request.path.startsWith(DECISIONS_PATH) ? explain(request) : null;
  };
}

function decide(dryRun: DryRun, request: ExplainRequest): ExplainResponse {
  const { method, headers, body } = request;
  if (method !== 'POST') return notAllowed(request, 'POST');
  const type = (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  if (type !== 'application/json' && type !== 'application/x-protobuf') {
    const message = `unknown content type: content-type=${type || 'none'}; send application/json, application/x-protobuf`;
    return answer(415, failure('unknown_content_type', message));
  }
  if (body.length > FRAME_BYTES_MAX)
    return answer(413, failure('body_too_large', `the event has more than ${FRAME_BYTES_MAX} bytes; send less`));
  try {
    return answer(200, dryRun.decide(body, type === 'application/json'));
  } catch (error) {
    return failed(error);
  }
}

/** So many ms of each second. */
class TimeShare {
  readonly #msMax: number;
  #second = 0;
  #spentMs = 0;

  constructor(msMax: number) {
    this.#msMax = msMax;
  }

  /** null: it is used up. */
  spend<T>(work: () => T): T | null {
    const begun = performance.now();
    const second = Math.floor(begun / 1000);
    if (second !== this.#second) this.#spentMs = 0;
    this.#second = second;
    if (this.#spentMs >= this.#msMax) return null;
    const result = work();
    this.#spentMs += performance.now() - begun;
    return result;
  }
}

function busy(what: string): OperatingError {
  return new OperatingError('busy', `${what}; ask again in a moment`, { retryable: true });
}

function notAllowed({ method, path }: ExplainRequest, only: string): ExplainResponse {
  return answer(405, failure('method_not_allowed', `${path} takes ${only} only: method=${method}`));
}

function failed(error: unknown): ExplainResponse {
  if (!(error instanceof OperatingError)) throw error;
  const { code, message, retryable } = error;
  const response = answer(lookup(STATUS, code) ?? 400, failure(code, message));
  return retryable ? { ...response, headers: { ...response.headers, 'retry-after': '1' } } : response;
}

function answer(status: number, body: object): ExplainResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function failure(code: OperatingError['code'], message: string): object {
  return { error: { code, message } };
}

function decodeText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
