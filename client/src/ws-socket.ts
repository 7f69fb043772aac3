/** WebSockets in Node, by `ws`: the key goes in a header, pings are heard, and a refusal says why. Used by index.ts. */

import { WebSocket, type RawData } from 'ws';
import { OperatingError } from '../../native-free-core/base/operating-error.ts';
import { reasonOf, refusalText, streamUrl, type ServerAddress } from './address.ts';
import { CLOSE_MS, type SocketKind } from './socket.ts';

const OPEN_MS = 10_000;
/** An answer to the largest frame of JSON events stays far below. */
const MESSAGE_BYTES_MAX = 64 << 20;
const REFUSAL_BYTES_MAX = 4096;

export const WS_SOCKETS: SocketKind = {
  hearsPings: true,
  open(address, terms, protocol, handlers) {
    const socket = new WebSocket(streamUrl(address, terms), protocol, {
      headers: { ...address.headers },
      perMessageDeflate: false,
      handshakeTimeout: OPEN_MS,
      maxPayload: MESSAGE_BYTES_MAX,
    });
    let reason = 'the server closed the connection';
    let refusal: OperatingError | null = null;
    let wasOpen = false;
    socket.on('open', () => {
      wasOpen = true;
    });
    socket.on('ping', handlers.heard);
    socket.on('message', (data: RawData) => handlers.message(data as Buffer));
    socket.on('unexpected-response', (_, response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        if (body.length < REFUSAL_BYTES_MAX) body += text;
      });
      response.on('end', () => {
        refusal = refused(address, response.statusCode ?? 0, body);
        socket.terminate();
      });
    });
    socket.on('error', (error) => {
      reason = reasonOf(error);
    });
    socket.on('close', (code, text) => {
      if (text.length > 0) reason = text.toString('utf8');
      handlers.closed(wasOpen ? `${reason} code=${code}` : reason, refusal);
    });
    return { send: (frame) => socket.send(frame), close: () => close(socket), terminate: () => socket.terminate() };
  },
};

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
