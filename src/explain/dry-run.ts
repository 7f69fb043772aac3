/**
 * The dry run: what would be decided on an event now, with nothing recorded. A decider of its own runs the worker's very
 * code on small tables that hold copies of the event's entities (scratch-tables.ts), so it decides as the worker would, to
 * the bit. Main thread; made when it is first asked for, and anew when the pipeline's version changes.
 */

import { outcomeText, EVENT_MALFORMED } from '../../native-free-core/base/outcomes.ts';
import { transcodeJson } from '../../native-free-core/codec/json/json-frame.ts';
import { clearUnknownFields, unknownTexts } from '../../native-free-core/codec/unknown-fields.ts';
import type { RejectionDetail } from '../../native-free-core/codec/rejection.ts';
import { createFrameEvents, type FrameEvents } from '../../native-free-core/codec/frame-events.ts';
import { createDecider, type Decider } from '../../native-free-core/decide/decider.ts';
import { runningEpoch, timeNow } from '../../native-free-core/decide/epoch.ts';
import { decideRows, moveState } from '../../native-free-core/decide/decide-block.ts';
import { takeEvent } from '../../native-free-core/decide/take-frame.ts';
import { describeEvent, noteUnknownFields } from '../../native-free-core/decide/tell-refusals.ts';
import type { Session } from '../../native-free-core/decide/sessions.ts';
import type { Tables } from '../../native-free-core/decide/shared-tables.ts';
import { beginFrame } from '../../native-free-core/decide/taken-frame.ts';
import { hashEventId } from '../../native-free-core/decide/validate.ts';
import { resetColumn } from '../../native-free-core/layout/column.ts';
import { CONTROL_WORDS } from '../../native-free-core/layout/control-layout.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { ENCODING_CODES } from '../../native-free-core/layout/encoding-codes.ts';
import { layOutLimits } from '../../native-free-core/policy/limit-layout.ts';
import { createLane, openLane } from '../../native-free-core/ring/lane.ts';
import { dictionaryCount } from '../../native-free-core/state/dictionary.ts';
import { hasId } from '../../native-free-core/state/id-window.ts';
import { OperatingError } from '../errors.ts';
import { monotonicMs, wallMs } from '../system/clock.ts';
import type { Explanation } from '../contract/explanation.ts';
import { compileRowExplainer, type RowExplainer } from './explain-row.ts';
import { clearTables, copyRow, createScratchTables, followDictionary } from './scratch-tables.ts';

/** Nothing is sent through it. */
const LANE_BYTES = 4096;

/** What decides at the moment; a deploy changes it. */
export interface LiveState {
  readonly plan: Plan;
  /** As the main thread is attached to them. */
  readonly tables: Tables;
  /** The control region: the running epoch and its time. */
  readonly control: Int32Array;
}

export interface DryRun {
  /** One event, in JSON or as a message of the pipeline's type. Throws an OperatingError that says what is wrong with it. */
  decide(event: Uint8Array, isJson: boolean): Explanation;
}

interface Scratch {
  readonly plan: Plan;
  readonly live: Tables;
  readonly tables: Tables;
  readonly decider: Decider;
  /** The frame of the one event. */
  readonly events: FrameEvents;
  readonly explainer: RowExplainer;
  /** Entries of the live dictionary that the copy has. */
  followed: number;
}

/** Clocks as workers have them. */
export interface DryRunClocks {
  readonly now: () => number;
  readonly monotonic: () => number;
}

export function createDryRun(
  live: () => LiveState,
  clocks: DryRunClocks = { now: wallMs, monotonic: monotonicMs },
): DryRun {
  let scratch: Scratch | null = null;
  return {
    decide(event, isJson) {
      const state = live();
      scratch = currentScratch(scratch, state);
      try {
        const { bytes, notes } = eventBytes(state.plan, event, isJson);
        return decideOnce(scratch, state, bytes, notes, timeOf(state, clocks));
      } finally {
        forget(scratch);
      }
    },
  };
}

function currentScratch(scratch: Scratch | null, { plan, tables }: LiveState): Scratch {
  const fits = scratch !== null && scratch.plan.versionNumber === plan.versionNumber && scratch.live === tables;
  const current = fits ? scratch : createScratch(plan, tables);
  if (followDictionary(current.tables.dictionary, tables.dictionary, current.followed)) {
    current.followed = dictionaryCount(tables.dictionary);
    return current;
  }
  const fresh = createScratch(plan, tables);
  followDictionary(fresh.tables.dictionary, tables.dictionary, fresh.followed);
  fresh.followed = dictionaryCount(tables.dictionary);
  return fresh;
}

function createScratch(plan: Plan, live: Tables): Scratch {
  const tables = createScratchTables(live);
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  const decider = createDecider({
    plan,
    worker: 0,
    workers: 1,
    control: new Int32Array(CONTROL_WORDS),
    frameLanes: [],
    durableLanes: [],
    storedLanes: [],
    blockLane: openLane(createLane(LANE_BYTES)),
    tables,
    now: wallMs,
    monotonic: monotonicMs,
    epochIntervalMs: 0,
    textOf: (bytes, from, to) => decoder.decode(bytes.slice(from, to)),
    utf8: (text) => encoder.encode(text),
  });
  const row = { plan, columns: decider.block.columns, dictionary: tables.dictionary };
  const explainer = compileRowExplainer(row, tables.lists);
  return { plan, live, tables, decider, events: createFrameEvents(true), explainer, followed: 1 };
}

