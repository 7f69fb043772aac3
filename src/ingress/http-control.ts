/**
 * Health, and every request that is not about events: those the main thread answers. Ingress thread.
 */

import type { HttpRequest } from 'uWebSockets.js';
import { enter } from '../../native-free-core/base/lookup.ts';
import type { IngressContext } from './context.ts';
import { BUSY, endWith, statusLine, type HttpProblem } from './http-answer.ts';
import { exchangeOf, type Bodies, type Exchange } from './http-body.ts';
import type { ProxiedResponse } from './messages.ts';

/** Control bodies are not events. */
const BODY_BYTES_MAX = 4 << 20;
/** A pipeline file with all that it names, models and lists among it. */
const PIPELINE_BYTES_MAX = 64 << 20;
const PIPELINE_PATH = '/v1/pipelines';
/** Lists of keys: a million of sixteen bytes. Longer ones stand in the pipeline's file before a start. */
const LIST_BYTES_MAX = 32 << 20;
const LIST_PATH = '/v1/lists/';
const PENDING_MAX = 256;
const HEADERS = ['accept', 'content-type'];

interface Pending {
  readonly exchange: Exchange;
  readonly until: number;
}

export interface ControlRequests {
  /** Whether `/readyz` says so. */
  ready: boolean;
  answer(id: number, response: ProxiedResponse): void;
  expire(now: number): void;
}

/** Takes what no other route has taken: to be called after them. */
export function serveControl(context: IngressContext, bodies: Bodies): ControlRequests {
  const { app, admission, keys, options, post } = context;
  const pending = new Map<number, Pending>();
  let nextId = 1;

  const end = (id: number, finish: (exchange: Exchange) => void): void => {
    const exchange = pending.get(id)?.exchange;
    pending.delete(id);
    if (exchange !== undefined && !exchange.aborted) finish(exchange);
  };
  const control: ControlRequests = {
    ready: false,
    answer: (id, response) => end(id, (exchange) => write(exchange, response)),
    expire(now) {
      for (const [id, { until }] of pending) {
        if (until > now) return;
        end(id, ({ response }) => endWith(response, NO_ANSWER));
      }
    },
  };

  app.get('/healthz', (response) => void response.end('ok\n'));
  app.get('/readyz', (response) => {
    if (control.ready && !admission.stopping) response.end('ready\n');
    else response.writeStatus(statusLine(503)).end('not ready\n');
  });
  app.any('/*', (response, request) => {
    const problem = keys.check(request) ?? (pending.size >= PENDING_MAX ? BUSY : null);
    if (problem !== null) return endWith(response, problem);
    const head = headOf(request);
    const bounds = { bytesMax: bytesMaxOf(head.path), msMax: options.limits.bodyMsMax };
    const exchange = exchangeOf(response);
    bodies.collect(exchange, bounds, (body) => {
      const id = nextId++;
      pending.set(id, { exchange, until: performance.now() + options.limits.answerMsMax });
      post({ kind: 'request', id, request: { ...head, body: body.slice() } });
    });
  });
  return control;
}

function bytesMaxOf(path: string): number {
  if (path.startsWith(LIST_PATH)) return LIST_BYTES_MAX;
  return path.startsWith(PIPELINE_PATH) ? PIPELINE_BYTES_MAX : BODY_BYTES_MAX;
}

const NO_ANSWER: HttpProblem = {
  status: 504,
  code: 'no_answer',
  message: 'the main thread did not answer in time; try again',
};

function headOf(request: HttpRequest) {
  const headers: Record<string, string> = {};
  for (const name of HEADERS) {
    const value = request.getHeader(name);
    if (value !== '') enter(headers, name, value);
  }
  return { method: request.getMethod().toUpperCase(), path: request.getUrl(), query: request.getQuery(), headers };
}

function write({ response }: Exchange, { status, headers, body }: ProxiedResponse): void {
  response.cork(() => {
    response.writeStatus(statusLine(status));
    for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value);
    response.end(body);
  });
}
