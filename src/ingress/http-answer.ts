/** Small HTTP answers of an ingress thread. */

import type { HttpResponse } from 'uWebSockets.js';

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

export function statusLine(status: number): string {
  return `${status} ${REASONS[status] ?? 'Status'}`;
}

/** Ends a response with an error: a stable code, and a text that says what to do. */
export function endWith(response: HttpResponse, status: number, code: string, message: string): void {
  endJson(response, status, JSON.stringify({ error: { code, message } }));
}

export function endJson(response: HttpResponse, status: number, body: string): void {
  response.cork(() => {
    response.writeStatus(statusLine(status)).writeHeader('content-type', 'application/json').end(body);
  });
}