/** Nobody's: no producer, so no sequence numbers; no ids are taken. */
const SESSION: Session = {
  ingress: 0,
  slot: 0,
  generation: 0,
  encoding: ENCODING_CODES.json,
  answerEncoding: ENCODING_CODES.json,
  stored: false,
  hello: false,
  dedup: false,
  producerName: new Uint8Array(0),
  producer: 0,
  life: 0,
  namedIn: 0,
  greeted: true,
};

/** `notes`: what its reader has to say of the event. */
function decideOnce(
  scratch: Scratch,
  { control }: LiveState,
  event: Uint8Array,
  notes: readonly string[],
  now: number,
): Explanation {
  const { decider, live, tables } = scratch;
  const { decoder } = decider.loops;
  const skipped = decoder.unknownFields;
  takeTicket(decider, control, now);
  const view = new DataView(event.buffer, event.byteOffset, event.byteLength);
  const frame = frameOf(scratch, event, view);
  const outcome = takeEvent(decider, frame, 0);
  if (outcome < 0)
    throw refusal(outcome, describeEvent(decider, { bytes: event, view, start: 0, end: event.length }, outcome));
  copyEntities(decider, live, tables);
  moveState(decider);
  decideRows(decider);
  const explanation = scratch.explainer.explain();
  const repeated = isRepeated(decider, live) ? [REPEATED] : [];
  const unknown = unknownOf(decider, decoder.unknownFields - skipped);
  return { ...explanation, notes: [...explanation.notes, ...notes, ...unknown, ...repeated] };
}

/** The event as the only one of a frame that nobody sent; no ids are taken. */
function frameOf({ decider, events }: Scratch, bytes: Uint8Array, view: DataView): FrameEvents {
  clearUnknownFields(events.unknown);
  events.count = 1;
  events.bytes = bytes;
  events.view = view;
  events.ends[0] = bytes.length;
  beginFrame(decider.frame, SESSION, events);
  decider.frame.dedup = false;
  return events;
}

/** Names of a protobuf event's fields that the message does not have. */
function unknownOf(decider: Decider, count: number): string[] {
  if (count === 0) return [];
  noteUnknownFields(decider, 0, count);
  return unknownTexts(decider.frame.events.unknown);
}

const REPEATED =
  'an event with this id has been seen: sent again without a producer, it is answered as a duplicate and not decided';

function isRepeated({ loops: { validator } }: Decider, { ids }: Tables): boolean {
  const words = new Int32Array(4);
  if (ids === null || validator.eventId === null || !hashEventId(validator.eventId, 0, words)) return false;
  return hasId(ids, words[0]!, words[1]!, words[2]!, words[3]!);
}

/** As if it joined the running epoch. */
function takeTicket({ block: { ticket } }: Decider, control: Int32Array, now: number): void {
  ticket.epoch = runningEpoch(control);
  ticket.epochLow = ticket.epoch | 0;
  ticket.receivedAt = now;
}

function timeOf({ control }: LiveState, { now, monotonic }: DryRunClocks): number {
  return timeNow(control, now(), monotonic());
}

/** Keys first, as the worker computes them; they are computed once more when state moves. */
function copyEntities(decider: Decider, live: Tables, scratch: Tables): void {
  const { computed, state } = decider.loops;
  if (computed.beforeState !== null) computed.beforeState(0, 1);
  const limits = layOutLimits(decider.input.plan);
  state.keyLoops.forEach((keyLoop, entity) => {
    keyLoop(0, 1);
    if (state.present[entity]![0] === 0) return;
    const key = state.keys[entity]!;
    copyRow(live.entities[entity]!, scratch.entities[entity]!, key);
    limits.forEach((limit, i) => {
      if (limit.entity === entity) copyRow(live.limits![i]!, scratch.limits![i]!, key);
    });
  });
}

function forget({ decider, tables }: Scratch): void {
  clearTables(tables);
  // A refused event has left its row as it was; its columns may be touched all the same.
  for (const column of decider.block.columns) resetColumn(column, Math.max(1, decider.block.rows));
  decider.block.rows = 0;
}

interface EventBytes {
  readonly bytes: Uint8Array;
  /** Keys that nobody knows. */
  readonly notes: readonly string[];
}

function eventBytes(plan: Plan, event: Uint8Array, isJson: boolean): EventBytes {
  if (!isJson) return { bytes: event, notes: [] };
  const frame = transcodeJson(plan, event, 0, event.length);
  if (frame.count < 0) throw refusal(EVENT_MALFORMED, frame.problem);
  if (frame.count !== 1) {
    throw new OperatingError(
      'not_one_event',
      `a dry run takes one event: events=${frame.count}; ask for each of them alone`,
    );
  }
  if (frame.outcomes[0]! < 0) throw refusal(frame.outcomes[0]!, frame.details.get(0) ?? null);
  return { bytes: frame.bytes.slice(frame.starts[0], frame.ends[0]), notes: unknownTexts(frame.unknown) };
}

function refusal(outcome: number, detail: RejectionDetail | null): OperatingError {
  const { code, text } = outcomeText(outcome);
  return new OperatingError(code, detail?.text ?? text);
}
