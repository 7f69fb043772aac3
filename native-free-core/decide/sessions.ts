/**
 * What a worker knows of the connections whose frames it gets: who produces, in which encoding, at which ack level.
 * A session is opened and closed by records in the frame lane; slots are small integers that ingress reuses.
 */

import type { OpenRecord } from '../layout/open-record.ts';

export interface Session extends OpenRecord {
  readonly ingress: number;
  /** The hello has been written. */
  greeted: boolean;
  /** Its row of the producer table, 0 until its first frame; and which of the row's lives is its own. */
  producer: number;
  life: number;
  /** Number of the block that has its name already. */
  namedIn: number;
}

/** `sessions[ingress][slot]` */
export type Sessions = (Session | undefined)[][];

/** One place makes them all: a session of another shape would cost the worker the code that was compiled for the first. */
function createSession(from: Session): Session {
  return {
    ingress: from.ingress,
    slot: from.slot,
    generation: from.generation,
    encoding: from.encoding,
    answerEncoding: from.answerEncoding,
    stored: from.stored,
    hello: from.hello,
    dedup: from.dedup,
    producerName: from.producerName,
    greeted: from.greeted,
    producer: from.producer,
    life: from.life,
    // Another worker counts its own blocks.
    namedIn: 0,
  };
}

/** Goes on with the sessions of the worker before, which came as a message. */
export function adoptSessions(sessions: Sessions, former: Sessions): void {
  former.forEach((own, ingress) =>
    own.forEach((session, slot) => {
      sessions[ingress]![slot] = session === undefined ? undefined : createSession(session);
    }),
  );
}

export function openSession(opened: OpenRecord, ingress: number): Session {
  return createSession({ ...opened, ingress, greeted: false, producer: 0, life: 0, namedIn: 0 });
}

/** The session of a record's connection; undefined where it has ended, or the slot is another one's by now. */
export function sessionOf(sessions: Sessions, ingress: number, slot: number, generation: number): Session | undefined {
  const session = sessions[ingress]![slot];
  return session !== undefined && session.generation === generation ? session : undefined;
}
