/**
 * What the client needs of a WebSocket: `ws-socket.ts` gives it in Node, `browser-socket.ts` in a browser. Used by
 * stream-connection.ts.
 */

import type { OperatingError } from '../../native-free-core/base/operating-error.ts';
import type { ServerAddress } from './address.ts';

export interface ClientSocket {
  send(frame: Uint8Array | string): void;
  /** `closed` is not called any more. */
  close(): Promise<void>;
  /** Ends at once; `closed` is called. */
  terminate(): void;
}

export interface SocketHandlers {
  readonly message: (bytes: Uint8Array) => void;
  /** Something came that is no message: the server is there. */
  readonly heard: () => void;
  /** Once. `refusal`: where the server said why it does not want the connection. */
  readonly closed: (reason: string, refusal: OperatingError | null) => void;
}

export interface SocketKind {
  /** Pings of the server are heard, so that its silence means something. */
  readonly hearsPings: boolean;
  /** `terms`: of the whole connection, in the query. */
  open(
    address: ServerAddress,
    terms: Readonly<Record<string, string>>,
    protocol: string,
    handlers: SocketHandlers,
  ): ClientSocket;
}

/** A close frame is answered within this, or the connection is ended without. */
export const CLOSE_MS = 2000;
