/**
 * The address to listen on, checked before the threads take it: uWebSockets.js shares a port with whoever else shares it, so a
 * second server on the same one would silently take half of the connections. Main thread, at start.
 */

import { createServer, type AddressInfo } from 'node:net';
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

/**
 * Listens for a moment as one who shares with nobody, and returns the address with the port that was free. Port 0 is resolved
 * here because uWebSockets.js does not let go of a port of the system's choice for a minute after it has ended.
 */
export async function probeAddress({ host, port }: Address): Promise<Address> {
  const server = createServer((socket) => socket.destroy());
  try {
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen({ host, port, exclusive: true }, resolve),
    );
    const found = (server.address() as AddressInfo).port;
    await new Promise((resolve) => server.close(resolve));
    return { host, port: found };
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const message = `cannot listen: host=${host} port=${port} error=${code}; stop whoever has it, or choose another address`;
    throw new OperatingError('listen_failed', message, { cause });
  }
}
