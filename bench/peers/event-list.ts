/**
 * The events that every system gets: the load generator's own for the example game, made once, encoded once, with places at
 * which id and time are put in as they are sent. One list in protobuf, and the same list in JSON.
 *
 *   protobuf   12 length | 0a 10 id, 16 characters | player | hunt | 22 0c 08 seconds, 5 bytes | 10 nanoseconds, 5 bytes | …
 *   JSON       {"event_id":"…","event_time":"…", … },
 */

import { join } from 'node:path';
import protobuf from 'protobufjs';
import { createFrameMaker } from '../../src/cli/load/frames/frame-maker.ts';
import { eventFields } from '../../src/cli/load/frames/key-fields.ts';
import { streamIdentity } from '../../src/cli/load/frames/slot.ts';
import type { EventSource } from '../../src/cli/load/events/event-source.ts';
import { defaultPipeline } from '../../src/config/default-pipeline.ts';
import { loadPipeline } from '../../src/config/index.ts';
import { gameEvents } from '../../src/examples/treasure-hunt/load-events.ts';
import { packageRoot } from '../../src/system/compiled-url.ts';

export type Encoding = 'protobuf' | 'json';

export interface ListShape {
  readonly events: number;
  readonly players: number;
  readonly hunts: number;
  /** For a sample in which every rule fires. */
  readonly isVaried: boolean;
}

export interface EventList {
  readonly count: number;
  /** Events as they stand in a frame, one behind another. */
  readonly bytes: Buffer;
  /** Where each begins in `bytes`, and where the last one ends. */
  readonly starts: Int32Array;
  /** Within each event. */
  readonly idAt: number;
  readonly timeAt: number;
}

const EVENTS_PER_TEMPLATE = 500;
const FRAME_HEAD_BYTES = 9;
const TAG_EVENTS = 0x12;
const TAG_ID = 0x0a;
const TAG_TIME = 0x22;
const LENGTH_BYTE_MAX = 127;
export const ID_BYTES = 16;
/** Behind tag, length and the tag of the seconds. */
const TIME_HEAD_BYTES = 3;
const FAR = 0.02;
const SURFACE = 100;
const FIND_SHARE = 0.95;

export async function makeEventList(shape: ListShape): Promise<EventList> {
  const plan = await loadPipeline(defaultPipeline());
  const fields = eventFields(plan, { player: shape.players, hunt: shape.hunts });
  const source = gameEvents(plan, undefined);
  const maker = createFrameMaker(plan, fields, shape.isVaried ? varied(source, shape.events) : source, {
    eventsPerFrame: EVENTS_PER_TEMPLATE,
    connections: 1,
    zipfExponent: 1,
    seed: 1,
    webSocket: false,
  });
  const stream = streamIdentity('000000');
  const pieces: Buffer[] = [];
  for (let seq = 1; (seq - 1) * EVENTS_PER_TEMPLATE < shape.events; seq++) {
    const frame = Buffer.alloc(maker.bytes(seq));
    maker.write(frame, 0, seq, stream, 0);
    pieces.push(frame.subarray(FRAME_HEAD_BYTES));
  }
  return placesOf(Buffer.concat(pieces), shape.events);
}

interface MadeEvent {
  lat?: number;
  lon?: number;
  dig?: { depth: number; tool: number };
  find?: object;
}

/**
 * Every 40th event lies elsewhere, every 25th nowhere. In the first third nobody finds anything, in the second all dig with
 * their hands at the surface, in the last most find something.
 */
function varied(source: EventSource, events: number): EventSource {
  let number = 0;
  const made = (random: () => number): MadeEvent => JSON.parse(source.next(random)) as MadeEvent;
  return {
    ...source,
    next(random) {
      const third = Math.floor((3 * number) / events) % 3;
      let event = made(random);
      while ((third === 0 && event.find) || (third === 2 && !event.find && random() < FIND_SHARE)) event = made(random);
      if (third === 1 && event.dig) event.dig = { depth: event.dig.depth / SURFACE, tool: 0 };
      if (number % 40 === 0) event.lat! += FAR;
      if (number % 25 === 0) delete event.lat;
      number++;
      return JSON.stringify(event);
    },
  };
}

function placesOf(bytes: Buffer, count: number): EventList {
  const starts = new Int32Array(count + 1);
  let timeAt = 0;
  for (let i = 0, at = 0; i < count; i++) {
    const length = bytes[at + 1]!;
    if (bytes[at] !== TAG_EVENTS || length > LENGTH_BYTE_MAX || bytes[at + 2] !== TAG_ID || bytes[at + 3] !== ID_BYTES)
      throw new Error(`an event that this bench cannot fill: event=${i}`);
    let time = at + 4 + ID_BYTES;
    for (let key = 0; key < 2; key++) {
      while (bytes[++time]! > LENGTH_BYTE_MAX);
      time++;
    }
    if (bytes[time] !== TAG_TIME || (i > 0 && time - at + TIME_HEAD_BYTES !== timeAt))
      throw new Error(`an event whose time lies elsewhere: event=${i}`);
    timeAt = time - at + TIME_HEAD_BYTES;
    at += 2 + length;
    starts[i + 1] = at;
  }
  return { count, bytes: bytes.subarray(0, starts[count]), starts, idAt: 4, timeAt };
}

interface GameMessage {
  readonly playerId: number;
  readonly huntId: number;
  readonly lat?: number;
  readonly lon?: number;
  readonly join?: object;
  readonly move?: object;
  readonly dig?: object;
  readonly clue?: { readonly clueId: number };
  readonly find?: object;
  readonly purchase?: object;
}

const ID_ROOM = '0'.repeat(ID_BYTES);
const TIME_ROOM = '1970-01-01T00:00:00.000Z';
const JSON_ID_AT = '{"event_id":"'.length;
const JSON_TIME_AT = JSON_ID_AT + ID_BYTES + '","event_time":"'.length;

export function jsonList(list: EventList): EventList {
  const folder = join(packageRoot(import.meta.url), 'proto');
  const root = new protobuf.Root();
  root.resolvePath = (_, target) => (target.startsWith('google/') ? target : join(folder, target));
  const message = root.loadSync('game/v1/events.proto').lookupType('game.v1.GameEvent');
  const starts = new Int32Array(list.count + 1);
  const pieces = Array.from({ length: list.count }, (_, i) => {
    const bytes = list.bytes.subarray(list.starts[i]! + 2, list.starts[i + 1]);
    // Values that are 0 are written out; what is absent of a oneof stays absent.
    const event = message.toObject(message.decode(bytes), { enums: String, longs: Number, defaults: true });
    const { playerId, huntId, lat, lon, join: joined, move, dig, clue, find, purchase } = event as GameMessage;
    const piece = Buffer.from(
      `${JSON.stringify({
        event_id: ID_ROOM,
        event_time: TIME_ROOM,
        player_id: playerId,
        hunt_id: huntId,
        lat,
        lon,
        join: joined,
        move,
        dig,
        clue: clue && { clue_id: clue.clueId },
        find,
        purchase,
      })},`,
    );
    starts[i + 1] = starts[i]! + piece.length;
    return piece;
  });
  return { count: list.count, bytes: Buffer.concat(pieces), starts, idAt: JSON_ID_AT, timeAt: JSON_TIME_AT };
}
