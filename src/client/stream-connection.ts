/** One WebSocket connection of HuntClient: opens, waits for the hello, carries frames out and answers in. It never comes back. */

import { WebSocket, type RawData } from 'ws';
import { OperatingError } from '../errors.ts';
import { reasonOf, streamUrl, unreachable, type ServerAddress } from './address.ts';
import { readHello, type ClientHello } from './answer.ts';
import { refusalText } from './control.ts';
import type { Encoding } from './frame.ts';

export interface ConnectionTerms {
  readonly address: ServerAddress;
  readonly encoding: Encoding;
  readonly producer: string;
  readonly ack: 'durable' | 'stored';
}

export interface ConnectionHandlers {
  readonly message: (bytes: Buffer) => void;
  /** Once, after the hello. */
  readonly closed: (reason: string) => void;
}

export interface StreamConnection {
  readonly hello: ClientHello;
  send(frame: Uint8Array | string): void;
  /** `closed` is not called any more. */
  close(): Promise<void>;
}

/** From the first byte to the hello. */
const OPEN_MS = 10_000;
const CLOSE_MS = 2000;
/** An answer to the largest frame of JSON events stays far below. */
const MESSAGE_BYTES_MAX = 64 << 20;
/** The server pings well within this where nothing else goes; silence means that it is gone without a word. */
const SILENCE_MS = 150_000;
const REFUSAL_BYTES_MAX = 4096;

export function openConnection(terms: ConnectionTerms, handlers: ConnectionHandlers): Promise<StreamConnection> {
  const { address, encoding, producer, ack } = terms;
  const socket = new WebSocket(streamUrl(address, { producer, ack }), `hunt.v1.${encoding}`, {
    headers: { ...address.headers },
    perMessageDeflate: false,
    handshakeTimeout: OPEN_MS,
    maxPayload: MESSAGE_BYTES_MAX,
  });
  return new Promise((resolve, reject) => {
    let hello: ClientHello | null = null;
    let reason = 'the server closed the connection';
    let silence = setTimeout(() => stop('no hello came'), OPEN_MS);
    const stop = (why: string): void => {
      reason = why;
      socket.terminate();
    };
    const heard = (): void => {
      clearTimeout(silence);
      silence = setTimeout(() => stop('the server fell silent'), SILENCE_MS);
      silence.unref();
    };
    socket.on('ping', heard);
    socket.on('message', (data: RawData) => {
      const bytes = data as Buffer;
      heard();
      if (hello !== null) return handlers.message(bytes);
      hello = readHello(encoding, bytes);
      if (hello === null) return stop('the first message is no hello; is this a hunt server?');
      resolve({ hello, send: (frame) => socket.send(frame), close: () => close(socket) });
    });
    socket.on('unexpected-response', (_, response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        if (body.length < REFUSAL_BYTES_MAX) body += text;
      });
      response.on('end', () => {
        reject(refused(address, response.statusCode ?? 0, body));
        socket.terminate();
      });
    });
    socket.on('error', (error) => {
      reason = reasonOf(error);
    });
    socket.on('close', (code, text) => {
      clearTimeout(silence);
      if (text.length > 0) reason = text.toString('utf8');
      if (hello === null) reject(unreachable(address, new Error(reason)));
      else handlers.closed(`${reason} code=${code}`);
    });
  });
}

/** What is wrong with the request stays wrong; a busy server may take it later. */
function refused(address: ServerAddress, status: number, body: string): OperatingError {
  return new OperatingError(
    'connection_refused',
    `the server refused the connection: url=${address.http.origin} status=${status} ${refusalText(body)}`,
    {
      retryable: status >= 500 || status === 429,
    },
  );
}

async function close(socket: WebSocket): Promise<void> {
  socket.removeAllListeners('message').removeAllListeners('close');
  if (socket.readyState === WebSocket.CLOSED) return;
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.close(1000);
  const late = setTimeout(() => socket.terminate(), CLOSE_MS);
  await closed;
  clearTimeout(late);
}
