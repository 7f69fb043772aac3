/** Small HTTP answers of an ingress thread. */

import type { ErrorCode } from '../../native-free-core/base/error-codes.ts';
import type { Exchange, RefusedUpgrade } from '../http/transport.ts';

/** What is wrong with a request: a status, a stable code, and a text that says what to do. */
export interface HttpProblem {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const SERVER_BUSY: HttpProblem = {
  status: 503,
  code: 'busy',
  message: 'the server is busy; try again in a moment',
};
export const SERVER_STOPPING: HttpProblem = {
  status: 503,
  code: 'stopping',
  message: 'the server is stopping; try again in a moment',
};

const JSON_TYPE = { 'content-type': 'application/json' };

export function endWith(exchange: Exchange, problem: HttpProblem): void {
  const { status, headers, body } = refusal(problem);
  exchange.end(status, headers, body);
}

export function refusal({ status, code, message, headers }: HttpProblem): RefusedUpgrade {
  return { status, headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify({ error: { code, message } }) };
}

export function endJson(exchange: Exchange, status: number, body: string | Uint8Array): void {
  exchange.end(status, JSON_TYPE, body);
}
