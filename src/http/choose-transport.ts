/**
 * Which transport serves: uWebSockets.js where its binary loads, else node:http and ws. Chosen once at start by the main
 * thread, which says so; the ingress threads and the embedded ClickHouse's process are told.
 */

import { OperatingError } from '../errors.ts';
import { describeSystem, loadFailure } from '../system/platform.ts';
import { nodeTransport } from './node.ts';
import type { Transport, TransportKind } from './transport.ts';
import { loadUws } from './uws.ts';

export type WantedTransport = TransportKind | 'auto';

export interface ChosenTransport {
  readonly kind: TransportKind;
  /** Why it is the slower one; null where that was asked for, or it is the faster. */
  readonly warning: string | null;
}

/** Throws OperatingError: transport_unavailable, ingresses_unavailable, where what is wanted cannot be had. */
export function chooseTransport(wanted: WantedTransport, threads = 1): ChosenTransport {
  const chosen = choose(wanted);
  if (threads > 1 && !canSharePort(chosen.kind))
    throw new OperatingError(
      'ingresses_unavailable',
      `node:http cannot share a port between threads here: ingresses=${threads} node=${process.versions.node} ` +
        `platform=${process.platform}; use --ingresses 1, or Node 22.12 or later on Linux`,
    );
  return chosen;
}

function choose(wanted: WantedTransport): ChosenTransport {
  if (wanted === 'node') return { kind: 'node', warning: null };
  const missing = whyUwsIsMissing();
  if (missing === null) return { kind: 'uws', warning: null };
  if (wanted === 'uws')
    throw new OperatingError(
      'transport_unavailable',
      `uWebSockets.js does not load, ${missing}; use --transport node; ${REMEDY}`,
    );
  return {
    kind: 'node',
    warning: `serving over node:http, which is slower, because uWebSockets.js does not load: ${missing}; ${REMEDY}; with --transport node nothing is said`,
  };
}

export function openTransport(kind: TransportKind): Transport {
  return kind === 'uws' ? loadUws() : nodeTransport();
}

/**
 * Several threads on one port. node:http needs the option `reusePort` of node:net: since 22.12 and 23.1, where the system
 * balances between the listeners.
 */
export function canSharePort(kind: TransportKind): boolean {
  if (kind === 'uws') return true;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return process.platform === 'linux' && (major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12));
}

const REMEDY =
  'for the fast one use Node 20, or a system with glibc 2.38 (Debian 13, Ubuntu 24.04) and ' +
  'npm install "uWebSockets.js@github:uNetworking/uWebSockets.js#v20.52.0"';

/** In one line; null: it loads. */
function whyUwsIsMissing(): string | null {
  try {
    loadUws();
    return null;
  } catch (error) {
    return `${loadFailure(error)}: ${describeSystem()}`;
  }
}
