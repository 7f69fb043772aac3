/**
 * The clients of the power-cut test: what they sent, what they were answered, and what they expect of a frame that they send
 * again. They outlive every power cut. Three are idempotent producers, one has no name and relies on its event ids.
 */

import { join } from 'node:path';
import protobuf from 'protobufjs';
import { frameProto } from '../e2e/wire-client.ts';
import type { Random } from '../spool/lossy-storage.ts';

export interface SentEvent {
  readonly id: string;
  /** 0: no key, so the event goes to the dead letters. */
  readonly player: number;
  readonly hunt: number | null;
  readonly at: number;
  readonly amount: number | null;
  readonly good: boolean;
  readonly place: string;
}

export interface SentFrame {
  /** 0: the client has no name. */
  readonly seq: number;
  readonly events: readonly SentEvent[];
  readonly bytes: Uint8Array;
  /** By event the action that was answered, null where it was refused; null until an answer has said so. */
  answer: (string | null)[] | null;
  /** In the log at the last start. */
  durable: boolean;
  /** Given to the engine since the last start. */
  sent: boolean;
}

/** What the answer must say: `either` where a lost connection left it open whether an earlier copy was taken. */
export type Expected = 'new' | 'repeated' | 'either';

export interface Client {
  readonly connection: number;
  readonly name: string;
  readonly frames: SentFrame[];
  worker: number;
  generation: number;
  /** Still to be sent again, oldest first. */
  readonly queue: SentFrame[];
  /** In flight, in the order of sending: answers keep it. */
  readonly waiting: { readonly frame: SentFrame; readonly expected: Expected }[];
}

export const ACTIONS = ['stop', 'look', 'pass'] as const;
export const HELLO = { decisions: [{ name: 'care', actions: ACTIONS }] };

const NAMES = ['anna', 'ben', 'cleo', ''];
const PLAYERS = 12;
const HUNTS = 3;
const EVENTS_MAX = 5;
const PLACES = 40;

const Dig = protobuf.loadSync(join(import.meta.dirname, 'power-cut.proto')).lookupType('cuts.Dig');

export function createClients(): Client[] {
  return NAMES.map((name, connection) => ({
    connection,
    name,
    frames: [],
    worker: 0,
    generation: 0,
    queue: [],
    waiting: [],
  }));
}

/** The next frame of a client, at the given time, ms UTC. */
export function nextFrame(client: Client, clock: number, random: Random): SentFrame {
  const number = client.frames.length + 1;
  const seq = client.name === '' ? 0 : number;
  const count = 1 + Math.floor(random() * EVENTS_MAX);
  const events = Array.from({ length: count }, (_, i) => nextEvent(`${client.name}-${number}-${i}`, clock, random));
  const bytes = frameProto(
    seq,
    events.map((event) => Dig.encode(Dig.fromObject(present(event))).finish()),
  );
  const frame = { seq, events, bytes, answer: null, durable: false, sent: false };
  client.frames.push(frame);
  return frame;
}

function nextEvent(id: string, clock: number, random: Random): SentEvent {
  const late = random() < 0.2 ? random() * 120_000 : 0;
  const early = random() < 0.02 ? 10_000 : 0;
  return {
    id,
    player: random() < 0.02 ? 0 : 1 + Math.floor(random() ** 2 * PLAYERS),
    hunt: random() < 0.1 ? null : 1 + Math.floor(random() * HUNTS),
    at: Math.floor(clock - late + early),
    amount: random() < 0.15 ? null : Math.floor(random() * 10_000) / 100,
    good: random() < 0.5,
    place: `place-${Math.floor(random() * PLACES)}`,
  };
}

function present(event: SentEvent): Record<string, unknown> {
  return Object.fromEntries(Object.entries(event).filter(([, value]) => value !== null));
}

export function isGood(event: SentEvent): boolean {
  return event.player !== 0;
}

/** What the answer to this frame must say if it is sent now. */
export function expectedOf(frame: SentFrame): Expected {
  return frame.durable || frame.sent ? 'repeated' : 'new';
}
