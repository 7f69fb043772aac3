/** Bytes on a socket, as no HTTP library would send them, and what comes back. */

import { connect } from 'node:net';

export interface RawAnswer {
  readonly text: string;
  /** Of each answer, interim ones (1xx) left out. */
  readonly statuses: readonly number[];
  /** The server has ended the connection. */
  readonly closed: boolean;
}

export interface RawOptions {
  /** Between two pieces. */
  readonly pauseMs?: number;
  /** How long to wait for more once everything has been sent and something has come. */
  readonly quietMs?: number;
  readonly msMax?: number;
}

export function sendRaw(
  port: number,
  pieces: readonly (string | Uint8Array)[],
  options: RawOptions = {},
): Promise<RawAnswer> {
  const { pauseMs = 20, quietMs = 250, msMax = 3000 } = options;
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    let quiet: NodeJS.Timeout | undefined;
    const finish = (closed: boolean): void => {
      clearTimeout(end);
      clearTimeout(quiet);
      socket.destroy();
      const statuses = [...text.matchAll(/HTTP\/1\.[01] (\d{3}) /g)].map((match) => Number(match[1]));
      done({ text, statuses: statuses.filter((status) => status >= 200), closed });
    };
    const end = setTimeout(() => finish(false), msMax);
    let sent = false;
    const settle = (): void => {
      clearTimeout(quiet);
      if (sent && text !== '') quiet = setTimeout(() => finish(false), quietMs);
    };
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      settle();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => finish(true));
    void (async () => {
      for (const piece of pieces) {
        if (socket.destroyed) return;
        socket.write(piece);
        await new Promise((next) => setTimeout(next, pauseMs));
      }
      sent = true;
      settle();
    })();
  });
}
