/**
 * The least of a WebSocket client (RFC 6455): a handshake, frames that the caller has framed already, whole messages back.
 * For the load generator, whose own cost must stay small beside what it measures; other clients use `ws`.
 *
 *   frame to the server    0x82 | 0x80 + length (7 bits, or 126 + 16 bits, or 127 + 64 bits) | mask, 4 bytes | payload
 *
 * Clients must mask; with the mask 0 the payload stays as it is.
 */

import { createHash, randomBytes } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { OperatingError } from '../errors.ts';
import { reasonOf, refusalText, streamUrl, unreachable, type ServerAddress } from '../../client/src/address.ts';

import { MessageReader } from './message-reader.ts';

export interface RawWebSocket {
  /** Takes bytes of whole frames; they must not change before `written`. */
  write(bytes: Uint8Array, written?: () => void): void;
  /** `closed` is not called any more. */
  close(): void;
}

export interface RawWebSocketHandlers {
  /** The bytes are valid during the call only. */
  readonly message: (bytes: Uint8Array, start: number, end: number) => void;
  /** After the messages that came together. */
  readonly settled: () => void;
  readonly closed: (reason: string) => void;
}

const OPEN_MS = 10_000;
const HEAD_BYTES_MAX = 16_384;
const READ_BYTES = 1 << 18;
/** RFC 6455, section 1.3. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const FINAL_BINARY = 0x82;
const FINAL_PONG = 0x8a;
const MASKED = 0x80;

/** Bytes of the header before a payload of this length. */
export function frameHeaderBytes(length: number): number {
  return length < 126 ? 6 : length < 65536 ? 8 : 14;
}

/** Writes the header of a whole binary message and returns where the payload begins. */
export function writeWebSocketHeader(out: Buffer, at: number, length: number): number {
  out[at] = FINAL_BINARY;
  if (length < 126) out[at + 1] = MASKED | length;
  else if (length < 65536) {
    out[at + 1] = MASKED | 126;
    out.writeUInt16BE(length, at + 2);
  } else {
    out[at + 1] = MASKED | 127;
    out.writeBigUInt64BE(BigInt(length), at + 2);
  }
  const body = at + frameHeaderBytes(length);
  out.writeUInt32LE(0, body - 4);
  return body;
}

/** Opens `/v1/stream`; resolves once the server has switched protocols. */
export function openRawWebSocket(
  address: ServerAddress,
  terms: Readonly<Record<string, string>>,
  protocol: string,
  handlers: RawWebSocketHandlers,
): Promise<RawWebSocket> {
  const url = streamUrl(address, terms);
  const key = randomBytes(16).toString('base64');
  return new Promise((resolve, reject) => {
    let state: 'opening' | 'open' | 'closed' = 'opening';
    let head = Buffer.alloc(0);
    const end = (reason: string, error?: OperatingError): void => {
      if (state === 'closed') return;
      const opened = state === 'open';
      state = 'closed';
      socket.destroy();
      if (opened) handlers.closed(reason);
      else reject(error ?? unreachable(address, new Error(reason)));
    };
    const reader = new MessageReader({
      message: handlers.message,
      ping: (payload) => void socket.write(pong(payload)),
      closed: end,
    });
    const take = (bytes: Buffer): void => {
      if (state === 'open') {
        reader.feed(bytes, 0, bytes.length);
        handlers.settled();
        return;
      }
      head = Buffer.concat([head, bytes]);
      const bodyAt = head.indexOf('\r\n\r\n') + 4;
      if (bodyAt < 4) return head.length > HEAD_BYTES_MAX ? end('the server does not speak HTTP') : undefined;
      const refusal = refusalOf(address, head, bodyAt, key);
      if (refusal !== null) return end(refusal.message, refusal);
      state = 'open';
      socket.setTimeout(0);
      resolve({
        write: (frames, written) => void socket.write(frames, written),
        close() {
          state = 'closed';
          socket.end();
          socket.destroySoon();
        },
      });
      // What came with the head waits until the caller has the socket.
      const rest = Buffer.from(head.subarray(bodyAt));
      queueMicrotask(() => {
        if (rest.length > 0 && state === 'open') take(rest);
      });
    };
    const socket = openSocket(url, take);
    socket.setNoDelay(true);
    socket.setTimeout(OPEN_MS, () => end('no answer'));
    socket.on('error', (error) => end(reasonOf(error)));
    socket.on('close', () => end('the server closed the connection'));
    socket.write(requestHead(url, key, protocol, address.headers));
  });
}

/** One buffer for all that is read: messages are handled where they lie. TLS brings its own. */
function openSocket(url: URL, take: (bytes: Buffer) => void): Socket {
  const secure = url.protocol === 'wss:';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = Number(url.port || (secure ? 443 : 80));
  if (secure) return connectTls({ host, port, servername: host }).on('data', take);
  const callback = (count: number, buffer: Uint8Array): boolean => {
    take(Buffer.from(buffer.buffer, buffer.byteOffset, count));
    return true;
  };
  return connectTcp({ host, port, onread: { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback } });
}

function requestHead(url: URL, key: string, protocol: string, headers: Readonly<Record<string, string>>): string {
  const lines = [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Protocol: ${protocol}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** null where the server has switched to the protocol that was asked for. */
function refusalOf(address: ServerAddress, head: Buffer, bodyAt: number, key: string): OperatingError | null {
  const text = head.toString('latin1', 0, bodyAt);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
  const accept = /^sec-websocket-accept: *(\S+)/im.exec(text)?.[1];
  const wanted = createHash('sha1').update(`${key}${ACCEPT_SUFFIX}`).digest('base64');
  if (status === 101 && accept === wanted) return null;
  const reason =
    status === 101 ? 'the handshake is not answered as RFC 6455 has it' : refusalText(head.toString('utf8', bodyAt));
  return new OperatingError(
    'connection_refused',
    `the server refused the connection: url=${address.http.origin} status=${status} ${reason}`,
    {
      retryable: status >= 500 || status === 429,
    },
  );
}

function pong(payload: Uint8Array): Buffer {
  const out = Buffer.alloc(6 + payload.length);
  out[0] = FINAL_PONG;
  out[1] = MASKED | payload.length;
  out.set(payload, 6);
  return out;
}
