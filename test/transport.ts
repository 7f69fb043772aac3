/**
 * Which transport the servers of a test use: `HUNT_TEST_TRANSPORT`, or the one that the system would choose. A test file runs on
 * node:http as well by another beside it, `<name>.node.test.ts`, which sets the variable and imports it.
 */

import { chooseTransport } from '../src/http/choose-transport.ts';
import type { TransportKind } from '../src/http/transport.ts';

/** Those that load here, for tests that compare them. */
export const TRANSPORTS: readonly TransportKind[] = chooseTransport('auto').kind === 'uws' ? ['uws', 'node'] : ['node'];

let chosen: TransportKind | undefined;

export function testTransport(): TransportKind {
  const wanted = process.env['HUNT_TEST_TRANSPORT'];
  if (wanted === 'uws' || wanted === 'node') return wanted;
  return (chosen ??= chooseTransport('auto').kind);
}
