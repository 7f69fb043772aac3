/**
 * The real core on the calling thread, driven by hand: one event in, its stored row out. No server, no disk, no ClickHouse;
 * lanes, decoder, tables, kernels, rules and sealing are those of a decision worker. Called by run-test.ts.
 */

import { WORD } from '../../../native-free-core/base/words.ts';
import { createDecider, type Decider } from '../../../native-free-core/decide/decider.ts';
import { startEpochs } from '../../../native-free-core/decide/epoch.ts';
import { drainAndFinish } from '../../../native-free-core/decide/run.ts';
import { transcodeLines, transcodeText } from '../../../native-free-core/codec/json/json-frame.ts';
import { unknownTexts } from '../../../native-free-core/codec/unknown-fields.ts';
import { unpackDetail } from '../../../native-free-core/codec/rejection.ts';
import { eachDeadLetter, eachFrame, loadBlock } from '../../../native-free-core/columns/load-block.ts';
import { copyBlock } from '../../../native-free-core/layout/block-record.ts';
import { createColumn, resetColumn, type Column } from '../../../native-free-core/layout/column.ts';
import type { ConnectionAddress } from '../../../native-free-core/layout/connection-record.ts';
import { FRAME_BODY_AT } from '../../../native-free-core/layout/frame-record.ts';
import { createSeq } from '../../../native-free-core/layout/seq.ts';
import type { Plan } from '../../../native-free-core/plan/plan.ts';
import { ENCODING_CODES } from '../../../native-free-core/layout/encoding-codes.ts';
import { LANE_EMPTY, outcomeText } from '../../../native-free-core/base/outcomes.ts';
import { putFrame, putOpen } from '../../../native-free-core/ring/frame-lane.ts';
import { claim, laneRecordBytesMax, openLane, release, type Lane } from '../../../native-free-core/ring/lane.ts';
import { OperatingError } from '../../errors.ts';
import { allocateMemory } from '../../memory/regions.ts';
import type { ExplainedRow } from '../../explain/column-values.ts';
import { openTables } from '../../workers/open-tables.ts';

/** What became of one event. */
export type Taken =
  /** It is `row`, until the next event. */
  | { readonly outcome: 'stored' }
  | { readonly outcome: 'duplicate' }
  | { readonly outcome: 'refused'; readonly code: number; readonly reason: string };

export interface HandDrivenCore {
  /** Of the event taken last. */
  readonly row: ExplainedRow;
  /** `json`: one event. The clock goes to its time, never back. */
  take(json: string): Taken;
  /** Keys of the event taken last that nobody knows, in words. */
  readonly unknown: readonly string[];
}

const CONNECTION: ConnectionAddress = { slot: 0, generation: 1 };
const NO_SEQ = createSeq();

/** `eventsMax`: how many events will be taken; the tables are made no larger than these can fill. */
export function createHandDrivenCore(plan: Plan, eventsMax: number): HandDrivenCore {
  const small = shrink(plan, eventsMax);
  const memory = allocateMemory(small, 1, 1);
  const control = new Int32Array(memory.control);
  startEpochs(control, 1, 0);
  const frameLane = openLane(memory.frameLanes[0]![0]!);
  const durableLane = openLane(memory.durableLanes[0]![0]!);
  const blockLane = openLane(memory.blockLanes[0]!);
  const encoder = new TextEncoder();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let clock = 0;
  let unknown: readonly string[] = [];
  const tables = openTables(memory);
  const decider = createDecider({
    plan: small,
    worker: 0,
    workers: 1,
    control,
    frameLanes: [openLane(memory.frameLanes[0]![0]!)],
    durableLanes: [openLane(memory.durableLanes[0]![0]!)],
    storedLanes: [openLane(memory.storedLanes[0]![0]!)],
    blockLane: openLane(memory.blockLanes[0]!),
    tables,
    now: () => clock,
    // received_at is what the test says, and stays where that goes back.
    monotonic: () => 0,
    epochIntervalMs: 0,
    textOf: (bytes, from, to) => decoder.decode(bytes.slice(from, to)),
    utf8: (text) => encoder.encode(text),
  });
  const columns = small.columns.map((column) => createColumn(column));
  open(frameLane);
  return {
    get unknown() {
      return unknown;
    },
    row: { plan: small, columns, dictionary: tables.dictionary },
    take(json) {
      unknown = unknownTexts(transcodeText(small, json, transcodeLines).unknown);
      clock = Math.max(clock, timeOf(decider, json));
      frame(frameLane, encoder.encode(json), clock);
      drainAndFinish(decider);
      for (; claim(durableLane) !== LANE_EMPTY; release(durableLane));
      return load(small, columns, blockLane);
    },
  };
}

/** Every event touches at most one entity of a kind. */
function shrink(plan: Plan, eventsMax: number): Plan {
  const most = Math.max(1, eventsMax);
  return {
    ...plan,
    dedupIdsMax: Math.min(plan.dedupIdsMax, Math.max(1024, 2 * most)),
    entities: plan.entities.map((entity) => ({ ...entity, max: Math.min(entity.max, most) })),
  };
}

/** The event's own time, ms UTC, read by the pipeline's own decoder; 0 where it has none. The block must be empty. */
function timeOf(decider: Decider, json: string): number {
  const { plan } = decider.input;
  const { count, outcomes, bytes, view, starts, ends } = transcodeText(plan, json, transcodeLines);
  if (count !== 1 || outcomes[0] !== 0) return 0;
  const outcome = decider.loops.decoder.decodeEvent(bytes, view, starts[0]!, ends[0]!, 0);
  const column = decider.block.columns[plan.system.eventTime]!;
  const present = outcome === 0 && column.nulls[0] !== 1;
  const time = present ? column.u32[0]! + column.i32[1]! * WORD : 0;
  for (const each of decider.block.columns) resetColumn(each, 1);
  return time;
}

function open(lane: Lane): void {
  putOpen(lane, {
    ...CONNECTION,
    encoding: ENCODING_CODES.ndjson,
    answerEncoding: ENCODING_CODES.json,
    stored: false,
    hello: false,
    dedup: false,
    producerName: new Uint8Array(0),
  });
}

function frame(lane: Lane, body: Uint8Array, admittedAt: number): void {
  const fits = FRAME_BODY_AT + body.length <= laneRecordBytesMax(lane.capacity);
  if (!fits || !putFrame(lane, CONNECTION, NO_SEQ, admittedAt, body)) {
    throw new OperatingError('event_too_large', `an event does not fit a frame: bytes=${body.length}; shorten it`);
  }
}

/** Reads the block of the one event that was taken. */
function load(plan: Plan, columns: readonly Column[], lane: Lane): Taken {
  for (const column of columns) resetColumn(column, 1);
  const block = copyBlock(lane, claim(lane), lane.claimedBytes);
  release(lane);
  let taken: Taken = { outcome: 'stored' };
  eachFrame(block, ({ duplicates }) => {
    if (duplicates > 0) taken = { outcome: 'duplicate' };
  });
  eachDeadLetter(block, ({ outcome, detailStart, detailLength }) => {
    const reason = unpackDetail(block, detailStart, detailLength)?.text.replace(/; row \d+$/, '');
    taken = { outcome: 'refused', code: outcome, reason: reason ?? outcomeText(outcome).text };
  });
  if (taken.outcome === 'stored') loadBlock(plan, columns, block);
  return taken;
}
