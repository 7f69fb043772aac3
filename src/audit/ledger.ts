/**
 * The ledger (docs/semantics.md §11): the account of every event ever received, per producer and in total, as a function of
 * the durable epochs. Kept on the main thread, which reads every epoch; saved with each snapshot. Producers stand in it by
 * name; of those that are forgotten the sum is kept.
 */

import {
  FRAME_HAS_SEQ,
  FRAME_DUPLICATE,
  FRAME_REJECTED,
  FRAME_DEDUP,
  FRAME_FIRST,
  type FrameEntry,
} from '../../native-free-core/layout/frame-entry.ts';
import { seqNumber } from '../../native-free-core/layout/seq.ts';
import { BEFORE_FIRST, type Position } from '../contract/event-log.ts';

export interface LedgerEntry {
  received: number;
  accepted: number;
  duplicates: number;
  deadLettered: number;
  /** Frames that were rejected whole; their events are in no other figure. */
  framesRejected: number;
  /** Of dead-lettered events and rejected frames: those whose bytes are kept. */
  lettersKept: number;
  highestSeq: number;
  /** Frames taken, duplicates left out: with the highest seq it tells how many are missing. */
  framesTaken: number;
  /** received_at of its last frame, ms UTC. */
  seenAt: number;
}

/** One frame of a sealed block. */
export type LedgerFrame = Omit<FrameEntry, 'producer'>;

/** Lines beyond the producers that the table remembers: of those whose rows went to others since the last look. */
const SPARE_LINES = 1024;

export class Ledger {
  /** The last epoch that is in it. */
  epoch = BEFORE_FIRST;
  /** Newest received_at of its epochs, ms UTC. */
  receivedAt = 0;
  /** Fields of events that the pipeline's message did not have. */
  unknownFields = 0;
  /** Producers that the table remembers. */
  producersMax = Infinity;
  /** The sum of the lines that were dropped, and how many they were. */
  forgotten = { ...emptyLine(), producers: 0 };
  readonly #lines = new Map<string, LedgerEntry>();
  /** Producers whose event ids are looked at: what a row alone does not tell. */
  readonly dedups = new Set<string>();

  /** `producer`: its name, '' for frames that name none. `receivedAt`: of the frame's block, ms UTC. */
  add(producer: string, frame: LedgerFrame, receivedAt: number): void {
    // A producer that was forgotten begins anew, by its own numbers too.
    if ((frame.flags & FRAME_FIRST) !== 0) this.#drop(producer);
    const line = this.#line(producer);
    line.seenAt = receivedAt;
    if ((frame.flags & FRAME_REJECTED) !== 0) {
      line.framesRejected++;
      return;
    }
    if ((frame.flags & FRAME_DEDUP) !== 0) this.dedups.add(producer);
    line.received += frame.received;
    line.accepted += frame.accepted;
    line.duplicates += frame.duplicates;
    line.deadLettered += frame.dead;
    if ((frame.flags & FRAME_HAS_SEQ) === 0 || (frame.flags & FRAME_DUPLICATE) !== 0) return;
    line.framesTaken++;
    line.highestSeq = Math.max(line.highestSeq, seqNumber(frame.seq));
  }

  /** So many dead letters of the producer are kept. */
  addLetters(producer: string, kept: number): void {
    this.#line(producer).lettersKept += kept;
  }

  #line(producer: string): LedgerEntry {
    let line = this.#lines.get(producer);
    if (line === undefined) {
      if (this.#lines.size > this.producersMax + SPARE_LINES) this.#dropIdle();
      line = emptyLine();
      this.#lines.set(producer, line);
    }
    return line;
  }

  /** The longest idle: the table has given their rows to others. */
  #dropIdle(): void {
    const named = [...this.#lines].filter(([name]) => name !== '').sort(([, a], [, b]) => a.seenAt - b.seenAt);
    for (const [name] of named.slice(0, this.#lines.size - this.producersMax)) this.#drop(name);
  }

  #drop(producer: string): void {
    const line = this.#lines.get(producer);
    if (line === undefined) return;
    addLine(this.forgotten, line);
    this.forgotten.producers++;
    this.#lines.delete(producer);
    this.dedups.delete(producer);
  }

  /** By the producers' names; '' are the frames without a producer. */
  lines(): ReadonlyMap<string, LedgerEntry> {
    return this.#lines;
  }

  total(): LedgerEntry {
    const total = emptyLine();
    addLine(total, this.forgotten);
    for (const line of this.#lines.values()) addLine(total, line);
    return total;
  }

  save(): Uint8Array {
    const { epoch, receivedAt, forgotten, unknownFields } = this;
    const lines = [...this.#lines];
    const saved = { epoch, receivedAt, forgotten, unknownFields, lines, dedups: [...this.dedups] };
    return new TextEncoder().encode(JSON.stringify(saved));
  }

  /** `textOf`: of a dictionary id; older snapshots know producers by these. */
  restore(bytes: Uint8Array, textOf: (id: number) => string): void {
    const saved = JSON.parse(new TextDecoder().decode(bytes)) as Saved;
    const nameOf = (producer: string | number): string => (typeof producer === 'string' ? producer : textOf(producer));
    this.epoch = saved.epoch;
    this.receivedAt = saved.receivedAt;
    this.forgotten = saved.forgotten ?? { ...emptyLine(), producers: 0 };
    this.unknownFields = saved.unknownFields ?? 0;
    this.#lines.clear();
    for (const [producer, line] of saved.lines) {
      // Once, all of them were kept.
      const before = { ...emptyLine(), lettersKept: line.deadLettered + line.framesRejected, seenAt: saved.receivedAt };
      this.#lines.set(nameOf(producer), { ...before, ...line });
    }
    this.dedups.clear();
    for (const producer of saved.dedups ?? []) this.dedups.add(nameOf(producer));
  }

  /** For a line that is known from elsewhere than frames. */
  enter(producer: string, known: Partial<LedgerEntry>): void {
    Object.assign(this.#line(producer), known);
  }
}

interface Saved {
  readonly epoch: Position;
  readonly receivedAt: number;
  readonly forgotten?: LedgerEntry & { producers: number };
  readonly lines: readonly (readonly [string | number, LedgerEntry])[];
  readonly dedups?: readonly (string | number)[];
  readonly unknownFields?: number;
}

function addLine(sum: LedgerEntry, line: LedgerEntry): void {
  sum.received += line.received;
  sum.accepted += line.accepted;
  sum.duplicates += line.duplicates;
  sum.deadLettered += line.deadLettered;
  sum.framesRejected += line.framesRejected;
  sum.lettersKept += line.lettersKept;
  sum.framesTaken += line.framesTaken;
}

function emptyLine(): LedgerEntry {
  return {
    received: 0,
    accepted: 0,
    duplicates: 0,
    deadLettered: 0,
    framesRejected: 0,
    lettersKept: 0,
    highestSeq: 0,
    framesTaken: 0,
    seenAt: 0,
  };
}
