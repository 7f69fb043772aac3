/**
 * One HTTP answer over uWebSockets.js: whole, or in parts with back-pressure, or broken off. Child process.
 */
import type { HttpResponse } from 'uWebSockets.js';
import { httpStatusOf, type EngineFailure } from './engine-failure.ts';
import { READER_STALL_MS_MAX, STALL_CHECK_MS } from './limits.ts';

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
  const stall = stallWatch(response, () => isAborted);

  response.onAborted(() => {
    isAborted = true;
    stall.end();
    aborted?.();
    drained?.();
  });
  // Registered once: the library keeps only one handler for each answer.
  response.onWritable(() => {
    stall.end();
    drained?.();
    return true;
  });

  const whole = (status: string, headers: Headers, body: Uint8Array | string, closes: boolean): void => {
    if (isAborted || isAnswered) return;
    isAnswered = true;
    response.cork(() => {
      writeHead(response, status, headers);
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
      response.cork(() => writeHead(response, '200 OK', headers));
    },
    write(chunk) {
      if (isAborted) return true;
      let isTaken = true;
      response.cork(() => {
        isTaken = response.write(chunk);
      });
      if (!isTaken) stall.begin();
      return isTaken;
    },
    end() {
      stall.end();
      if (!isAborted) response.cork(() => response.end());
    },
    fail: (failure, headers, version) => whole(...failureAnswer(failure, headers, version), true),
    breakOff() {
      stall.end();
      if (!isAborted) response.close();
    },
  };
}

/**
 * The library closes a connection on which nothing was sent for 10 s, a client that thinks between two rows included. Pausing and
 * resuming the request side winds that clock up again; leaving it paused would lose the wake-up for writing (both measured).
 */
function stallWatch(response: HttpResponse, isAborted: () => boolean): { begin(): void; end(): void } {
  let timer: NodeJS.Timeout | undefined;
  let stalledMs = 0;
  const windUp = (): void => {
    if (isAborted()) return;
    stalledMs += STALL_CHECK_MS;
    if (stalledMs >= READER_STALL_MS_MAX) {
      response.close();
      return;
    }
    response.pause();
    response.resume();
  };
  return {
    begin() {
      if (timer !== undefined) return;
      stalledMs = 0;
      timer = setInterval(windUp, STALL_CHECK_MS);
    },
    end() {
      clearInterval(timer);
      timer = undefined;
    },
  };
}

function writeHead(response: HttpResponse, status: string, headers: Headers): void {
  response.writeStatus(status);
  for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value);
}

/** A failure may come before the body has been read to its end; what still follows must not be taken for a request, so the connection closes. */
function failureAnswer(failure: EngineFailure, headers: Headers, version: string): [string, Headers, string] {
  const all = {
    ...headers,
    'Content-Type': 'text/plain; charset=UTF-8',
    'X-ClickHouse-Exception-Code': String(failure.clickhouseCode),
  };
  return [httpStatusOf(failure.clickhouseCode), all, failure.bodyText(version)];
}
