/**
 * One HTTP answer over uWebSockets.js: whole, or in parts with back-pressure, or broken off. Child process.
 */
import type { HttpResponse } from 'uWebSockets.js';
import { httpStatusOf, type EngineFailure } from './engine-failure.ts';

export type Headers = Readonly<Record<string, string>>;

export interface Reply {
  readonly isAborted: boolean;
  readonly isAnswered: boolean;
  /** Called once when the client goes away before the answer is complete. */
  whenAborted(handler: () => void): void;
  whole(status: string, headers: Headers, body: Uint8Array | string): void;
  begin(headers: Headers): void;
  /** Returns false when the client is slower than we are: wait for the drain handler. The chunk is taken in any case. */
  write(chunk: Uint8Array): boolean;
  whenDrained(handler: () => void): void;
  end(): void;
  fail(failure: EngineFailure, headers: Headers, version: string): void;
  /** Ends a begun answer so that no client can take it for complete. */
  breakOff(): void;
}

export function createReply(response: HttpResponse, method: string): Reply {
  let isAborted = false;
  let isAnswered = false;
  let aborted: (() => void) | undefined;
  let drained: (() => void) | undefined;

  response.onAborted(() => {
    isAborted = true;
    aborted?.();
    drained?.();
  });
  // Registered once: the library keeps only one handler for each answer.
  response.onWritable(() => {
    drained?.();
    return true;
  });

  const writeHead = (status: string, headers: Headers): void => {
    response.writeStatus(status);
    for (const name of Object.keys(headers)) response.writeHeader(name, headers[name] ?? '');
  };
  const whole = (status: string, headers: Headers, body: Uint8Array | string, closes: boolean): void => {
    if (isAborted || isAnswered) return;
    isAnswered = true;
    response.cork(() => {
      writeHead(status, headers);
      if (method === 'head') response.endWithoutBody(0, closes);
      else response.end(body, closes);
    });
  };

  return {
    get isAborted() {
      return isAborted;
    },
    get isAnswered() {
      return isAnswered;
    },
    whenAborted(handler) {
      aborted = handler;
      if (isAborted) handler();
    },
    whenDrained(handler) {
      drained = handler;
    },
    whole: (status, headers, body) => whole(status, headers, body, false),
    begin(headers) {
      if (isAborted) return;
      isAnswered = true;
      response.cork(() => writeHead('200 OK', headers));
    },
    write(chunk) {
      if (isAborted) return true;
      let isTaken = true;
      response.cork(() => {
        isTaken = response.write(chunk);
      });
      return isTaken;
    },
    end() {
      if (isAborted) return;
      response.cork(() => response.end());
    },
    fail(failure, headers, version) {
      const all = {
        ...headers,
        'Content-Type': 'text/plain; charset=UTF-8',
        'X-ClickHouse-Exception-Code': String(failure.clickhouseCode),
      };
      // A failure may come before the body has been read to its end; what still follows must not be taken for a request.
      whole(httpStatusOf(failure.clickhouseCode), all, failure.bodyText(version), true);
    },
    breakOff() {
      if (!isAborted) response.close();
    },
  };
}
