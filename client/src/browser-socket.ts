/**
 * WebSockets as browsers have them: no headers, so the key goes in the query; no pings; and a refusal that says nothing.
 * Node's own WebSocket would do, too. Used by browser.ts.
 */

import { streamUrl } from './address.ts';
import { CLOSE_MS, type SocketKind } from './socket.ts';

const encoder = new TextEncoder();

export const BROWSER_SOCKETS: SocketKind = {
  hearsPings: false,
  open(address, terms, protocol, handlers) {
    const socket = new WebSocket(streamUrl(address, { ...terms, key: address.key ?? '' }), protocol);
    socket.binaryType = 'arraybuffer';
    let isOpen = false;
    let isOver = false;
    const end = (reason: string): void => {
      if (isOver) return;
      isOver = true;
      handlers.closed(reason, null);
    };
    socket.addEventListener('open', () => {
      isOpen = true;
    });
    socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (!isOver) handlers.message(typeof data === 'string' ? encoder.encode(data) : new Uint8Array(data));
    });
    socket.addEventListener('close', ({ code, reason }) => {
      end(isOpen ? `${reason || 'the server closed the connection'} code=${code}` : unopened());
    });
    return {
      send: (frame) => socket.send(frame as Uint8Array<ArrayBuffer> | string),
      close() {
        isOver = true;
        return close(socket);
      },
      terminate() {
        socket.close();
        end('the connection was ended');
      },
    };
  },
};

/** The page is told no more than that it failed. */
function unopened(): string {
  const origin = globalThis.location?.origin;
  const allow = origin === undefined ? '' : `, and that the server was started with --allow-origin ${origin}`;
  return `the browser does not say why; check that the server is up, the address, the key${allow}`;
}

function close(socket: WebSocket): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return Promise.resolve();
  return new Promise((resolve) => {
    const late = setTimeout(resolve, CLOSE_MS);
    socket.addEventListener('close', () => {
      clearTimeout(late);
      resolve();
    });
    socket.close(1000);
  });
}
