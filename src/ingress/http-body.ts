/**
 * Gathers a request's body within bounds of bytes and of time, and unpacks it where it is compressed: a handler sees it
 * whole and plain. Ingress thread.
 */

import type { RequestHead } from '../http/request-head.ts';
import type { Exchange } from '../http/transport.ts';
import { codingsOf, unpack } from './content-coding.ts';
import { SERVER_BUSY, endWith, type HttpProblem } from './http-answer.ts';

/** Bytes of all bodies that are being gathered or unpacked on one thread; beyond it requests are answered 503. */
const GATHERED_BYTES_MAX = 256 << 20;
/** Room for the first pieces; it doubles. */
const BYTES_MIN = 16 << 10;

export interface BodyBounds {
  readonly bytesMax: number;
  readonly msMax: number;
}

interface Collecting {
  readonly exchange: Exchange;
  readonly bounds: BodyBounds;
  readonly until: number;
  readonly isPacked: boolean;
  /** What has come; null once the whole has been handed on or refused. */
  bytes: Buffer | null;
  length: number;
  /** Of GATHERED_BYTES_MAX. */
  taken: number;
}

/** Bodies that have not come whole yet. */
export class Bodies {
  readonly #collecting = new Set<Collecting>();
  #taken = 0;

  /**
   * Calls `take` with the whole body; it is only valid during the call. What is too large, too late or unreadable is
   * answered here.
   */
  collect(head: RequestHead, exchange: Exchange, bounds: BodyBounds, take: (body: Uint8Array) => void): void {
    const codings = codingsOf(head);
    if ('status' in codings) return endWith(exchange, codings);
    const body: Collecting = {
      exchange,
      bounds,
      until: performance.now() + bounds.msMax,
      isPacked: codings.length > 0,
      bytes: EMPTY,
      length: 0,
      taken: 0,
    };
    this.#collecting.add(body);
    exchange.receive((chunk, isLast) => {
      if (body.bytes === null || exchange.isAborted) return;
      if (body.length + chunk.byteLength > bounds.bytesMax) return this.#refuse(body, tooLarge(bounds.bytesMax));
      if (isLast && body.length === 0 && !body.isPacked) {
        // It came in one piece, as most do.
        this.#release(body);
        exchange.hold();
        return take(chunk);
      }
      if (!this.#append(body, chunk)) return this.#refuse(body, SERVER_BUSY);
      if (!isLast) return;
      exchange.hold();
      const whole = body.bytes.subarray(0, body.length);
      if (!body.isPacked) {
        this.#release(body);
        return take(whole);
      }
      if (!this.#reserve(body, bounds.bytesMax)) return this.#refuse(body, SERVER_BUSY);
      unpack(whole, codings, bounds.bytesMax, (unpacked) => {
        // It took too long, and that has been said.
        if (body.bytes === null) return;
        if ('status' in unpacked) return this.#refuse(body, unpacked);
        this.#release(body);
        if (!exchange.isAborted) take(unpacked);
      });
    });
  }

  /** Called several times a second. */
  expire(now: number): void {
    for (const body of this.#collecting) {
      if (body.exchange.isAborted) this.#release(body);
      else if (body.until <= now) this.#refuse(body, tooLate(body.bounds.msMax));
    }
  }

  /**
   * One piece of memory and not a list: a body that comes byte by byte costs what it holds. False: there is no room for it.
   */
  #append(body: Collecting, chunk: Uint8Array): boolean {
    const needed = body.length + chunk.byteLength;
    if (needed > body.bytes!.length) {
      const room = Math.min(body.bounds.bytesMax, Math.max(BYTES_MIN, needed, body.bytes!.length * 2));
      if (!this.#reserve(body, room - body.bytes!.length)) return false;
      const grown = Buffer.allocUnsafeSlow(room);
      grown.set(body.bytes!.subarray(0, body.length));
      body.bytes = grown;
    }
    body.bytes!.set(chunk, body.length);
    body.length = needed;
    return true;
  }

  #reserve(body: Collecting, bytes: number): boolean {
    if (this.#taken + bytes > GATHERED_BYTES_MAX) return false;
    this.#taken += bytes;
    body.taken += bytes;
    return true;
  }

  #release(body: Collecting): void {
    this.#collecting.delete(body);
    this.#taken -= body.taken;
    body.taken = 0;
    body.bytes = null;
  }

  #refuse(body: Collecting, problem: HttpProblem): void {
    this.#release(body);
    endWith(body.exchange, problem);
  }
}

const EMPTY = Buffer.alloc(0);

function tooLarge(bytesMax: number): HttpProblem {
  return {
    status: 413,
    code: 'body_too_large',
    message: `the body has more than ${bytesMax} bytes; send less at a time`,
  };
}

function tooLate(msMax: number): HttpProblem {
  return { status: 408, code: 'body_timeout', message: `the body did not come within ${msMax} ms; send it again` };
}
