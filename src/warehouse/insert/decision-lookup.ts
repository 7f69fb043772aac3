/**
 * Finds the original decisions of frames that come again: whoever lost the answer still needs the hint. Rows carry producer,
 * frame seq and index, so the answer can be made again from them. Several look-ups share one query. Main thread.
 */

import { outcomeByCode } from '../../../native-free-core/base/outcomes.ts';
import { NO_WARNINGS, STATUS_DUPLICATE } from '../../../native-free-core/codec/answer.ts';
import { encodingOf } from '../../../native-free-core/encodings/index.ts';
import type { Seq } from '../../../native-free-core/layout/seq.ts';
import { answeredDecisions, type Plan } from '../../../native-free-core/plan/plan.ts';
import { eventsSource, positionCondition } from '../../contract/events-source.ts';
import { quoteName, quoteText } from '../../contract/sql-text.ts';
import type { Connection } from './connection.ts';
import { REFUSED_CODE } from './presence.ts';
import type { Retry } from './retry.ts';

export interface DecisionRequest {
  readonly producer: string;
  readonly seq: Seq;
  /** Low bits of an epoch by which the original is in the spool. */
  readonly epochLow: number;
  /** Of the answer. */
  readonly encoding: number;
}

interface Waiting extends DecisionRequest {
  readonly seqText: string;
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

interface FoundEvent {
  readonly seq: string;
  readonly index: number;
  /** Code of the rejection, '' for none. */
  readonly outcome: string;
  /** What the rejection said; all '' for none. */
  readonly reason: string;
  readonly field: string;
  readonly value: string;
  readonly actions: readonly string[];
}

export interface DecisionLookupOptions {
  /** Number of the log that the stored events come from. */
  readonly logNumber: number;
  readonly connection: Connection;
  /** By whose names the answers are written: the running version's. */
  readonly plan: () => Plan;
  readonly retry: Retry;
}

/** Requests that come within this time go into one query. */
const GATHER_MS = 10;
const SEQS_PER_QUERY_MAX = 2048;
/**
 * How many batches are searched, newest first: the last minute or so, some hours, all there are. A frame lies in one batch
 * whole, so whatever is found is all of it. No index leads to a frame; the newest batches are small parts, and what comes
 * again is mostly new.
 */
const SEARCHED_BATCHES = [128, 16_384, Infinity] as const;

export class DecisionLookup {
  readonly #options: DecisionLookupOptions;
  /** Bounded by ingress: frames in flight for each connection. */
  #waiting: Waiting[] = [];
  #storedLow = 0;
  #storedBatch = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: DecisionLookupOptions) {
    this.#options = options;
  }

