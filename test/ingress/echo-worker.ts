/**
 * Stands in for the decision workers and the spool thread at the other end of real lanes, so that a test says when a lane is
 * full, when an epoch becomes durable and what a frame is answered. Runs on the test's own thread.
 *
 * Every frame is answered OK with its number of events; one that was there before with LOOKUP; one that does not parse with
 * REJECTED. A READ is answered with what was asked.
 */

import { STATUS_OK, STATUS_REJECTED, NO_PARTS, NO_WARNINGS } from '../../native-free-core/codec/answer.ts';
import { createFrameCursor, readFrame } from '../../native-free-core/codec/frame.ts';
import { FRAME_MALFORMED } from '../../native-free-core/base/outcomes.ts';
import { writeAnswerProto } from '../../native-free-core/codec/proto-answer.ts';
import { encodingOf } from '../../native-free-core/encodings/index.ts';
import {
  ANSWER_BODY_AT,
  ENTITY_FOUND,
  ENTITY_UNSEEN,
  writeAnswerHeader,
} from '../../native-free-core/layout/answer-record.ts';
import { readSlot, readGeneration, type ConnectionAddress } from '../../native-free-core/layout/connection-record.ts';
import { BELL_STRIDE, DURABLE_LOW, INGRESS_BELL, STORED_LOW } from '../../native-free-core/layout/control-layout.ts';
import { ENCODING_CODES } from '../../native-free-core/layout/encoding-codes.ts';
import { ENTITY_KEY_AT, readEntityRead } from '../../native-free-core/layout/entity-read-record.ts';
import { FRAME_BODY_AT, readFrameSeq, readAdmittedAt } from '../../native-free-core/layout/frame-record.ts';
import { HELLO_RECORD_BYTES, writeHighestSeq } from '../../native-free-core/layout/hello-record.ts';
import { readOpen } from '../../native-free-core/layout/open-record.ts';
import {
  RECORD_OPEN,
  RECORD_FRAME,
  RECORD_CLOSE,
  RECORD_ENTITY_READ,
  RECORD_ANSWER,
  RECORD_HELLO,
  RECORD_ENTITY_ANSWER,
  RECORD_REPEAT,
} from '../../native-free-core/layout/record-kinds.ts';
import { repeatRecordBytes, writeRepeat } from '../../native-free-core/layout/repeat-record.ts';
import { createSeq, seqNumber } from '../../native-free-core/layout/seq.ts';
import { ring } from '../../native-free-core/ring/doorbell.ts';
import { claim, commit, openLane, release, reserve, type Lane } from '../../native-free-core/ring/lane.ts';
import type { SharedMemory } from '../../src/memory/regions.ts';

export type Lanes = Pick<SharedMemory, 'ingresses' | 'control' | 'frameLanes' | 'durableLanes' | 'storedLanes'>;

/** What an OPEN record said. */
export interface Opened {
  readonly worker: number;
  readonly ingress: number;
  readonly slot: number;
  readonly generation: number;
  readonly encoding: number;
  readonly stored: boolean;
  readonly hello: boolean;
  readonly dedup: boolean;
  readonly producer: string;
}

export interface TakenFrame {
  readonly session: Opened;
  readonly seq: number;
  readonly admittedAt: number;
  readonly events: number;
}

const utf8 = new TextEncoder();

export class EchoWorkers {
  readonly control: Int32Array;
  readonly #memory: Lanes;
  readonly #frameLanes: Lane[][];
  readonly #durableLanes: Lane[][];
  readonly #storedLanes: Lane[][];
  readonly #cursor = createFrameCursor();
  readonly #sessions = new Map<string, Opened>();
  readonly #seen = new Map<string, Set<number>>();
  #timer: NodeJS.Timeout | undefined;
  #epoch = 0;
  readonly opened: Opened[] = [];
  readonly taken: TakenFrame[] = [];
  readonly reads: { readonly entity: number; readonly key: string }[] = [];
  closed = 0;
  /** Nothing is taken out of the lanes. */
  paused = false;
  /** Epochs go on, but none becomes durable, or stored. */
  holdDurable = false;
  holdStored = false;
  /** Bytes of spaces in front of each JSON answer, to make it large. */
  padding = 0;

  constructor(memory: Lanes) {
    this.control = new Int32Array(memory.control);
    this.#memory = memory;
    const open = (grid: readonly (readonly SharedArrayBuffer[])[]): Lane[][] =>
      grid.map((lanes) => lanes.map(openLane));
    this.#frameLanes = open(memory.frameLanes);
    this.#durableLanes = open(memory.durableLanes);
    this.#storedLanes = open(memory.storedLanes);
  }

