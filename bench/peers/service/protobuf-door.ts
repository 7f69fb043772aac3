/** Frames of `hunt.v1.proto` over WebSocket, by uWebSockets.js and protobufjs: what the same team writes when JSON is slow. */

import { join } from 'node:path';
import protobuf from 'protobufjs';
import uws, { type WebSocket } from 'uWebSockets.js';
import { packageRoot } from '../../../src/system/compiled-url.ts';
import type { GameEvent } from './game-event.ts';
import { handle } from './handle.ts';
import type { Rows } from './rows.ts';

interface WireFrame {
  readonly seq: { toNumber(): number };
  readonly events: readonly Uint8Array[];
}

interface Socket {
  isOpen: boolean;
}

const FRAME_BYTES_MAX = 4 << 20;
const BACKPRESSURE_BYTES_MAX = 64 << 20;
const FRAMES_IN_FLIGHT = 64;
const STATUS_OK = 1;
const ASSISTANCE = { '': 0, hint: 1, continue: 2 };
const TRUST = { allow: 1, challenge: 2 };

/** Answers the port. */
export function openProtobufDoor(rows: Rows): Promise<number> {
  const { Frame, Answer, Hello, GameEvent } = messages();
  const hello = Hello.encode({ pipeline: 'treasure-hunt', framesInFlight: FRAMES_IN_FLIGHT }).finish();
  const receive = (socket: WebSocket<Socket>, data: ArrayBuffer): void => {
    const user = socket.getUserData();
    const frame = Frame.decode(new Uint8Array(data)) as unknown as WireFrame;
    const receivedAt = Date.now();
    const decisions: number[] = [];
    for (const bytes of frame.events) {
      const one = handle(eventOf(GameEvent.decode(bytes) as unknown as WireEvent), receivedAt, rows);
      decisions.push(ASSISTANCE[one.assistance], TRUST[one.trust]);
    }
    const answer = { seq: frame.seq, status: STATUS_OK, decisions, events: frame.events.length };
    rows.whenRoom(() => user.isOpen && socket.send(Answer.encode(answer).finish(), true));
  };
  return new Promise((resolve, reject) => {
    uws
      .App()
      .ws<Socket>('/*', {
        maxPayloadLength: FRAME_BYTES_MAX,
        maxBackpressure: BACKPRESSURE_BYTES_MAX,
        idleTimeout: 0,
        open: (socket) => {
          socket.getUserData().isOpen = true;
          socket.send(hello, true);
        },
        close: (socket) => (socket.getUserData().isOpen = false),
        message: receive,
      })
      .listen('127.0.0.1', 0, (token) =>
        token === false ? reject(new Error('cannot listen')) : resolve(uws.us_socket_local_port(token)),
      );
  });
}

function messages(): Record<'Frame' | 'Answer' | 'Hello' | 'GameEvent', protobuf.Type> {
  const folder = join(packageRoot(import.meta.url), 'proto');
  const root = new protobuf.Root();
  root.resolvePath = (_, target) => (target.startsWith('google/') ? target : join(folder, target));
  root.loadSync(['game/v1/events.proto', 'hunt/v1/wire.proto']);
  const of = (name: string): protobuf.Type => root.lookupType(name);
  return {
    Frame: of('hunt.v1.Frame'),
    Answer: of('hunt.v1.Answer'),
    Hello: of('hunt.v1.Hello'),
    GameEvent: of('game.v1.GameEvent'),
  };
}

interface WireEvent {
  readonly eventId: string;
  readonly playerId: Long;
  readonly huntId: Long;
  readonly eventTime: { readonly seconds: Long; readonly nanos: number };
  readonly lat: number;
  readonly lon: number;
  readonly join: { readonly platform: string } | null;
  readonly move: { readonly metres: number } | null;
  readonly dig: { readonly depth: number; readonly tool: number } | null;
  readonly clue: { readonly clueId: number } | null;
  readonly find: { readonly points: number; readonly rarity: number } | null;
  readonly purchase: { readonly amount: number; readonly item: string } | null;
}

type Long = number | { toNumber(): number };

const TOOLS = ['HANDS', 'SPADE', 'DRILL'];
const RARITIES = ['COMMON', 'RARE', 'LEGENDARY'];

function eventOf(event: WireEvent): GameEvent {
  const { dig, clue, find } = event;
  return {
    event_id: event.eventId,
    player_id: numberOf(event.playerId),
    hunt_id: numberOf(event.huntId),
    event_time: numberOf(event.eventTime.seconds) * 1000 + Math.floor(event.eventTime.nanos / 1e6),
    lat: Object.hasOwn(event, 'lat') ? event.lat : null,
    lon: Object.hasOwn(event, 'lon') ? event.lon : null,
    join: event.join,
    move: event.move,
    dig: dig && { depth: dig.depth, tool: TOOLS[dig.tool]! },
    clue: clue && { clue_id: clue.clueId },
    find: find && { points: find.points, rarity: RARITIES[find.rarity]! },
    purchase: event.purchase,
  };
}

function numberOf(value: Long): number {
  return typeof value === 'number' ? value : value.toNumber();
}
