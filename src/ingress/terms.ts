/**
 * The terms on which frames come in: who produces, at which ack level. From headers (`X-Hunt-…`) or from the
 * query; a WebSocket says so when it opens, HTTP with each request. Ingress thread.
 */

import { PRODUCER_NAME_BYTES_MAX } from '../../native-free-core/layout/limits.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { HttpProblem } from './http-answer.ts';

export interface Terms {
  /** '': none */
  readonly producer: string;
  readonly stored: boolean;
  /** `event_id` protects although there is a producer. */
  readonly dedup: boolean;
}

export function readTerms(head: RequestHead): Terms | HttpProblem {
  const producer = head.header('x-hunt-producer') || (head.parameter('producer') ?? '');
  const ack = head.header('x-hunt-ack') || head.parameter('ack') || 'durable';
  const dedup = head.header('x-hunt-dedup') || head.parameter('dedup');
  if (ack !== 'durable' && ack !== 'stored') {
    return { status: 400, code: 'unknown_ack', message: `unknown ack level: ack=${ack}; use durable or stored` };
  }
  if (Buffer.byteLength(producer) > PRODUCER_NAME_BYTES_MAX) {
    const message = `the producer's name is too long: bytes=${Buffer.byteLength(producer)}; use at most ${PRODUCER_NAME_BYTES_MAX}`;
    return { status: 400, code: 'producer_too_long', message };
  }
  return { producer, stored: ack === 'stored', dedup: dedup === '1' };
}

export function isProblem(value: object): value is HttpProblem {
  return 'message' in value;
}