  start(): void {
    this.#timer = setInterval(() => this.turn(), 1);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  turn(): void {
    if (!this.paused) {
      this.#epoch++;
      this.#frameLanes.forEach((lanes, worker) => lanes.forEach((lane, ingress) => this.#drain(lane, worker, ingress)));
    }
    if (!this.holdDurable) Atomics.store(this.control, DURABLE_LOW, this.#epoch);
    if (!this.holdStored && !this.holdDurable) Atomics.store(this.control, STORED_LOW, this.#epoch);
    for (let i = 0; i < this.#memory.ingresses; i++) ring(this.control, INGRESS_BELL + i * BELL_STRIDE);
  }

  #drain(lane: Lane, worker: number, ingress: number): void {
    for (let at = claim(lane); at >= 0; at = claim(lane)) {
      this.#take(lane, at, worker, ingress);
      release(lane);
    }
  }

  #take(lane: Lane, at: number, worker: number, ingress: number): void {
    const slot = readSlot(lane.view, at);
    const generation = readGeneration(lane.view, at);
    const address = `${worker} ${ingress} ${slot}`;
    const end = at + lane.claimedBytes;
    if (lane.claimedKind === RECORD_OPEN) {
      const { producerName, encoding, stored, hello, dedup } = readOpen(lane, at);
      const producer = Buffer.from(producerName).toString('utf8');
      const opened: Opened = { worker, ingress, slot, generation, encoding, stored, hello, dedup, producer };
      this.opened.push(opened);
      this.#sessions.set(address, opened);
      if (opened.hello) this.#hello(opened);
      return;
    }
    if (lane.claimedKind === RECORD_ENTITY_READ) {
      const { entity } = readEntityRead(lane, at);
      const key = text(lane, at + ENTITY_KEY_AT, end);
      this.reads.push({ entity, key });
      const body = utf8.encode(JSON.stringify({ entity, key }));
      const out = this.#durableLanes[worker][ingress];
      this.#write(
        out,
        RECORD_ENTITY_ANSWER,
        { slot, generation },
        key === 'nobody' ? ENTITY_UNSEEN : ENTITY_FOUND,
        body,
      );
      return;
    }
    const session = this.#sessions.get(address);
    if (session?.generation !== generation) throw new Error(`no session: worker=${worker} slot=${slot}`);
    if (lane.claimedKind === RECORD_CLOSE) {
      this.#sessions.delete(address);
      this.closed++;
    } else if (lane.claimedKind === RECORD_FRAME) this.#frame(lane, at, end, session);
    else throw new Error(`unknown record: kind=${lane.claimedKind}`);
  }

  #hello(session: Opened): void {
    const highest = Math.max(0, ...(this.#seen.get(session.producer) ?? []));
    const lane = this.#durableLanes[session.worker][session.ingress];
    const at = this.#begin(lane, RECORD_HELLO, HELLO_RECORD_BYTES, session, 0);
    writeHighestSeq(lane.view, at, createSeq(highest));
    commit(lane);
  }

  #frame(lane: Lane, at: number, end: number, session: Opened): void {
    const headerSeq = createSeq();
    readFrameSeq(lane.view, at, headerSeq);
    const body = at + FRAME_BODY_AT;
    let events: number;
    let seq = seqNumber(headerSeq);
    if (session.encoding === ENCODING_CODES.protobuf)
      events = readFrame(lane.bytes, lane.view, body, end, this.#cursor);
    else {
      const json = parse(text(lane, body, end), session.encoding);
      events = json.events;
      if (seq === 0) seq = json.seq;
    }
    this.taken.push({ session, seq, admittedAt: readAdmittedAt(lane.view, at), events });
    const seen = this.#seen.get(session.producer) ?? new Set();
    this.#seen.set(session.producer, seen);
    const out = (session.stored ? this.#storedLanes : this.#durableLanes)[session.worker][session.ingress];
    if (events < 0) this.#write(out, RECORD_ANSWER, session, STATUS_REJECTED, rejected(session.encoding, seq));
    else if (session.producer !== '' && seen.has(seq)) {
      const name = utf8.encode(session.producer);
      const at = this.#begin(out, RECORD_REPEAT, repeatRecordBytes(name), session, 0);
      writeRepeat(out, at, createSeq(seq), name);
      commit(out);
    } else {
      seen.add(seq);
      this.#write(out, RECORD_ANSWER, session, STATUS_OK, answered(session.encoding, seq, events, this.padding));
    }
  }

  #write(lane: Lane, kind: number, address: ConnectionAddress, status: number, body: Uint8Array): void {
    const at = this.#begin(lane, kind, ANSWER_BODY_AT + body.length, address, status);
    lane.bytes.set(body, at + ANSWER_BODY_AT);
    commit(lane);
  }

  #begin(lane: Lane, kind: number, bytes: number, address: ConnectionAddress, status: number): number {
    const at = reserve(lane, kind, bytes);
    if (at < 0) throw new Error('an answer lane is full');
    writeAnswerHeader(lane.view, at, address, this.#epoch, status);
    return at;
  }
}

function text(lane: Lane, from: number, end: number): string {
  return Buffer.from(lane.bytes.slice(from, end)).toString('utf8');
}

function parse(body: string, encoding: number): { events: number; seq: number } {
  try {
    if (encoding !== ENCODING_CODES.json) {
      return {
        events: body.split('\n').filter((line) => line.trim() !== '' && JSON.parse(line) !== null).length,
        seq: 0,
      };
    }
    const { seq, events } = JSON.parse(body) as { seq?: number | string; events: unknown[] };
    return { events: events.length, seq: Number(seq ?? 0) };
  } catch {
    return { events: -1, seq: 0 };
  }
}

function answered(encoding: number, seq: number, events: number, padding: number): Uint8Array {
  if (encoding !== ENCODING_CODES.protobuf) {
    return utf8.encode(' '.repeat(padding) + JSON.stringify({ seq: String(seq), status: 'OK', events }));
  }
  const bytes = new Uint8Array(64);
  const none = new Int32Array(events);
  const end = writeAnswerProto(bytes, 0, {
    seq: createSeq(seq),
    status: STATUS_OK,
    actions: [],
    eventRow: none,
    eventOutcome: none,
    first: 0,
    count: events,
    parts: NO_PARTS,
    warnings: NO_WARNINGS,
  });
  return bytes.slice(0, end);
}

function rejected(encoding: number, seq: number): Uint8Array {
  const bytes = new Uint8Array(512);
  const { writeRejectedFrame, rejections } = encodingOf(encoding).answers;
  return bytes.slice(0, writeRejectedFrame(bytes, 0, createSeq(seq), rejections[-FRAME_MALFORMED]!));
}
