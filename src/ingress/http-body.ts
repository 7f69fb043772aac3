/** Gathers a request's body within a bound of bytes and of time. Ingress thread. */

import type { HttpResponse } from 'uWebSockets.js';
import { endWith } from './http-answer.ts';

/** The part of a request that outlives its callback; `aborted` once nobody waits for the answer any more. */
export interface Exchange {
  readonly response: HttpResponse;
  aborted: boolean;
}

export interface BodyBounds {
  readonly bytesMax: number;
  readonly msMax: number;
}

interface Collecting {
  readonly exchange: Exchange;
  readonly until: number;
  readonly msMax: number;
  chunks: Uint8Array[] | null;
}

/** Bodies that have not come whole yet. */
export class Bodies {
  readonly #collecting = new Set<Collecting>();

  /** Calls `take` with the whole body; it is only valid during the call. What is too large or too late is answered here. */
  collect(exchange: Exchange, bounds: BodyBounds, take: (body: Uint8Array) => void): void {
    const { bytesMax, msMax } = bounds;
    const body: Collecting = { exchange, until: performance.now() + msMax, msMax, chunks: [] };
    let bytes = 0;
    this.#collecting.add(body);
    exchange.response.onData((chunk, isLast) => {
      if (body.chunks === null || exchange.aborted) return;
      bytes += chunk.byteLength;
      if (bytes > bytesMax)
        return this.#refuse(
          body,
          413,
          'body_too_large',
          `the body has more than ${bytesMax} bytes; send less at a time`,
        );
      if (!isLast) {
        // The chunk's memory is only valid now.
        body.chunks.push(new Uint8Array(chunk.slice(0)));
        return;
      }
      const { chunks } = body;
      this.#collecting.delete(body);
      body.chunks = null;
      take(chunks.length === 0 ? new Uint8Array(chunk) : Buffer.concat([...chunks, new Uint8Array(chunk)]));
    });
  }

  /** Called about once a second. */
  expire(now: number): void {
    for (const body of this.#collecting) {
      if (body.exchange.aborted) this.#collecting.delete(body);
      else if (body.until <= now)
        this.#refuse(body, 408, 'body_timeout', `the body did not come within ${body.msMax} ms; send it again`);
    }
  }

  #refuse(body: Collecting, status: number, code: string, message: string): void {
    this.#collecting.delete(body);
    body.chunks = null;
    body.exchange.aborted = true;
    endWith(body.exchange.response, { status, code, message });
  }
}

/** Every request whose answer comes later goes through here: uWebSockets.js forbids touching one that was aborted. */
export function exchangeOf(response: HttpResponse): Exchange {
  const exchange: Exchange = { response, aborted: false };
  response.onAborted(() => (exchange.aborted = true));
  return exchange;
}
