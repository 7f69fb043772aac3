/**
 * The doors through which tests come in: which transport serves, and whether a key is asked for. A test file says nothing of
 * it: the servers that it starts and the helpers that ask them read `HUNT_TEST_TRANSPORT` and `HUNT_TEST_KEY`, and the
 * projects of vitest.config.ts set these, so that the same file runs through several doors. Without them: the transport that
 * the system would choose, and no key.
 */

import { chooseTransport } from '../src/http/choose-transport.ts';
import type { TransportKind } from '../src/http/transport.ts';

const TRANSPORT = process.env['HUNT_TEST_TRANSPORT'];
const KEY = process.env['HUNT_TEST_KEY'];
/** Of the servers that a test starts. */
export const TEST_KEYS: readonly string[] = KEY === undefined ? [] : [KEY];

/** Those that load here, or the one that was asked for. */
export const TRANSPORTS: readonly TransportKind[] = transports();

export function testTransport(): TransportKind {
  return TRANSPORTS[0]!;
}

/** Of a request to either port. */
export const KEY_HEADERS: Readonly<Record<string, string>> =
  KEY === undefined ? {} : { authorization: `Bearer ${KEY}` };

/** The key is asked for: then whoever shows none must not get in. */
export const isKeyed = KEY !== undefined;

/** Of a child process, server or command. */
export function childEnvironment(): NodeJS.ProcessEnv {
  return KEY === undefined ? process.env : { ...process.env, HUNT_KEY: KEY };
}

export interface Door {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Each transport that loads without a key and with one. The first is the one that is taken where nothing is said. */
export const DOORS: readonly Door[] = TRANSPORTS.flatMap((transport, index) => [
  // Of the first nothing is said: tests that compare transports see all of them.
  { name: transport, env: index === 0 ? {} : { HUNT_TEST_TRANSPORT: transport } },
  { name: `${transport}, key`, env: { HUNT_TEST_TRANSPORT: transport, HUNT_TEST_KEY: 'a-key-of-the-tests' } },
]);

function transports(): TransportKind[] {
  if (TRANSPORT === 'uws' || TRANSPORT === 'node') return [TRANSPORT];
  return chooseTransport('auto').kind === 'uws' ? ['uws', 'node'] : ['node'];
}
