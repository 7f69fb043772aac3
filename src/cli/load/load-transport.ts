/**
 * The two doors of a load connection: `/v1/stream`, and `POST /v1/events` with one request at a time on a connection kept
 * open.
 */

import { HELLO_TAG } from '../../../client/src/answer.ts';
import { readHelloProto } from '../../../native-free-core/codec/messages.ts';
import { connect } from 'node:net';
import { reasonOf, unreachable, type ServerAddress } from '../../../client/src/address.ts';
import { openRawWebSocket } from '../../client/raw-websocket.ts';
import { OperatingError } from '../../errors.ts';

export interface LoadConnection {
  /** Frames that may be unanswered at once. */
  readonly framesInFlightMax: number;
  /** Events that may be; 0: as many as there are. */
  readonly eventsInFlight: number;
  /** Highest number that the server has of this producer. */
  readonly highestSeq: number;
  /** Whole frames with their headers. The bytes must not change before `written`. */
  write(frames: Uint8Array, written?: () => void): void;
  close(): void;
}

export interface TransportHandlers {
  /** One answer in protobuf; the bytes are valid during the call only. */
  readonly answer: (bytes: Uint8Array, start: number, end: number) => void;
  /** After the answers that came together. */
  readonly settled: () => void;
  readonly closed: (reason: string) => void;
}

export interface TransportTerms {
  readonly address: ServerAddress;
  readonly producer: string;
  readonly ack: 'durable' | 'stored';
}

export type OpenTransport = (terms: TransportTerms, handlers: TransportHandlers) => Promise<LoadConnection>;

const HELLO_MS = 10_000;
const OPEN_MS = 10_000;
const HEAD_BYTES_MAX = 16_384;

export const openWebSocketTransport: OpenTransport = async ({ address, producer, ack }, handlers) => {
  let hello: ReturnType<typeof readHelloProto> = null;
  let arrived: () => void = () => undefined;
  let failed: (error: Error) => void = () => undefined;
  const greeted = new Promise<void>((resolve, reject) => {
    arrived = resolve;
    failed = reject;
  });
  greeted.catch(() => undefined);
  const socket = await openRawWebSocket(address, { producer, ack }, 'hunt.v1.proto', {
    message(bytes, start, end) {
      if (hello !== null) {
        // A hello between answers: the pipeline has changed, which is nothing to a load.
        if (bytes[start] !== HELLO_TAG) handlers.answer(bytes, start, end);
        return;
      }
      hello = readHelloProto(bytes.slice(start, end));
      arrived();
    },
    settled: () => hello !== null && handlers.settled(),
    closed(reason) {
      if (hello === null) failed(unreachable(address, new Error(reason)));
      else handlers.closed(reason);
    },
  });
  const late = setTimeout(() => failed(unreachable(address, new Error('no hello came'))), HELLO_MS);
  try {
    await greeted;
  } catch (error) {
    socket.close();
    throw error;
  } finally {
    clearTimeout(late);
  }
  const { framesInFlight, eventsInFlight, highestSeq } = hello!;
  const { write, close } = socket;
  return { framesInFlightMax: framesInFlight, eventsInFlight, highestSeq, write, close };
};

export const openHttpTransport: OpenTransport = ({ address, producer, ack }, handlers) => {
  const { hostname, port, host } = address.http;
  if (address.http.protocol !== 'http:')
    throw new OperatingError(
      'bad_url',
      `the load over HTTP is unencrypted: url=${address.http.origin}; use --protocol ws`,
    );
  const head = [
    'POST /v1/events HTTP/1.1',
    `Host: ${host}`,
    'Content-Type: application/x-protobuf',
    `X-Hunt-Producer: ${producer}`,
    `X-Hunt-Ack: ${ack}`,
    ...Object.entries(address.headers).map(([name, value]) => `${name}: ${value}`),
    'Content-Length: ',
  ].join('\r\n');
  return new Promise((resolve, reject) => {
    let kept: Buffer = Buffer.alloc(0);
    let state: 'opening' | 'open' | 'closed' = 'opening';
    const end = (reason: string): void => {
      if (state === 'closed') return;
      const opened = state === 'open';
      state = 'closed';
      socket.destroy();
      if (opened) handlers.closed(reason);
      else reject(unreachable(address, new Error(reason)));
    };
    const socket = connect({ host: hostname, port: Number(port || 80), noDelay: true });
    socket.setTimeout(OPEN_MS, () => state === 'opening' && end('no answer'));
    socket.on('error', (error) => end(reasonOf(error)));
    socket.on('close', () => end('the server closed the connection'));
    socket.on('connect', () => {
      state = 'open';
      socket.setTimeout(0);
      resolve({
        framesInFlightMax: 1,
        eventsInFlight: 0,
        highestSeq: 0,
        write(frames, written) {
          socket.cork();
          socket.write(`${head}${frames.length}\r\n\r\n`);
          socket.write(frames, written);
          socket.uncork();
        },
        close() {
          state = 'closed';
          socket.destroySoon();
        },
      });
    });
    socket.on('data', (chunk: Buffer) => {
      kept = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
      for (let body = bodyOf(kept); body !== null; body = bodyOf(kept)) {
        if (body.refusal !== '') return end(body.refusal);
        handlers.answer(kept, body.start, body.end);
        kept = kept.subarray(body.end);
      }
      if (kept.length > HEAD_BYTES_MAX && kept.indexOf('\r\n\r\n') < 0) return end('the server does not speak HTTP');
      handlers.settled();
    });
  });
};

interface Body {
  readonly start: number;
  readonly end: number;
  /** '' for an answer in protobuf, whatever its status; else what the server says. */
  readonly refusal: string;
}

/** null until a whole response is there. */
function bodyOf(bytes: Buffer): Body | null {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const head = bytes.toString('latin1', 0, headEnd);
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  const start = headEnd + 4;
  if (bytes.length < start + length) return null;
  const isAnswer = /^content-type: *application\/x-protobuf/im.test(head);
  const refusal = isAnswer ? '' : `${head.split('\r\n', 1)[0]} ${bytes.toString('utf8', start, start + length)}`;
  return { start, end: start + length, refusal };
}
