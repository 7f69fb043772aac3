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
  const differs = TERMS.find((name) => bothGiven(head, name));
  if (differs !== undefined) {
    const message = `given twice, differently: ${differs} in the query and in the header x-hunt-${differs}; give it once`;
    return { status: 400, code: 'bad_parameter', message };
  }
  const producer = head.header('x-hunt-producer') || (head.parameter('producer') ?? '');
  const ack = head.header('x-hunt-ack') || head.parameter('ack') || 'durable';
  const dedup = head.header('x-hunt-dedup') || head.parameter('dedup') || '0';
  if (dedup !== '0' && dedup !== '1')
    return { status: 400, code: 'bad_parameter', message: `not served: dedup=${dedup}; use dedup=1, or leave it out` };
  if (ack !== 'durable' && ack !== 'stored') {
    return { status: 400, code: 'unknown_ack', message: `unknown ack level: ack=${ack}; use durable or stored` };
  }
  if (Buffer.byteLength(producer) > PRODUCER_NAME_BYTES_MAX) {
    const message = `the producer's name is too long: bytes=${Buffer.byteLength(producer)}; use at most ${PRODUCER_NAME_BYTES_MAX}`;
    return { status: 400, code: 'producer_too_long', message };
  }
  return { producer, stored: ack === 'stored', dedup: dedup === '1' };
}

const TERMS = ['producer', 'ack', 'dedup'] as const;

function bothGiven(head: RequestHead, name: string): boolean {
  const inHeader = head.header(`x-hunt-${name}`);
  const inQuery = head.parameter(name) ?? '';
  return inHeader !== '' && inQuery !== '' && inHeader !== inQuery;
}

export function isProblem(value: object): value is HttpProblem {
  return 'message' in value;
}
