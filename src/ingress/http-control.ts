/**
 * Health, and every request that is not about events: those the main thread answers. Ingress thread.
 */

import { enter } from '../../native-free-core/base/lookup.ts';
import { NOT_READY_STARTING, NOT_READY_STOPPING, type Readiness } from '../contract/readiness.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Exchange } from '../http/transport.ts';
import type { IngressContext } from './thread-context.ts';
import { SERVER_BUSY, endWith, type HttpProblem } from './http-answer.ts';
import type { Bodies } from './http-body.ts';
import type { ProxiedRequest, ProxiedResponse } from './thread-messages.ts';
import type { Route } from './routes.ts';

const PENDING_MAX = 256;
const HEADERS = ['accept', 'content-type'];
const TEXT_TYPE = { 'content-type': 'text/plain; charset=utf-8' };
const JSON_TYPE = { 'content-type': 'application/json', 'cache-control': 'no-store' };
/** The main thread says once a second how things are. */
const SILENT_SECONDS_MAX = 15;

interface Pending {
  readonly exchange: Exchange;
  readonly until: number;
}

export interface ControlRequests {
  /** What `/readyz` says, until the main thread is not heard of any more. */
  setReady(readiness: Readiness): void;
  answer(id: number, response: ProxiedResponse): void;
  expire(now: number): void;
}

export function serveControl(context: IngressContext, bodies: Bodies): ControlRequests {
  const { router, admission, options, post } = context;
  const pending = new Map<number, Pending>();
  let nextId = 1;
  let readiness = NOT_READY_STARTING;
  let heardAt = performance.now();

  const end = (id: number, finish: (exchange: Exchange) => void): void => {
    const exchange = pending.get(id)?.exchange;
    pending.delete(id);
    if (exchange !== undefined) finish(exchange);
  };
  const control: ControlRequests = {
    setReady(now) {
      readiness = now;
      heardAt = performance.now();
    },
    answer: (id, response) => end(id, (exchange) => write(exchange, response)),
    expire(now) {
      for (const [id, { until }] of pending) {
        if (until > now) return;
        end(id, (exchange) => endWith(exchange, NO_ANSWER));
      }
    },
  };

  router.on('healthz', (_head, exchange) => exchange.end(200, TEXT_TYPE, 'ok\n'));
  router.on('readyz', (_head, exchange) => {
    const seconds = (performance.now() - heardAt) / 1000;
    const failing = [...(admission.stopping ? NOT_READY_STOPPING : readiness).failing];
    if (seconds > SILENT_SECONDS_MAX)
      failing.push({
        part: 'answers',
        reason: `the main thread has not been heard of: seconds=${Math.round(seconds)}`,
      });
    const isReady = failing.length === 0;
    exchange.end(isReady ? 200 : 503, JSON_TYPE, `${JSON.stringify({ ready: isReady, failing })}\n`);
  });
  router.on('control', (head, exchange, { route, holder }) => {
    if (pending.size >= PENDING_MAX) return endWith(exchange, SERVER_BUSY);
    const request = { ...requestOf(head), keyId: holder.id, remote: head.remote, change: changeOf(route) };
    const bounds = { bytesMax: route.method === 'POST' ? route.bytesMax : 0, msMax: options.limits.bodyMsMax };
    bodies.collect(head, exchange, bounds, (body) => {
      const id = nextId++;
      pending.set(id, { exchange, until: performance.now() + options.limits.answerMsMax });
      post({ kind: 'request', id, request: { ...request, body: body.slice() } });
    });
  });
  return control;
}

function changeOf(route: Route): ProxiedRequest['change'] {
  return route.method === 'POST' && route.action !== null ? { scope: route.scope, action: route.action } : null;
}

const NO_ANSWER: HttpProblem = {
  status: 504,
  code: 'no_answer',
  message: 'the main thread did not answer in time; try again',
};

function requestOf(head: RequestHead) {
  const headers: Record<string, string> = {};
  for (const name of HEADERS) {
    const value = head.header(name);
    if (value !== '') enter(headers, name, value);
  }
  // The main thread knows no HEAD: the body is left out on the way.
  const method = head.method === 'HEAD' ? 'GET' : head.method;
  return { method, path: head.path, query: head.query, headers };
}

function write(exchange: Exchange, { status, headers, body }: ProxiedResponse): void {
  exchange.end(status, headers, body);
}
