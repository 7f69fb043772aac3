/**
 * What comes after the workers have met at an epoch's end: the sealed block goes to the spool thread, the answers to
 * ingress, and the block is empty again. Called by complete-block.ts.
 */

import { fail } from '../base/fail.ts';
import { BLOCK_BODY_AT, writeBlockHeader } from '../layout/block-record.ts';
import { BELL_STRIDE, DURABLE_LOW, INGRESS_BELL, SPOOL_BELL } from '../layout/control-layout.ts';
import { RECORD_BLOCK } from '../layout/record-kinds.ts';
import { ring } from '../ring/doorbell.ts';
import { commit } from '../ring/lane.ts';
import { leaveAdoption } from '../state/adoption.ts';
import { dictionaryCount } from '../state/dictionary.ts';
import { trimEntities } from '../state/trim-entities.ts';
import { resetBlock } from './block.ts';
import type { Decider } from './decider.ts';
import { writeEntityAnswers } from './entity-reads.ts';
import { reserveWaiting } from './reserve-waiting.ts';
import { writeAnswers, writeHellos } from './write-answers.ts';

export function sealAndAnswer(d: Decider): void {
  trimTables(d);
  sealBlock(d);
  writeAnswers(d);
  answerWaiting(d, d.block.ticket.epochLow);
  clearBlock(d);
}

/** Seals the block straight into the lane to the spool thread. */
function sealBlock(d: Decider): void {
  const { control, worker, plan, blockLane: lane, tables } = d.input;
  const { block } = d;
  const { sealer } = d.loops;
  const { epoch, participants, receivedAt } = block.ticket;
  const dictionaryEnd = dictionaryCount(tables.dictionary);
  const input = {
    rows: block.rows,
    receivedAt,
    pipelineNumber: plan.versionNumber,
    admittedAt: block.admittedAt,
    frames: block.frames,
    deadLetters: block.deadLetters,
    names: block.names,
    unknownFields: block.unknownFields,
    dictionary: tables.dictionary,
    dictionaryFrom: d.dictionaryLogged,
    dictionaryEnd,
  };
  const bytes = sealer.sealedBytes(input);
  const at = reserveWaiting(d, lane, RECORD_BLOCK, BLOCK_BODY_AT + bytes);
  writeBlockHeader(lane.view, at, epoch, participants, worker);
  const end = sealer.sealBlock(lane.bytes, lane.view, at + BLOCK_BODY_AT, input);
  if (end !== at + BLOCK_BODY_AT + bytes) fail('sealed_size', end - at - bytes);
  commit(lane);
  ring(control, SPOOL_BELL);
  d.dictionaryLogged = dictionaryEnd;
}

function trimTables(d: Decider): void {
  const { entities, limits } = d.input.tables;
  for (let i = 0; i < entities.length; i++) trimEntities(entities[i], d.block.ticket.epoch);
  if (limits !== undefined) for (let i = 0; i < limits.length; i++) trimEntities(limits[i], d.block.ticket.epoch);
}

/**
 * Hellos and look-ups that came in since; `epochLow`: hold them until this epoch is durable. Until then the spool thread
 * rings once it is, and a ring before that would find nothing to send.
 */
export function answerWaiting(d: Decider, epochLow: number): void {
  writeHellos(d, epochLow);
  writeEntityAnswers(d, epochLow);
  if (((epochLow - Atomics.load(d.input.control, DURABLE_LOW)) | 0) > 0) return;
  for (let i = 0; i < d.input.frameLanes.length; i++) ring(d.input.control, INGRESS_BELL + i * BELL_STRIDE);
}

function clearBlock(d: Decider): void {
  const { entities, limits } = d.input.tables;
  for (let i = 0; i < entities.length; i++) if (leaveAdoption(entities[i])) d.releasingMemory = true;
  if (limits !== undefined)
    for (let i = 0; i < limits.length; i++) if (leaveAdoption(limits[i])) d.releasingMemory = true;
  resetBlock(d.block);
  d.lastSealedAt = d.input.monotonic();
}
