/**
 * The least of a WebSocket client (RFC 6455): a handshake, frames that the caller has masked already, whole binary messages
 * back. For the load generator, whose own cost must stay small beside what it measures; other clients use `ws`.
 */

import { connect, type Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import { OperatingError } from '../errors.ts';

export interface RawWebSocket {
  readonly socket: Socket;
  close(): void;
}

export interface RawWebSocketHandlers {
  /** The payload is valid during the call only. */
  readonly message: (bytes: Buffer, start: number, end: number) => void;
  readonly closed: (reason: string) => void;
}

const CONNECT_MS = 10_000;
const HEAD_BYTES_MAX = 16_384;

/** Bytes of a client frame's header for a payload of this length: masked with the key 0, so the payload stays as it is. */
export function frameHeaderBytes(length: number): number {
  return length < 126 ? 6 : length < 65536 ? 8 : 14;
}

/** Writes the header of a whole binary message and returns where the payload begins. */
export function writeFrameHeader(out: Buffer, at: number, length: number): number {
  out[at] = 0x82;
  if (length < 126) out[at + 1] = 0x80 | length;
  else if (length < 65536) {
    out[at + 1] = 0x80 | 126;
    out.writeUInt16BE(length, at + 2);
  } else {
    out[at + 1] = 0x80 | 127;
    out.writeBigUInt64BE(BigInt(length), at + 2);
  }
  const body = at + frameHeaderBytes(length);
  out.writeUInt32LE(0, body - 4);
  return body;
}

/** Resolves once the server has switched protocols. `path`: with query. */
export function openRawWebSocket(
  url: URL,
  path: string,
  protocol: string,
  headers: Record<string, string>,
  handlers: RawWebSocketHandlers,
): Promise<RawWebSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname, port: Number(url.port || 80), noDelay: true });
    let pending: Buffer = Buffer.alloc(0);
    let open = false;
    let closed = false;
    const end = (reason: string): void => {
      if (closed) return;
      closed = true;
      socket.destroy();
      if (open) handlers.closed(reason);
      else
        reject(
          new OperatingError(
            'connect_failed',
            `cannot open a stream: url=${url.href} reason=${reason}; is hunt serve running there?`,
            { retryable: true },
          ),
        );
    };
    socket.setTimeout(CONNECT_MS, () => !open && end('no answer'));
    socket.on('error', (error) => end(error.message));
    socket.on('close', () => end('the server closed the connection'));
    socket.on('connect', () => {
      const lines = [
        `GET ${path} HTTP/1.1`,
        `Host: ${url.host}`,
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
        'Sec-WebSocket-Version: 13',
        `Sec-WebSocket-Protocol: ${protocol}`,
        ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      ];
      socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    });
    socket.on('data', (chunk: Buffer) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      if (!open) {
        const head = pending.indexOf('\r\n\r\n');
        if (head < 0) return pending.length > HEAD_BYTES_MAX ? end('no WebSocket answer') : undefined;
        const text = pending.toString('latin1', 0, head);
        if (!text.startsWith('HTTP/1.1 101')) return end(pending.toString('utf8').replace(/\s+/g, ' ').slice(0, 300));
        pending = pending.subarray(head + 4);
        open = true;
        socket.setTimeout(0);
        resolve({ socket, close: () => end('closed') });
      }
      const rest = readFrames(socket, pending, handlers, end);
      pending = pending.subarray(rest);
    });
  });
}

/** Hands on the whole frames of `bytes`; returns how many bytes they took. */
function readFrames(
  socket: Socket,
  bytes: Buffer,
  handlers: RawWebSocketHandlers,
  end: (reason: string) => void,
): number {
  let at = 0;
  for (;;) {
    if (bytes.length - at < 2) return at;
    const opcode = bytes[at]! & 15;
    let length = bytes[at + 1]! & 127;
    let body = at + 2;
    if (length === 126) {
      if (bytes.length - at < 4) return at;
      length = bytes.readUInt16BE(at + 2);
      body = at + 4;
    } else if (length === 127) {
      if (bytes.length - at < 10) return at;
      length = Number(bytes.readBigUInt64BE(at + 2));
      body = at + 10;
    }
    if (bytes.length < body + length) return at;
    at = body + length;
    if (opcode === 2 || opcode === 1) handlers.message(bytes, body, at);
    else if (opcode === 9) socket.write(pong(bytes.subarray(body, at)));
    else if (opcode === 8)
      end(`closed by the server: ${length > 2 ? bytes.toString('utf8', body + 2, at) : 'no reason'}`);
  }
}

function pong(payload: Buffer): Buffer {
  const out = Buffer.alloc(6 + payload.length);
  out[0] = 0x8a;
  out[1] = 0x80 | payload.length;
  payload.copy(out, 6);
  return out;
}
