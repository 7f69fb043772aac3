/**
 * Claims the sequence number of a frame for its producer: whether it is new, was taken before, or cannot be taken. Called by
 * take-frame.ts for each frame, once it has been read.
 */
// hot path: no allocation

import { FRAME_SEQ_MISSING, FRAME_SEQ_TOO_OLD, FRAME_TOO_MANY_PRODUCERS } from '../base/outcomes.ts';
import { appendName } from '../columns/block-logs.ts';
import { FRAME_FIRST } from '../layout/frame-entry.ts';
import { seqNumber } from '../layout/seq.ts';
import { nameProducer } from '../state/producer-names.ts';
import {
  PRODUCER_MOVED,
  PRODUCER_NEW,
  SEQ_NEW,
  SEQ_TAKEN,
  producerLife,
  seeProducer,
  takeSeq,
} from '../state/producers.ts';
import type { Decider } from './decider.ts';

/** SEQ_NEW or SEQ_TAKEN, or why the frame is refused whole. A frame that parses takes its sequence number. */
export function claimSeq(d: Decider): number {
  const { session, events, entry } = d.frame;
  const { count } = events;
  d.interner.producer = 0;
  if (session.producerName.length === 0) return count < 0 ? count : SEQ_NEW;
  // A frame that does not parse is its producer's too: in the dead letters and in the ledger.
  const known = knowProducer(d);
  if (count < 0) return count;
  if (!known) return FRAME_TOO_MANY_PRODUCERS;
  const seq = seqNumber(entry.seq);
  if (seq === 0 || seq >= Number.MAX_SAFE_INTEGER) return FRAME_SEQ_MISSING;
  const taken = takeSeq(d.input.tables.producers, session.producer, seq);
  return taken === SEQ_NEW || taken === SEQ_TAKEN ? taken : FRAME_SEQ_TOO_OLD;
}

/** Gives the session its producer's row, and the block its name; false where the table has no row for another. */
function knowProducer(d: Decider): boolean {
  const { producers } = d.input.tables;
  const { block, frame } = d;
  const { session, entry } = frame;
  const { receivedAt } = block.ticket;
  let seen =
    session.producer === 0 ? PRODUCER_MOVED : seeProducer(producers, session.producer, session.life, receivedAt);
  while (seen === PRODUCER_MOVED) {
    const name = session.producerName;
    session.namedIn = 0;
    session.producer = nameProducer(producers, name, 0, name.length, receivedAt - producers.forgetAfterMs);
    if (session.producer === 0) {
      entry.producer = 0;
      return false;
    }
    session.life = producerLife(producers, session.producer);
    seen = seeProducer(producers, session.producer, session.life, receivedAt);
  }
  entry.producer = session.producer;
  if (seen === PRODUCER_NEW) entry.flags = FRAME_FIRST;
  if (session.namedIn !== block.number) {
    appendName(block.names, session.producer, session.producerName);
    session.namedIn = block.number;
  }
  d.interner.producer = session.producer;
  return true;
}
