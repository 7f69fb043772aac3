/**
 * The ledger (SEMANTICS.md §11): the account of every event ever received, per producer and in total, as a function of
 * the durable epochs. Kept on the main thread, which reads every epoch; saved with each snapshot.
 */

import {
  FRAME_DEDUP,
  FRAME_DUPLICATE,
  FRAME_HAS_SEQ,
  FRAME_REJECTED,
} from '../../native-free-core/layout/block-layout.ts';

const HIGH = 4294967296;

export interface LedgerLine {
  received: number;
  accepted: number;
  duplicates: number;
  deadLettered: number;
  /** Frames that were rejected whole; their events are in no other figure. */
  framesRejected: number;
  highestSeq: number;
  /** Frames taken, duplicates left out: with the highest seq it tells how many are missing. */
  framesTaken: number;
}

/** One frame of a sealed block. */
export interface LedgerFrame {
  readonly producer: number;
  readonly flags: number;
  readonly seqLow: number;
  readonly seqHigh: number;
  readonly received: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly dead: number;
}

export class Ledger {
  /** The last epoch that is in it. */
  epoch = 0;
  /** Newest received_at of its epochs, ms UTC. */
  receivedAt = 0;
  readonly #lines = new Map<number, LedgerLine>();
  /** Producers whose event ids are looked at: what a row alone does not tell. */
  readonly dedups = new Set<number>();

  add(frame: LedgerFrame): void {
    const line = this.#line(frame.producer);
    if ((frame.flags & FRAME_REJECTED) !== 0) {
      line.framesRejected++;
      return;
    }
    if ((frame.flags & FRAME_DEDUP) !== 0) this.dedups.add(frame.producer);
    line.received += frame.received;
    line.accepted += frame.accepted;
    line.duplicates += frame.duplicates;
    line.deadLettered += frame.dead;
    if ((frame.flags & FRAME_HAS_SEQ) === 0 || (frame.flags & FRAME_DUPLICATE) !== 0) return;
    line.framesTaken++;
    line.highestSeq = Math.max(line.highestSeq, frame.seqLow + frame.seqHigh * HIGH);
  }

  #line(producer: number): LedgerLine {
    let line = this.#lines.get(producer);
    if (line === undefined) {
      line = emptyLine();
      this.#lines.set(producer, line);
    }
    return line;
  }

  /** By the producers' dictionary ids; 0 are the frames without a producer. */
  lines(): ReadonlyMap<number, LedgerLine> {
    return this.#lines;
  }

  total(): LedgerLine {
    const total = emptyLine();
    for (const line of this.#lines.values()) {
      total.received += line.received;
      total.accepted += line.accepted;
      total.duplicates += line.duplicates;
      total.deadLettered += line.deadLettered;
      total.framesRejected += line.framesRejected;
      total.framesTaken += line.framesTaken;
    }
    return total;
  }

  save(): Uint8Array {
    const saved = { epoch: this.epoch, receivedAt: this.receivedAt, lines: [...this.#lines], dedups: [...this.dedups] };
    return new TextEncoder().encode(JSON.stringify(saved));
  }

  restore(bytes: Uint8Array): void {
    const saved = JSON.parse(new TextDecoder().decode(bytes)) as {
      epoch: number;
      receivedAt: number;
      lines: [number, LedgerLine][];
      dedups?: number[];
    };
    this.epoch = saved.epoch;
    this.receivedAt = saved.receivedAt;
    this.#lines.clear();
    for (const [producer, line] of saved.lines) this.#lines.set(producer, line);
    this.dedups.clear();
    for (const producer of saved.dedups ?? []) this.dedups.add(producer);
  }

  /** For a line that is known from elsewhere than frames. */
  enter(producer: number, known: Partial<LedgerLine>): void {
    Object.assign(this.#line(producer), known);
  }
}

function emptyLine(): LedgerLine {
  return { received: 0, accepted: 0, duplicates: 0, deadLettered: 0, framesRejected: 0, highestSeq: 0, framesTaken: 0 };
}
