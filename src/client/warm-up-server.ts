/**
 * Warm-up: drives a server that has just started through its whole path before it calls itself ready: frames without events,
 * which leave nothing behind. Until V8 has compiled what a thread runs, that code takes ten to fifty times as long, and the
 * first users would wait for it. Called by engine/start.ts on the main thread.
 */

import type { ServerAddress } from '../../client/src/address.ts';
import { openRawWebSocket, writeWebSocketHeader } from './raw-websocket.ts';

/** Measured: answers stop getting faster after about 15,000 frames, a quarter of a second. */
const FRAMES = 16_000;
const TIME_MS_MAX = 1000;
const IN_FLIGHT = 128;
/** Several connections, so that all ingress threads and workers have a part in it. */
const CONNECTIONS = 4;

/** Tag and value of `Frame.seq`; a frame needs no more. */
const FRAME_BYTES = 9;
const SEQ_TAG = 9;

/** Resolves when the path is warm or the time is over; a server that cannot be reached is not this function's business. */
export async function warmUpServer(address: ServerAddress): Promise<void> {
  const until = performance.now() + TIME_MS_MAX;
  const count = FRAMES / CONNECTIONS;
  await Promise.all(Array.from({ length: CONNECTIONS }, () => warmUpConnection(address, count, until).catch(() => 0)));
}

/** Resolves with the frames that were answered. */
async function warmUpConnection(address: ServerAddress, frames: number, until: number): Promise<number> {
  const frame = Buffer.alloc(6 + FRAME_BYTES);
  const body = writeWebSocketHeader(frame, 0, FRAME_BYTES);
  frame[body] = SEQ_TAG;
  frame.writeDoubleLE(0, body + 1);
  frame[body + 1] = 1;
  // The first message is the hello.
  let answered = -1;
  let sent = 0;
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      void opened.then((socket) => socket.close());
      resolve(answered);
    };
    const timer = setTimeout(end, Math.max(1, until - performance.now()));
    const opened = openRawWebSocket(address, {}, 'hunt.v1.proto', {
      message: () => void answered++,
      settled: () => {
        if (answered >= frames) end();
        else void opened.then(send);
      },
      closed: end,
    });
    const send = (socket: { write(bytes: Uint8Array): void }): void => {
      const room = Math.min(frames - sent, IN_FLIGHT / CONNECTIONS - (sent - Math.max(0, answered)));
      for (let i = 0; i < room; i++) socket.write(frame);
      if (room > 0) sent += room;
    };
    opened.then(send, reject);
  });
}
