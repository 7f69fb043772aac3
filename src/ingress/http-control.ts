/**
 * Everything on the port that is not events: health, entity look-ups, and what the main thread answers. Ingress thread.
 */

import type { HttpResponse } from 'uWebSockets.js';
import { ENCODING_JSON } from '../../native-free-core/layout/records.ts';
import { hasKey, type IngressContext } from './context.ts';
import { endJson, endWith, statusLine } from './http-answer.ts';
import type { ProxiedResponse } from './messages.ts';

/** Control bodies: a pipeline file, not events. */
const BODY_BYTES_MAX = 4 << 20;
const ANSWER_MS = 30_000;
const PENDING_MAX = 256;
const KEY_BYTES_MAX = 4096;

export interface ControlRoutes {
  respond(id: number, response: ProxiedResponse): void;
  readAnswer(slot: number, status: number, body: Uint8Array): void;
}

export function serveControl(context: IngressContext): ControlRoutes {
  const { app, state } = context;
  const pending = new Map<number, HttpResponse>();
  const reads = new Map<number, HttpResponse>();
  let nextId = 1;

  app.get('/healthz', (response) => void response.end('ok\n'));
  app.get('/readyz', (response) => {
    if (state.ready && !state.stopping) response.end('ready\n');
    else response.writeStatus(statusLine(503)).end('not ready\n');
  });

  app.get('/v1/entities/:entity/:key', (response, request) => {
    const entity = context.options.entities.indexOf(request.getParameter(0) ?? '');
    const key = Buffer.from(request.getParameter(1) ?? '', 'utf8');
    response.onAborted(() => reads.forEach((waiting, slot) => waiting === response && reads.delete(slot)));
    if (!allowed(context, response, request)) return;
    if (entity < 0) return endWith(response, 404, 'unknown_entity', `entities of this pipeline: ${context.options.entities.join(', ')}`);
    if (key.length > KEY_BYTES_MAX) return endWith(response, 400, 'key_too_long', `a key has at most ${KEY_BYTES_MAX} bytes`);
    const peer = context.peers.add(0, ENCODING_JSON, false, '', () => true);
    if (reads.size >= PENDING_MAX || !context.admission.read(peer, entity, key)) {
      context.peers.remove(peer);
      return endWith(response, 503, 'busy', 'the server is busy; try again in a moment');
    }
    reads.set(peer.slot, response);
  });

  app.any('/*', (response, request) => {
    const id = nextId++;
    const head = { method: request.getMethod().toUpperCase(), path: request.getUrl(), query: request.getQuery() ?? '' };
    response.onAborted(() => pending.delete(id));
    if (!allowed(context, response, request)) return;
    if (pending.size >= PENDING_MAX) return endWith(response, 503, 'busy', 'the server is busy; try again in a moment');
    pending.set(id, response);
    setTimeout(() => {
      if (!pending.delete(id)) return;
      endWith(response, 504, 'no_answer', `no answer within ${ANSWER_MS} ms`);
    }, ANSWER_MS).unref();
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.onData((chunk, isLast) => {
      if (!pending.has(id)) return;
      bytes += chunk.byteLength;
      if (bytes > BODY_BYTES_MAX) {
        pending.delete(id);
        return endWith(response, 413, 'body_too_large', `a request has at most ${BODY_BYTES_MAX} bytes`);
      }
      chunks.push(Buffer.from(new Uint8Array(chunk)));
      if (isLast) context.post({ kind: 'request', id, request: { ...head, body: new Uint8Array(Buffer.concat(chunks)) } });
    });
  });

  return {
    respond(id, { status, headers, body }) {
      const response = pending.get(id);
      if (response === undefined) return;
      pending.delete(id);
      response.cork(() => {
        response.writeStatus(statusLine(status));
        for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value);
        response.end(body);
      });
    },
    readAnswer(slot, status, body) {
      const response = reads.get(slot);
      reads.delete(slot);
      if (response !== undefined) endJson(response, status, Buffer.from(body.slice()).toString('utf8'));
    },
  };
}

function allowed(context: IngressContext, response: HttpResponse, request: { getHeader(name: string): string; getQuery(key: string): string | undefined }): boolean {
  if (hasKey(context, request.getHeader('authorization'), request.getHeader('x-hunt-key'), request.getQuery('key') ?? '')) return true;
  endWith(response, 401, 'unauthorized', 'an API key is required: send Authorization: Bearer KEY, X-Hunt-Key or ?key=');
  return false;
}
