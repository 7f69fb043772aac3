/** Gathers a request's body within a bound of bytes and of time. Ingress thread. */

import type { Exchange } from '../http/transport.ts';
import { endWith } from './http-answer.ts';

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
    exchange.receive((chunk, isLast) => {
      if (body.chunks === null || exchange.isAborted) return;
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
        body.chunks.push(chunk.slice());
        return;
      }
      const { chunks } = body;
      this.#collecting.delete(body);
      body.chunks = null;
      exchange.hold();
      take(chunks.length === 0 ? chunk : Buffer.concat([...chunks, chunk]));
    });
  }

  /** Called about once a second. */
  expire(now: number): void {
    for (const body of this.#collecting) {
      if (body.exchange.isAborted) this.#collecting.delete(body);
      else if (body.until <= now)
        this.#refuse(body, 408, 'body_timeout', `the body did not come within ${body.msMax} ms; send it again`);
    }
  }

  #refuse(body: Collecting, status: number, code: string, message: string): void {
    this.#collecting.delete(body);
    body.chunks = null;
    endWith(body.exchange, { status, code, message });
  }
}