  /** Rejects only where the warehouse stops. */
  answer(request: DecisionRequest): Promise<Uint8Array> {
    const seqText = String((BigInt(request.seq.high) << 32n) | BigInt(request.seq.low));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...request, seqText, resolve, reject });
      this.#schedule();
    });
  }

  /** Everything up to this epoch, which ends this batch, is in ClickHouse. */
  stored(epoch: number, batch: number): void {
    // The low 32 bits: `|` takes them modulo 2^32.
    this.#storedLow = epoch | 0;
    this.#storedBatch = batch;
    if (this.#waiting.length > 0) this.#schedule();
  }

  #schedule(): void {
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      const due: Waiting[] = [];
      const later: Waiting[] = [];
      for (const one of this.#waiting) {
        const isStored = ((one.epochLow - this.#storedLow) | 0) <= 0;
        (isStored && due.length < SEQS_PER_QUERY_MAX ? due : later).push(one);
      }
      this.#waiting = later;
      if (due.length === 0) return;
      if (later.length > 0) this.#schedule();
      for (const [producer, requests] of groupByProducer(due)) void this.#find(producer, requests);
    }, GATHER_MS);
  }

  async #find(producer: string, requests: readonly Waiting[]): Promise<void> {
    const last = this.#storedBatch;
    let missing = requests;
    try {
      for (const batches of SEARCHED_BATCHES) {
        const after = Math.max(0, last - batches);
        const seqs = [...new Set(missing.map(({ seqText }) => seqText))];
        const found = await this.#options.retry.untilDone('look up the decisions of duplicates', () =>
          this.#query(producer, seqs, after),
        );
        for (const request of missing) {
          const events = found.get(request.seqText) ?? [];
          // A frame whose events all were duplicates by id has left no rows.
          if (events.length > 0 || after === 0) request.resolve(this.#encode(request, events));
        }
        missing = missing.filter(({ seqText }) => !found.has(seqText));
        if (missing.length === 0 || after === 0) return;
      }
    } catch (error) {
      for (const request of missing) request.reject(error);
    }
  }

  async #query(producer: string, seqs: readonly string[], afterBatch: number): Promise<Map<string, FoundEvent[]>> {
    const { connection, logNumber } = this.#options;
    const plan = this.#options.plan();
    const column = (index: number): string => quoteName(plan.columns[index]!.name);
    const { producer: producerColumn, frameSeq, frameIndex } = plan.system;
    const answered = answeredDecisions(plan);
    const decisions = answered.map(({ name }) => quoteName(name)).join(', ');
    const refused = `code = ${quoteText(REFUSED_CODE)}`;
    const refusedDecisions = answered.map(({ name }) => `JSONExtractString(bytes, ${quoteText(name)})`).join(', ');
    const { from, where } = eventsSource({ log: logNumber, afterBatch }, connection.database);
    const rows = await connection.rows<FoundEvent>(
      `SELECT toString(${column(frameSeq)}) AS seq, ${column(frameIndex)} AS index, '' AS outcome, '' AS reason, '' AS field,
        '' AS value, CAST([${decisions}], 'Array(String)') AS actions
       FROM ${from}
       WHERE ${column(producerColumn)} = {producer:String} AND ${column(frameSeq)} IN {seqs:Array(UInt64)} AND ${where}
       UNION ALL
       SELECT toString(frame_seq) AS seq, assumeNotNull(frame_index) AS index, if(${refused}, '', code) AS outcome,
        reason, field, value,
        if(${refused}, CAST([${refusedDecisions}], 'Array(String)'), CAST([], 'Array(String)')) AS actions
       FROM ${connection.table('dead_letters')}
       WHERE producer = {producer:String} AND frame_seq IN {seqs:Array(UInt64)} AND kind = 'event' AND ${positionCondition({ log: logNumber, afterBatch })}`,
      { producer, seqs: seqs.map(BigInt) },
    );
    const found = new Map<string, FoundEvent[]>();
    for (const row of rows) {
      const events = found.get(row.seq);
      if (events === undefined) found.set(row.seq, [row]);
      else events.push(row);
    }
    return found;
  }

  /** The answer as it was, but for the status. Events that were duplicates by id are known by their absence. */
  #encode(request: Waiting, events: readonly FoundEvent[]): Uint8Array {
    const plan = this.#options.plan();
    const count = events.reduce((most, { index }) => Math.max(most, index + 1), 0);
    const rows = new Int32Array(count).fill(-1);
    const outcomes = new Int32Array(count);
    const decisions = answeredDecisions(plan);
    const actions = decisions.map(() => new Uint16Array(count));
    const { answers } = encodingOf(request.encoding);
    const parts = new Map<number, Uint8Array>();
    let partBytes = 0;
    for (const { index, outcome, reason: text, field, value, actions: names } of events) {
      if (outcome === '') rows[index] = index;
      else {
        outcomes[index] = outcomeByCode(outcome);
        const part = answers.rejectionOf(outcomes[index], { field, value, text });
        parts.set(index, part);
        partBytes += part.length;
      }
      names.forEach((name, d) => (actions[d]![index] = decisions[d]!.actions.indexOf(name) + 1));
    }
    const room = answers.answerBytesMax(count, plan) + parts.size * answers.rejectionBytesMax + partBytes;
    const out = new Uint8Array(room);
    const end = answers.writeAnswer(out, 0, {
      plan,
      seq: request.seq,
      status: STATUS_DUPLICATE,
      actions,
      eventRow: rows,
      eventOutcome: outcomes,
      first: 0,
      count,
      parts,
      warnings: NO_WARNINGS,
    });
    return out.subarray(0, end);
  }
}

function groupByProducer(requests: readonly Waiting[]): Map<string, Waiting[]> {
  const groups = new Map<string, Waiting[]>();
  for (const request of requests) {
    const group = groups.get(request.producer);
    if (group === undefined) groups.set(request.producer, [request]);
    else group.push(request);
  }
  return groups;
}
