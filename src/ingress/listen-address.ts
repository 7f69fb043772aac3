/**
 * The address to listen on, checked before the threads take it: uWebSockets.js shares a port with whoever else shares it, so a
 * second server on the same one would silently take half of the connections. Main thread, at start.
 */

import { createServer } from 'node:net';
import { OperatingError } from '../errors.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export function addressOf(listen: string): Address {
  const match = /^(?:\[(.+)\]|([^:]*)):(\d{1,5})$/.exec(listen);
  const port = Number(match?.[3]);
  if (match === null || port > 65535) {
    throw new OperatingError(
      'bad_listen',
      `not an address: listen=${listen}; write host:port, for example 127.0.0.1:8700`,
    );
  }
  return { host: match[1] ?? (match[2] || '0.0.0.0'), port };
}

/** Listens for a moment as one who shares with nobody. */
export async function probeAddress({ host, port }: Address): Promise<void> {
  if (port === 0) return;
  const server = createServer((socket) => socket.destroy());
  try {
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen({ host, port, exclusive: true }, resolve),
    );
    await new Promise((resolve) => server.close(resolve));
  } catch (cause) {
    throw new OperatingError(
      'listen_failed',
      `cannot listen: host=${host} port=${port} error=${(cause as NodeJS.ErrnoException).code}; stop whoever has it, or choose another address`,
      { cause },
    );
  }
}
