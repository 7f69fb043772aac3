/**
 * What a browser is told so that a page of an allowed origin may speak to a server and read its answers (CORS, Fetch
 * standard). Who is allowed, origins.ts says; pages that are not never get this far. Used on both ports.
 */

import type { RequestHead } from '../http/request-head.ts';
import type { AnswerHeaders } from '../http/transport.ts';

/** Names of headers, by commas. */
const TOKENS = /^[\w-]+(, *[\w-]+)*$/;
/** A day; browsers take less where they like. */
const PREFLIGHT_SECONDS = '86400';

/** On every answer to a page. `vary`: the answer to another page is another one. */
export function readableBy(page: string): AnswerHeaders {
  return { 'access-control-allow-origin': page, 'access-control-expose-headers': '*', vary: 'Origin' };
}

/** What is asked for is granted: headers carry no rights here but by their key, which the page must know. */
export function preflightHeaders(head: RequestHead, methods: string): AnswerHeaders {
  const headers = head.header('access-control-request-headers');
  const isNear = head.header('access-control-request-private-network') === 'true';
  return {
    'access-control-allow-methods': methods,
    ...(!TOKENS.test(headers) ? {} : { 'access-control-allow-headers': headers }),
    ...(isNear ? { 'access-control-allow-private-network': 'true' } : {}),
    'access-control-max-age': PREFLIGHT_SECONDS,
  };
}
