/**
 * Messages out of a server's WebSocket bytes, wherever TCP cut them. Messages that lie whole in what came are handed on in
 * place; what is cut is kept until the rest is there. Used by raw-websocket.ts.
 */

export interface MessageHandlers {
  /** The bytes are valid during the call only. */
  readonly message: (bytes: Uint8Array, start: number, end: number) => void;
  readonly ping: (payload: Uint8Array) => void;
  /** The server said goodbye, or breaks the protocol. */
  readonly closed: (reason: string) => void;
}

/** An answer to the largest frame stays far below. */
const MESSAGE_BYTES_MAX = 64 << 20;
const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const FINAL = 0x80;
const MASKED = 0x80;

export class MessageReader {
  readonly #handlers: MessageHandlers;
  /** The beginning of a frame whose end has not come. */
  #kept = new Uint8Array(0);
  #keptBytes = 0;
  /** Parts of a message in several frames. */
  #parts: Uint8Array[] = [];
  #ended = false;

  constructor(handlers: MessageHandlers) {
    this.#handlers = handlers;
  }

  /** Takes bytes[from, to). */
  feed(bytes: Uint8Array, from: number, to: number): void {
    if (this.#keptBytes === 0) {
      this.#keep(bytes, this.#read(bytes, from, to), to);
      return;
    }
    this.#keep(bytes, from, to);
    const kept = this.#kept;
    const end = this.#keptBytes;
    const at = this.#read(kept, 0, end);
    this.#keptBytes = end - at;
    if (at > 0) kept.copyWithin(0, at, end);
  }

  #keep(bytes: Uint8Array, from: number, to: number): void {
    const needed = this.#keptBytes + to - from;
    if (needed > this.#kept.length) {
      const grown = new Uint8Array(Math.max(needed, this.#kept.length * 2, 4096));
      grown.set(this.#kept.subarray(0, this.#keptBytes));
      this.#kept = grown;
    }
    this.#kept.set(bytes.subarray(from, to), this.#keptBytes);
    this.#keptBytes = needed;
  }

  /** Handles the whole frames of bytes[from, to); returns where the first that is not whole begins. */
  #read(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    while (!this.#ended) {
      if (to - at < 2) return at;
      const second = bytes[at + 1]!;
      let length = second & 127;
      let body = at + 2;
      if (length === 126) {
        body = at + 4;
        length = body > to ? Infinity : bytes[at + 2]! * 256 + bytes[at + 3]!;
      } else if (length === 127) {
        body = at + 10;
        length = body > to ? Infinity : longLength(bytes, at + 2);
      }
      if ((second & MASKED) !== 0) this.#end('the server masks its frames, which RFC 6455 forbids');
      else if (Number.isFinite(length) && length > MESSAGE_BYTES_MAX)
        this.#end(`a message of the server is too long: bytes=${length}`);
      if (this.#ended || body + length > to) return at;
      this.#frame(bytes, bytes[at]!, body, body + length);
      at = body + length;
    }
    return to;
  }

  #frame(bytes: Uint8Array, first: number, start: number, end: number): void {
    const opcode = first & 15;
    if (opcode === PING) return this.#handlers.ping(bytes.slice(start, end));
    if (opcode === CLOSE) return this.#end(`the server closed the connection: ${closeReason(bytes, start, end)}`);
    if (opcode !== CONTINUATION && opcode !== TEXT && opcode !== BINARY) return;
    const last = (first & FINAL) !== 0;
    if (last && this.#parts.length === 0) return this.#handlers.message(bytes, start, end);
    this.#parts.push(bytes.slice(start, end));
    if (!last) return;
    const whole = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#handlers.message(whole, 0, whole.length);
  }

  #end(reason: string): void {
    this.#ended = true;
    this.#handlers.closed(reason);
  }
}

function longLength(bytes: Uint8Array, at: number): number {
  let length = 0;
  for (let i = 0; i < 8; i++) length = length * 256 + bytes[at + i]!;
  return length;
}

function closeReason(bytes: Uint8Array, start: number, end: number): string {
  if (end - start < 2) return 'no reason given';
  const code = bytes[start]! * 256 + bytes[start + 1]!;
  return `${Buffer.from(bytes.slice(start + 2, end)).toString('utf8')} code=${code}`.trim();
}
