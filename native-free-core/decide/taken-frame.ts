/**
 * The frame that a worker is taking: who sent it, how its reader found its events, and its line in the ledger as far as it
 * is known. One of each per worker, written over with every frame. Used by take-frame.ts and the steps that it calls.
 */
// hot path: no allocation

import { createFrameEvents, type FrameEvents } from '../codec/frame-events.ts';
import { createDeadLetterEntry, type DeadLetterEntry } from '../layout/dead-letter-entry.ts';
import { createFrameEntry, type FrameEntry } from '../layout/frame-entry.ts';
import type { Session } from './sessions.ts';

export interface TakenFrame {
  session: Session;
  events: FrameEvents;
  /** Its seq, its producer's row and what became of its events. */
  readonly entry: FrameEntry;
  /** The dead letter that is being written. */
  readonly letter: DeadLetterEntry;
  /** The event ids of its events must be new. */
  dedup: boolean;
  /** Events whose unknown fields were named. */
  unknownWalked: number;
}

/** Before the first frame; nothing of it is used. */
const NOBODY: Session = {
  ingress: 0,
  slot: 0,
  generation: 0,
  encoding: 0,
  answerEncoding: 0,
  stored: false,
  hello: false,
  dedup: false,
  producerName: new Uint8Array(0),
  greeted: false,
  producer: 0,
  life: 0,
  namedIn: 0,
};

export function createTakenFrame(): TakenFrame {
  return {
    session: NOBODY,
    events: createFrameEvents(true),
    entry: createFrameEntry(),
    letter: createDeadLetterEntry(),
    dedup: false,
    unknownWalked: 0,
  };
}

/** Its seq is still to be read. */
export function beginFrame(frame: TakenFrame, session: Session, events: FrameEvents): void {
  const { entry } = frame;
  frame.session = session;
  frame.events = events;
  frame.dedup = session.producerName.length === 0 || session.dedup;
  frame.unknownWalked = 0;
  entry.producer = session.producer;
  entry.flags = 0;
  entry.received = 0;
  entry.accepted = 0;
  entry.duplicates = 0;
  entry.dead = 0;
}
