/**
 * One HTTP answer as the statements see it: whole, or in parts with back-pressure, or broken off, or ClickHouse's way of
 * failing. Child process.
 */
import type { AnswerHeaders, Exchange } from '../http/transport.ts';
import { httpStatusOf, type EngineFailure } from './engine-failure.ts';

export type Headers = AnswerHeaders;

export interface Reply {
  readonly isAborted: boolean;
  readonly isAnswered: boolean;
  /** Called once when the client goes away before the answer is complete. */
  whenAborted(handler: () => void): void;
  /** Nothing more is read from the client until the answer; see Exchange. */
  hold(): void;
  whole(status: number, headers: Headers, body: Uint8Array | string): void;
  begin(headers: Headers): void;
  /** Returns false when the client is slower than we are: wait for the drain handler. The chunk is taken in any case. */
  write(chunk: Uint8Array): boolean;
  whenDrained(handler: () => void): void;
  end(): void;
  fail(failure: EngineFailure, headers: Headers, version: string): void;
  /** Ends a begun answer so that no client can take it for complete. */
  breakOff(): void;
}

export function createReply(exchange: Exchange): Reply {
  return {
    get isAborted() {
      return exchange.isAborted;
    },
    get isAnswered() {
      return exchange.isAnswered;
    },
    whenAborted: (handler) => exchange.whenAborted(handler),
    whenDrained: (handler) => exchange.whenWritable(handler),
    hold: () => exchange.hold(),
    whole: (status, headers, body) => exchange.end(status, headers, body),
    begin: (headers) => exchange.begin(200, headers),
    write: (chunk) => exchange.write(chunk),
    end: () => exchange.finish(),
    // It may come before the body has been read to its end; what still follows must not be taken for a request, so the
    // connection closes.
    fail: (failure, headers, version) =>
      exchange.end(
        httpStatusOf(failure.clickhouseCode),
        failureHeaders(failure, headers),
        failure.bodyText(version),
        true,
      ),
    breakOff: () => exchange.breakOff(),
  };
}

function failureHeaders(failure: EngineFailure, headers: Headers): Headers {
  return {
    ...headers,
    'Content-Type': 'text/plain; charset=UTF-8',
    'X-ClickHouse-Exception-Code': String(failure.clickhouseCode),
  };
}
