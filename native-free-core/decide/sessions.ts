/**
 * What a worker knows of the connections whose frames it gets: who produces, in which encoding, at which ack level.
 * A session is opened and closed by records in the frame lane; slots are small integers that ingress reuses.
 */

import { ACK_STORED, OPEN_DEDUP, OPEN_HEADER_BYTES, OPEN_HELLO } from '../layout/records.ts';

export interface Session {
  readonly ingress: number;
  readonly connection: number;
  readonly generation: number;
  readonly encoding: number;
  readonly stored: boolean;
  readonly hello: boolean;
  /** event_id protects although there is a producer. */
  readonly dedup: boolean;
  /** The producer's name in UTF-8; empty: none. */
  readonly producerName: Uint8Array;
  /** The hello has been written. */
  greeted: boolean;
  /** Its row of the producer table, 0 until its first frame; and which of the row's lives is its own. */
  producer: number;
  life: number;
  /** Number of the block that has its name already. */
  namedIn: number;
}

/** `sessions[ingress][connection]` */
export type Sessions = (Session | undefined)[][];

/** One place makes them all: a session of another shape would cost the worker the code that was compiled for the first. */
function createSession(from: Session): Session {
  return {
    ingress: from.ingress,
    connection: from.connection,
    generation: from.generation,
    encoding: from.encoding,
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
    own.forEach((session, connection) => {
      sessions[ingress]![connection] = session === undefined ? undefined : createSession(session);
    }),
  );
}

export function readOpen(bytes: Uint8Array, view: DataView, at: number, ingress: number): Session {
  const nameBytes = view.getUint32(at + 12, true);
  const flags = bytes[at + 10]!;
  return createSession({
    ingress,
    connection: view.getUint32(at, true),
    generation: view.getUint32(at + 4, true),
    encoding: bytes[at + 8]!,
    stored: bytes[at + 9] === ACK_STORED,
    hello: (flags & OPEN_HELLO) !== 0,
    dedup: (flags & OPEN_DEDUP) !== 0,
    producerName: bytes.slice(at + OPEN_HEADER_BYTES, at + OPEN_HEADER_BYTES + nameBytes),
    greeted: false,
    producer: 0,
    life: 0,
    namedIn: 0,
  });
}

export function sessionOf(
  sessions: Sessions,
  ingress: number,
  connection: number,
  generation: number,
): Session | undefined {
  const session = sessions[ingress]![connection];
  return session !== undefined && session.generation === generation ? session : undefined;
}
