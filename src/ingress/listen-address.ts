/**
 * The address to listen on, checked before the threads take it: uWebSockets.js shares a port with whoever else shares it, so
 * a second server on the same one would silently take half of the connections. Main thread, at start.
 */

import { createServer, type AddressInfo } from 'node:net';
import { OperatingError } from '../errors.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `option`: what the user calls it. */
export function addressOf(listen: string, option = 'listen'): Address {
  const match = /^(?:\[(.+)\]|([^:]*)):(\d{1,5})$/.exec(listen);
  const port = Number(match?.[3]);
  if (match === null || port > 65535) {
    throw new OperatingError(
      'bad_listen',
      `not an address: ${option}=${listen}; write host:port, for example 127.0.0.1:8700`,
    );
  }
  return { host: match[1] ?? (match[2] || '0.0.0.0'), port };
}

/**
 * Listens for a moment as one who shares with nobody, and returns the address with the port that was free. Port 0 is
 * resolved here because uWebSockets.js does not let go of a port of the system's choice for a minute after it has ended.
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

export interface Listening {
  readonly listen: string;
  /** null: nothing of ours listens there. */
  readonly clickhouseListen: string | null;
  /** A ClickHouse of an earlier start may hold its port for another moment; it is ended later. */
  readonly isFirstStart: boolean;
}

/** Finds out before anything is started whether these addresses can be had. */
export async function probeAddresses({ listen, clickhouseListen, isFirstStart }: Listening): Promise<void> {
  const events = addressOf(listen);
  await probeAddress(events);
  if (clickhouseListen === null) return;
  const clickhouse = addressOf(clickhouseListen, 'clickhouse-listen');
  if (events.port !== 0 && events.port === clickhouse.port && events.host === clickhouse.host)
    throw new OperatingError(
      'bad_listen',
      `events and ClickHouse cannot have the same address: listen=${listen} clickhouse-listen=${clickhouseListen}; choose another port for one of them`,
    );
  if (isFirstStart) await probeAddress(clickhouse);
}
