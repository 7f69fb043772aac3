/** The load generator's own WebSocket against the `ws` package, and its reader against bytes cut anywhere. */

import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { serverAddress } from '../../client/src/address.ts';
import { MessageReader } from '../../src/client/message-reader.ts';
import {
  frameHeaderBytes,
  openRawWebSocket,
  writeWebSocketHeader,
  type RawWebSocket,
} from '../../src/client/raw-websocket.ts';
import { seeded } from '../../src/cli/load/random.ts';

const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function serve(onConnection: (socket: WebSocket, url: string) => void): Promise<string> {
  const http = createServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate: false, maxPayload: 1 << 20 });
  server.on('connection', (socket, request) => onConnection(socket, request.url ?? ''));
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  open.push(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
    http.closeAllConnections();
    http.close();
  });
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

interface Client {
  readonly socket: RawWebSocket;
  readonly messages: Buffer[];
  readonly closed: string[];
  settled: number;
}

async function connect(url: string, terms: Record<string, string> = {}): Promise<Client> {
  const messages: Buffer[] = [];
  const closed: string[] = [];
  const client = { messages, closed, settled: 0 };
  const socket = await openRawWebSocket(serverAddress(url, 'secret'), terms, 'hunt.v1.proto', {
    message: (bytes, start, end) => void messages.push(Buffer.from(bytes.slice(start, end))),
    settled: () => void client.settled++,
    closed: (reason) => void closed.push(reason),
  });
  open.push(() => socket.close());
  return Object.assign(client, { socket });
}

function framed(payload: Buffer): Buffer {
  const out = Buffer.alloc(frameHeaderBytes(payload.length) + payload.length);
  payload.copy(out, writeWebSocketHeader(out, 0, payload.length));
  return out;
}

const SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 300_000];

test('what goes out is what ws reads, and what ws writes comes back, at every length of a header', async () => {
  const random = seeded(5);
  const url = await serve((socket) => socket.on('message', (data: Buffer) => socket.send(data)));
  const client = await connect(url, { producer: 'p' });
  const payloads = SIZES.map((size) => Buffer.from(Uint8Array.from({ length: size }, () => random() * 256)));
  client.socket.write(Buffer.concat(payloads.map(framed)));
  await expect.poll(() => client.messages.length).toBe(payloads.length);
  client.messages.forEach((message, i) => expect(message.equals(payloads[i])).toBe(true));
  expect(client.settled).toBeGreaterThan(0);
});

test('terms, subprotocol and key arrive; what the server says at once is not lost', async () => {
  const seen: string[] = [];
  const http = createServer();
  const server = new WebSocketServer({ server: http, handleProtocols: (offered) => [...offered][0] ?? false });
  server.on('connection', (socket, request) => {
    seen.push(request.url ?? '', request.headers.authorization ?? '', socket.protocol);
    socket.send('hello');
  });
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  open.push(() => void http.close());
  const client = await connect(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`, {
    producer: 'a b',
    ack: 'stored',
  });
  await expect.poll(() => client.messages.map(String)).toEqual(['hello']);
  expect(seen).toEqual(['/v1/stream?producer=a+b&ack=stored', 'Bearer secret', 'hunt.v1.proto']);
});

test('pings are answered; fragments are put together', async () => {
  let pongs = 0;
  const url = await serve((socket) => {
    socket.on('pong', (data) => (pongs += data.toString() === 'are you there' ? 1 : 0));
    socket.ping('are you there');
    socket.send('one ', { fin: false });
    socket.send('message', { fin: true });
  });
  const client = await connect(url);
  await expect.poll(() => pongs).toBe(1);
  await expect.poll(() => client.messages.map(String)).toEqual(['one message']);
});

test('a goodbye is told once, with its reason; a close of our own is not', async () => {
  const url = await serve((socket) => socket.close(1001, 'going away'));
  const client = await connect(url);
  await expect.poll(() => client.closed).toEqual([expect.stringMatching(/going away code=1001/)]);
  const quiet = await serve(() => undefined);
  const other = await connect(quiet);
  other.socket.close();
  expect(other.closed).toEqual([]);
});

describe('a connection that cannot be', () => {
  test('refused, in the server’s words', async () => {
    const http = createServer().on('upgrade', (_, socket) => {
      const body = '{"error":{"code":"unauthorized","message":"an API key is required"}}';
      socket.end(`HTTP/1.1 401 Unauthorized\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
    await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
    open.push(() => void http.close());
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    await expect(connect(url)).rejects.toMatchObject({
      code: 'connection_refused',
      retryable: false,
      message: expect.stringContaining('an API key is required') as string,
    });
  });

  test('somebody who is no WebSocket server: a wrong accept, and no HTTP at all', async () => {
    const answers = ['HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: nonsense\r\n\r\n', 'x'.repeat(20_000)];
    for (const answer of answers) {
      const tcp = createTcpServer((socket) => void socket.on('error', () => undefined).end(answer));
      await new Promise<void>((done) => tcp.listen(0, '127.0.0.1', done));
      open.push(() => void tcp.close());
      await expect(connect(`http://127.0.0.1:${(tcp.address() as AddressInfo).port}`)).rejects.toMatchObject({
        name: 'OperatingError',
      });
    }
  });

  test('nobody listens', async () => {
    const tcp = createTcpServer();
    await new Promise<void>((done) => tcp.listen(0, '127.0.0.1', done));
    const { port } = tcp.address() as AddressInfo;
    await new Promise<void>((done) => tcp.close(() => done()));
    await expect(connect(`http://127.0.0.1:${port}`)).rejects.toMatchObject({
      code: 'server_unreachable',
      message: expect.stringContaining('hunt serve') as string,
    });
  });
});

test('the reader takes bytes cut anywhere', () => {
  const seed = 77;
  const random = seeded(seed);
  // As a server writes: no mask.
  const head = (length: number): number[] =>
    length < 126
      ? [0x82, length]
      : length < 65_536
        ? [0x82, 126, length >> 8, length & 255]
        : [0x82, 127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255];
  const payloads = Array.from({ length: 200 }, (_, i) =>
    Buffer.alloc(SIZES[i % SIZES.length] > 70_000 ? 70_000 : SIZES[i % SIZES.length], i),
  );
  const stream = Buffer.concat(payloads.flatMap((payload) => [Buffer.from(head(payload.length)), payload]));
  for (let round = 0; round < 5; round++) {
    const seen: Buffer[] = [];
    const reader = new MessageReader({
      message: (bytes, start, end) => void seen.push(Buffer.from(bytes.slice(start, end))),
      ping: () => undefined,
      closed: (reason) => expect.fail(reason),
    });
    for (let at = 0; at < stream.length;) {
      const most = random() < 0.5 ? 7 : 100_000;
      const size = Math.min(stream.length - at, 1 + Math.floor(random() * most));
      reader.feed(stream, at, at + size);
      at += size;
    }
    expect(seen.length, `seed=${seed}`).toBe(payloads.length);
    seen.forEach((message, i) => expect(message.equals(payloads[i])).toBe(true));
  }
});

test('a server that masks, or threatens with too much, is left', () => {
  for (const bytes of [
    [0x82, 0x81, 0, 0, 0, 0, 1],
    [0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0],
  ]) {
    const closed: string[] = [];
    const reader = new MessageReader({
      message: () => expect.fail('no message'),
      ping: () => undefined,
      closed: (reason) => void closed.push(reason),
    });
    reader.feed(Uint8Array.from(bytes), 0, bytes.length);
    reader.feed(Uint8Array.from([0x82, 0]), 0, 2);
    expect(closed).toHaveLength(1);
  }
});
