/** Small HTTP answers of an ingress thread. */

import type { HttpResponse } from 'uWebSockets.js';

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  304: 'Not Modified',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

export function statusLine(status: number): string {
  return `${status} ${REASONS[status] ?? 'Status'}`;
}

/** What is wrong with a request: a status, a stable code, and a text that says what to do. */
export interface HttpProblem {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

export const BUSY: HttpProblem = { status: 503, code: 'busy', message: 'the server is busy; try again in a moment' };
export const STOPPING: HttpProblem = {
  status: 503,
  code: 'stopping',
  message: 'the server is stopping; try again in a moment',
};

export function endWith(response: HttpResponse, { status, code, message }: HttpProblem): void {
  endJson(response, status, JSON.stringify({ error: { code, message } }));
}

export function endJson(response: HttpResponse, status: number, body: string | Uint8Array): void {
  response.cork(() => {
    response.writeStatus(statusLine(status)).writeHeader('content-type', 'application/json').end(body);
  });
}
