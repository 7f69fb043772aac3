/**
 * Finds the original decisions of frames that come again: whoever lost the answer still needs the hint. Rows carry producer,
 * frame seq and index, so the answer can be made again from them. Several look-ups share one query. Main thread.
 */

import { outcomeByCode } from '../../../native-free-core/base/outcomes.ts';
import {
  STATUS_DUPLICATE,
  answerBytesMax,
  rejectionBytesMax,
  writeAnswerJson,
  writeAnswerProto,
} from '../../../native-free-core/codec/answer.ts';
import { ENCODING_PROTO } from '../../../native-free-core/layout/records.ts';
import type { Plan } from '../../../native-free-core/layout/plan.ts';
import type { Log } from '../../ops/log.ts';
import { quoteName } from '../tables/index.ts';
import type { Connection } from './connection.ts';

export interface DecisionRequest {
  readonly producer: string;
  readonly seqLow: number;
  readonly seqHigh: number;
  /** Low bits of an epoch by which the original is in the spool. */
  readonly epochLow: number;
  readonly encoding: number;
}

interface Waiting extends DecisionRequest {
  readonly seq: string;
  readonly resolve: (answer: Uint8Array) => void;
}

interface FoundEvent {
  readonly seq: string;
  readonly index: number;
  readonly code: string;
  readonly actions: readonly string[];
}

export interface DecisionLookupOptions {
  readonly connection: Connection;
  readonly plan: Plan;
  readonly log: Log;
}

/** Requests that come within this time go into one query. */
const GATHER_MS = 10;
const SEQS_PER_QUERY_MAX = 2048;
const RETRY_MS = 1000;
/** Where the status stands in a protobuf answer: behind the tag and the eight bytes of seq, and its own tag. */
const STATUS_AT = 10;

export class DecisionLookup {
  readonly #options: DecisionLookupOptions;
  #waiting: Waiting[] = [];
  #storedLow = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: DecisionLookupOptions) {
    this.#options = options;
  }

  answer(request: DecisionRequest): Promise<Uint8Array> {
    const seq = String(BigInt(request.seqHigh) * 4294967296n + BigInt(request.seqLow));
    return new Promise((resolve) => {
      this.#waiting.push({ ...request, seq, resolve });
      this.#schedule();
    });
  }

  /** Everything up to this epoch is in ClickHouse. */
  stored(epoch: number): void {
    this.#storedLow = epoch | 0;
    if (epoch > 0x7fffffff) this.#storedLow = (epoch % 4294967296) | 0;
    if (this.#waiting.length > 0) this.#schedule();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      const due = this.#waiting.filter((one) => ((one.epochLow - this.#storedLow) | 0) <= 0).slice(0, SEQS_PER_QUERY_MAX);
      this.#waiting = this.#waiting.filter((one) => !due.includes(one));
      if (due.length === 0) return;
      if (this.#waiting.length > 0) this.#schedule();
      for (const [producer, requests] of groupByProducer(due)) void this.#find(producer, requests);
    }, GATHER_MS);
  }

  async #find(producer: string, requests: readonly Waiting[]): Promise<void> {
    try {
      const events = await this.#query(producer, [...new Set(requests.map(({ seq }) => seq))]);
      for (const request of requests) request.resolve(this.#encode(request, events.get(request.seq) ?? []));
    } catch (error) {
      // ClickHouse may be away: whoever resent the frame waits as long as its batch would.
      this.#options.log('error', 'the decisions of duplicates could not be looked up; trying again', { error: String(error) });
      setTimeout(() => {
        this.#waiting.push(...requests);
        this.#schedule();
      }, RETRY_MS).unref();
    }
  }

  async #query(producer: string, seqs: readonly string[]): Promise<Map<string, FoundEvent[]>> {
    const { connection, plan } = this.#options;
    const decisions = plan.decisions.map(({ name }) => quoteName(name)).join(', ');
    const rows = await connection.rows<FoundEvent>(
      `SELECT toString(_frame_seq) AS seq, _frame_index AS index, '' AS code, [${decisions}] AS actions
       FROM ${connection.table('events')} WHERE _producer = {producer:String} AND _frame_seq IN {seqs:Array(UInt64)}
       UNION ALL
       SELECT toString(frame_seq) AS seq, frame_index AS index, toString(code) AS code, [] AS actions
       FROM ${connection.table('dead_letters')}
       WHERE producer = {producer:String} AND frame_seq IN {seqs:Array(UInt64)} AND kind = 'event'`,
      { producer, seqs: seqs.map(BigInt) },
    );
    const found = new Map<string, FoundEvent[]>();
    for (const row of rows) found.set(row.seq, [...(found.get(row.seq) ?? []), row]);
    return found;
  }

  /** The answer as it was, but for the status. Events that were duplicates by id are known by their absence. */
  #encode(request: Waiting, events: readonly FoundEvent[]): Uint8Array {
    const { plan } = this.#options;
    const count = events.reduce((most, { index }) => Math.max(most, Number(index) + 1), 0);
    const rows = new Int32Array(count).fill(-1);
    const outcomes = new Int32Array(count);
    const actions = plan.decisions.map(() => new Uint16Array(count));
    let rejections = 0;
    for (const { index, code, actions: names } of events) {
      if (code === '') rows[index] = index;
      else {
        outcomes[index] = outcomeByCode(code);
        rejections++;
      }
      names.forEach((name, d) => (actions[d]![index] = plan.decisions[d]!.actions.indexOf(name) + 1));
    }
    const { encoding, seqLow, seqHigh } = request;
    const out = new Uint8Array(answerBytesMax(encoding, count, plan) + rejections * rejectionBytesMax(encoding) + 16);
    if (encoding === ENCODING_PROTO) {
      const end = writeAnswerProto(out, 0, seqLow, seqHigh, actions, rows, outcomes, 0, count);
      out[STATUS_AT] = STATUS_DUPLICATE;
      return out.subarray(0, end);
    }
    const end = writeAnswerJson(out, 0, seqLow, seqHigh, plan, actions, rows, outcomes, 0, count);
    const text = Buffer.from(out.subarray(0, end)).toString('utf8').replace('"status":"OK"', '"status":"DUPLICATE"');
    return Buffer.from(text, 'utf8');
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
