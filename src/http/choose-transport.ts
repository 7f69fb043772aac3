/**
 * Which transport serves: uWebSockets.js where its binary loads, else node:http and ws. Chosen once at start by the main thread, which
 * says so; the ingress threads and the embedded ClickHouse's process are told.
 */

import { OperatingError } from '../errors.ts';
import type { Transport, TransportKind } from './transport.ts';
import { loadUws } from './uws.ts';

export function openTransport(kind: TransportKind): Transport {
  if (kind === 'uws') return loadUws();
  throw new OperatingError('transport_unavailable', `no such transport yet: transport=${kind}`);
}
