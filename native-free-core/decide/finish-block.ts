/**
 * Ends a block: state and decisions, the meeting with the other workers, the sealed bytes for the spool thread, the answers.
 * Called by run.ts when a block is full, when its time has come, or when another worker ends the epoch.
 */

import { fail } from '../base/fail.ts';
import { resetDeadLetterLog, resetFrameLog, resetNameLog } from '../columns/logs.ts';
import { resetColumn } from '../layout/column.ts';
import { BELL_STRIDE, INGRESS_BELL, OVERFLOWS, SPOOL_BELL, WITHOUT_ROOM } from '../layout/control-layout.ts';
import { BLOCK_BODY_AT, writeBlockHeader } from '../layout/block-record.ts';
import { RECORD_BLOCK } from '../layout/record-kinds.ts';
import { commit } from '../ring/lane.ts';
import { ring } from '../ring/doorbell.ts';
import { leaveAdoption } from '../state/adoption.ts';
import { trimEntities } from '../state/trim-entities.ts';
import { dictionaryCount } from '../state/dictionary.ts';
import type { Decider } from './decider.ts';
import { arriveAtEnd } from './epoch.ts';
import { resetFrameAnswers } from './frame-answers.ts';
import { updateState } from './state-loops.ts';
import { reserveWaiting } from './reserve-waiting.ts';
import { writeEntityAnswers } from './entity-reads.ts';
import { writeAnswers, writeHellos } from './write-answers.ts';

export function finishBlock(d: Decider): void {
  const { control, worker, workers } = d.input;
  moveState(d);
  decideRows(d);
  arriveAtEnd(control, d.ticket, worker, workers);
  concludeBlock(d);
}

/** Whoever drives several deciders on one thread calls the parts one by one. */
export function moveState(d: Decider): void {
  if (d.computed.beforeState !== null) d.computed.beforeState(0, d.rows);
  updateState(d.state, d.rows, d.ticket.epoch, d.ticket.receivedAt, false);
  publishCounters(d);
}

/** What is rare is counted by the kernels and told after each block, so that the main thread can say it. */
function publishCounters({ state: { counters }, input: { control } }: Decider): void {
  if (counters.noRoom !== 0) Atomics.add(control, WITHOUT_ROOM, counters.noRoom);
  if (counters.overflows !== 0) Atomics.add(control, OVERFLOWS, counters.overflows);
  counters.noRoom = 0;
  counters.overflows = 0;
}

/**
 * Before the workers meet, as all that changes shared tables: a limit taken after the meeting could come behind one that
 * another worker has taken in the next epoch, which a crash can still remove.
 */
export function decideRows(d: Decider): void {
  for (const compute of d.afterState) compute(0, d.rows);
  for (const decide of d.decisions) decide(d.rows, d.ticket.epoch, d.ticket.receivedAt);
}

/** What comes after the workers have met. */
export function concludeBlock(d: Decider): void {
  const { control, worker, plan } = d.input;
  const ticket = d.ticket;
  trimTables(d);
  const dictionaryEnd = dictionaryCount(d.input.tables.dictionary);
  const input = {
    rows: d.rows,
    receivedAt: ticket.receivedAt,
    pipelineNumber: plan.versionNumber,
    admittedAt: d.admittedAt,
    frames: d.frames,
    deadLetters: d.deadLetters,
    names: d.names,
    unknownFields: d.unknownFields,
    dictionary: d.input.tables.dictionary,
    dictionaryFrom: d.dictionaryLogged,
    dictionaryEnd,
  };
  const bytes = d.sealer.sealedBytes(input);
  const lane = d.input.blockLane;
  const at = reserveWaiting(d, lane, RECORD_BLOCK, BLOCK_BODY_AT + bytes);
  writeBlockHeader(lane.view, at, ticket.epoch, ticket.participants, worker);
  const end = d.sealer.sealBlock(lane.bytes, lane.view, at + BLOCK_BODY_AT, input);
  if (end !== at + BLOCK_BODY_AT + bytes) fail('SEALED_SIZE', end - at - bytes);
  commit(lane);
  ring(control, SPOOL_BELL);
  d.dictionaryLogged = dictionaryEnd;
  writeAnswers(d);
  answerWaiting(d, ticket.epochLow);
  resetBlock(d);
}

function trimTables(d: Decider): void {
  const { entities, limits } = d.input.tables;
  for (let i = 0; i < entities.length; i++) trimEntities(entities[i], d.ticket.epoch);
  if (limits !== undefined) for (let i = 0; i < limits.length; i++) trimEntities(limits[i], d.ticket.epoch);
}

/** Hellos and look-ups that came in since; `epochLow`: hold them until this epoch is durable. */
export function answerWaiting(d: Decider, epochLow: number): void {
  writeHellos(d, epochLow);
  writeEntityAnswers(d, epochLow);
  for (let i = 0; i < d.input.frameLanes.length; i++) ring(d.input.control, INGRESS_BELL + i * BELL_STRIDE);
}

function resetBlock(d: Decider): void {
  const { entities, limits } = d.input.tables;
  for (let i = 0; i < entities.length; i++) if (leaveAdoption(entities[i])) d.lettingGo = true;
  if (limits !== undefined) for (let i = 0; i < limits.length; i++) if (leaveAdoption(limits[i])) d.lettingGo = true;
  for (let i = 0; i < d.columns.length; i++) resetColumn(d.columns[i], d.rows);
  resetFrameLog(d.frames);
  resetDeadLetterLog(d.deadLetters);
  resetNameLog(d.names);
  d.blockNumber++;
  resetFrameAnswers(d.answers);
  d.rows = 0;
  d.frameBytes = 0;
  d.unknownFields = 0;
  d.admittedAt = 0;
  d.joined = false;
  d.lastSealedAt = d.input.monotonic();
}
