/**
 * Stands between the warehouse and ClickHouse and breaks what goes through: requests cut at a random byte, answers lost
 * after ClickHouse has done what it was told, answers that come late, errors in ClickHouse's name. It forwards bytes as they
 * are.
 */

import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export type Fault = 'none' | 'cut-request' | 'lose-answer' | 'cut-answer' | 'delay' | 'error-500' | 'reset';

export interface FaultyProxy {
  readonly url: string;
  /** How often each fault struck. */
  readonly struck: Record<Fault, number>;
  close(): Promise<void>;
}

export interface FaultyProxyOptions {
  readonly host: string;
  readonly port: number;
  /** Chosen anew for each request, by its first bytes. */
  readonly chooseFault: (head: string) => Fault;
  readonly random: () => number;
  readonly delayMs: number;
}

const ERROR_TEXT =
  'Code: 241. DB::Exception: Memory limit (total) exceeded: made up for a test. (MEMORY_LIMIT_EXCEEDED) (version 26)\n';
const ERROR = `HTTP/1.1 500 Internal Server Error\r\nX-ClickHouse-Exception-Code: 241\r\nContent-Length: ${ERROR_TEXT.length}\r\nConnection: close\r\n\r\n${ERROR_TEXT}`;
/** Enough for the method and the begin of the URL. */
const HEAD_BYTES = 500;
/** A request is cut within what came first of it, or within so many bytes: one that names a file is short. */
const CUT_BYTES_MAX = 20_000;

export async function startFaultyProxy(options: FaultyProxyOptions): Promise<FaultyProxy> {
  const struck = { none: 0, 'cut-request': 0, 'lose-answer': 0, 'cut-answer': 0, delay: 0, 'error-500': 0, reset: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(options.port, options.host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    let fault: Fault = 'none';
    let isAnswering = true;
    let left = 0;
    client.on('data', (chunk: Buffer) => {
      // The first bytes after an answer begin a new request.
      if (isAnswering) {
        isAnswering = false;
        fault = options.chooseFault(chunk.toString('latin1', 0, HEAD_BYTES));
        struck[fault]++;
        left = Math.floor(options.random() * (options.random() < 0.5 ? chunk.length : CUT_BYTES_MAX));
      }
      if (fault === 'reset') client.resetAndDestroy();
      else if (fault === 'error-500') client.end(ERROR);
      else if (fault === 'cut-request' && chunk.length >= left) {
        upstream.write(chunk.subarray(0, left), () => upstream.destroy());
      } else {
        left -= chunk.length;
        upstream.write(chunk);
      }
    });
    upstream.on('data', (chunk: Buffer) => {
      isAnswering = true;
      if (fault === 'lose-answer') client.destroy();
      else if (fault === 'cut-answer')
        client.write(chunk.subarray(0, Math.floor(options.random() * chunk.length)), () => client.destroy());
      else if (fault === 'delay') setTimeout(() => client.destroyed || client.write(chunk), options.delayMs);
      else client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    struck,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
