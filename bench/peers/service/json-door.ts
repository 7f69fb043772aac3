/** Frames in JSON over WebSocket, by `ws`: what a team writes first. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { GameEvent } from './game-event.ts';
import { handle } from './handle.ts';
import type { Rows } from './rows.ts';

interface JsonFrame {
  readonly seq: number;
  readonly events: readonly (Omit<GameEvent, 'event_time'> & { readonly event_time: string })[];
}

const FRAME_BYTES_MAX = 4 << 20;

/** Answers the port. */
export function openJsonDoor(rows: Rows): Promise<number> {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http, perMessageDeflate: false, maxPayload: FRAME_BYTES_MAX });
  sockets.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as JsonFrame;
      const receivedAt = Date.now();
      const decisions = frame.events.map((event) => {
        const one = handle({ ...event, event_time: Date.parse(event.event_time) }, receivedAt, rows);
        return { event_id: event.event_id, assistance: one.assistance, trust: one.trust };
      });
      rows.whenRoom(() => socket.send(JSON.stringify({ seq: frame.seq, decisions })));
    });
  });
  return new Promise((resolve) => http.listen(0, '127.0.0.1', () => resolve((http.address() as AddressInfo).port)));
}
