/**
 * One WebSocket connection of HuntClient: opens, waits for the hello, carries frames out and answers in. It never comes
 * back.
 */

import type { OperatingError } from '../../native-free-core/base/operating-error.ts';
import { unreachable, type ServerAddress } from './address.ts';
import { readHello, type ClientHello } from './answer.ts';
import type { Encoding } from './frame.ts';
import type { SocketKind } from './socket.ts';

export interface ConnectionTerms {
  readonly address: ServerAddress;
  readonly encoding: Encoding;
  readonly producer: string;
  readonly ack: 'durable' | 'stored';
}

export interface ConnectionHandlers {
  readonly message: (bytes: Uint8Array) => void;
  /** Frames were sent and have no answer yet. */
  readonly isWaiting: () => boolean;
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
/** The server pings well within this where nothing else goes; silence means that it is gone without a word. */
const SILENCE_MS = 150_000;

export function openConnection(
  sockets: SocketKind,
  { address, encoding, producer, ack }: ConnectionTerms,
  handlers: ConnectionHandlers,
): Promise<StreamConnection> {
  return new Promise((resolve, reject) => {
    let hello: ClientHello | null = null;
    let stopped: string | null = null;
    const stop = (why: string): void => {
      stopped = why;
      socket.terminate();
    };
    let silence: ReturnType<typeof setTimeout> | null = setTimeout(() => stop('no hello came'), OPEN_MS);
    const unwatch = (): void => {
      if (silence !== null) clearTimeout(silence);
      silence = null;
    };
    /** Where pings are not heard, only the silence of a server that owes an answer says something. */
    const watch = (): void => {
      unwatch();
      silence = setTimeout(() => {
        silence = null;
        if (sockets.hearsPings || handlers.isWaiting()) stop('the server fell silent');
      }, SILENCE_MS);
      unhold(silence);
    };
    const opened = (first: Uint8Array): void => {
      const read = readHello(encoding, first);
      if (read === null) return stop('the first message is no hello; is this a hunt server?');
      hello = read;
      resolve({
        hello,
        send(frame) {
          if (silence === null) watch();
          socket.send(frame);
        },
        async close() {
          unwatch();
          await socket.close();
        },
      });
    };
    const socket = sockets.open(address, { producer, ack }, `hunt.v1.${encoding}`, {
      heard: watch,
      message(bytes) {
        watch();
        if (hello === null) opened(bytes);
        else handlers.message(bytes);
      },
      closed(reason, refusal) {
        unwatch();
        if (hello === null) reject(refusal ?? notOpened(address, stopped ?? reason));
        else handlers.closed(stopped ?? reason);
      },
    });
  });
}

function notOpened(address: ServerAddress, reason: string): OperatingError {
  return unreachable(address, new Error(reason));
}

/** A timer alone must not keep a program of Node running. */
function unhold(timer: unknown): void {
  (timer as { unref?: () => void }).unref?.();
}
