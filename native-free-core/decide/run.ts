/**
 * The decision worker's loop: drain the lanes into a block, end the block, begin again; sleep when there is nothing.
 *
 * When a block ends: it is full; or another worker closes the epoch; or the lanes are empty, the last block is at least
 * the pace's interval ago (epoch-pace.ts), and the spool thread has fewer than two epochs before it. So under load blocks
 * grow as large as what arrives during one fsync, and with little load an event waits for about one fsync.
 */

import { LANE_EMPTY } from '../base/outcomes.ts';
import { BLOCK_DETAIL_BYTES_MAX } from '../columns/block-logs.ts';
import { BELL_STRIDE, CHANGING, DURABLE_LOW, STOPPING, WORKER_BELL } from '../layout/control-layout.ts';
import { readGeneration, readSlot } from '../layout/connection-record.ts';
import { BLOCK_FRAMES_MAX, BLOCK_FRAME_BYTES_MAX, BLOCK_ROWS_MAX, FRAME_EVENTS_MAX } from '../layout/limits.ts';
import { readOpen } from '../layout/open-record.ts';
import { RECORD_CLOSE, RECORD_ENTITY_READ, RECORD_FRAME, RECORD_OPEN } from '../layout/record-kinds.ts';
import { cancelSleep, prepareSleep, sleep } from '../ring/doorbell.ts';
import { doze } from '../ring/doze.ts';
import { claim, release, type Lane } from '../ring/lane.ts';
import type { Decider } from './decider.ts';
import { isClosing, joinEpoch, runningEpochLow } from './epoch.ts';
import { isGrown } from './epoch-pace.ts';
import { completeBlock } from './complete-block.ts';
import { answerWaiting } from './seal-block.ts';
import { openSession, sessionOf } from './sessions.ts';
import { takeFrame } from './take-frame.ts';
import { pendingRead } from './entity-reads.ts';

/** Bounds what a lost wake-up costs; twenty a second were a tenth of what an idle server took. */
const SLEEP_MS = 250;
/** The disk is behind: how often a worker looks whether its block may end. */
const DOZE_MS_MIN = 0.5;
/** Records taken from one lane before the next has its turn. */
const LANE_TURN = 64;
/** Epochs that may wait for the disk before a worker holds its own back to let it grow. */
const EPOCHS_AHEAD_MAX = 2;

/**
 * Returns when the process stops and the lanes are empty, or between two epochs when another version's workers take over.
 */
export function runDecider(d: Decider): void {
  const control = d.input.control;
  for (;;) {
    if (Atomics.load(control, CHANGING) !== 0) {
      endForNext(d);
      return;
    }
    if (d.releasingMemory) {
      d.releasingMemory = false;
      d.input.releaseMemory?.();
    }
    const drained = drainLanes(d);
    if (d.block.joined && (isFull(d) || isClosing(control) || (drained === 0 && isDue(d)))) completeBlock(d);
    else if (!d.block.joined && (d.connections.hellos.length > 0 || d.connections.reads.length > 0))
      answerWaiting(d, (runningEpochLow(control) - 1) | 0);
    else if (drained === 0) {
      if (Atomics.load(control, STOPPING) !== 0 && !d.block.joined) return;
      rest(d);
    }
  }
}

/** What is in the block is decided by this version; what waits in the lanes is the next one's. */
function endForNext(d: Decider): void {
  if (d.block.joined) completeBlock(d);
  else answerWaiting(d, (runningEpochLow(d.input.control) - 1) | 0);
}

/** Takes everything that waits in the lanes and ends the block: for whoever drives a decider by hand, without sleeping. */
export function drainAndFinish(d: Decider): void {
  while (drainLanes(d) > 0) if (d.block.joined && isFull(d)) completeBlock(d);
  if (d.block.joined) completeBlock(d);
}

function isFull(d: Decider): boolean {
  return (
    d.block.rows + FRAME_EVENTS_MAX > BLOCK_ROWS_MAX ||
    d.block.answers.events + FRAME_EVENTS_MAX > BLOCK_ROWS_MAX ||
    d.block.answers.count >= BLOCK_FRAMES_MAX ||
    d.block.frameBytes >= BLOCK_FRAME_BYTES_MAX ||
    d.block.deadLetters.detailBytes >= BLOCK_DETAIL_BYTES_MAX
  );
}

function isDue(d: Decider): boolean {
  const ahead = (d.block.ticket.epochLow - Atomics.load(d.input.control, DURABLE_LOW)) | 0;
  return ahead <= EPOCHS_AHEAD_MAX && d.input.monotonic() - d.lastSealedAt >= d.pace.intervalMs;
}

/** Sleeps until there is work; with an unfinished block no longer than until it may end. */
function rest(d: Decider): void {
  if (d.block.joined && isGrown(d)) return restByTime(d);
  const control = d.input.control;
  const bell = WORKER_BELL + d.input.worker * BELL_STRIDE;
  const ticket = prepareSleep(control, bell);
  const ending = Atomics.load(control, STOPPING) !== 0 || Atomics.load(control, CHANGING) !== 0;
  if (hasRecords(d) || (d.block.joined && isClosing(control)) || ending) {
    cancelSleep(control, bell);
    if (Atomics.load(control, STOPPING) !== 0) Atomics.wait(d.waitWords, 0, 0, 1);
    return;
  }
  sleep(control, bell, ticket, d.block.joined ? Math.max(0.2, d.input.epochIntervalMs / 2) : SLEEP_MS);
}

/**
 * Until the block may end nobody needs to wake this worker but one that ends the epoch: small frames gather in the lanes,
 * and none of them costs a wake-up.
 */
function restByTime(d: Decider): void {
  const control = d.input.control;
  const bell = WORKER_BELL + d.input.worker * BELL_STRIDE;
  const ticket = Atomics.load(control, bell);
  if (isClosing(control)) return;
  const leftMs = d.lastSealedAt + d.pace.intervalMs - d.input.monotonic();
  doze(control, bell, ticket, Math.max(DOZE_MS_MIN, leftMs));
}

function hasRecords(d: Decider): boolean {
  for (const lane of d.input.frameLanes) if (claim(lane) !== LANE_EMPTY) return true;
  return false;
}

/** Takes records from all lanes in turn until they are empty or the block must end; returns how many it took. */
export function drainLanes(d: Decider): number {
  const lanes = d.input.frameLanes;
  let taken = 0;
  for (let i = 0; i < lanes.length; i++) {
    for (let turn = 0; turn < LANE_TURN; turn++) {
      if (isFull(d) || (d.block.joined && isClosing(d.input.control))) return taken;
      const at = claim(lanes[i]);
      if (at === LANE_EMPTY) break;
      takeRecord(d, lanes[i], i, at);
      release(lanes[i]);
      taken++;
    }
  }
  return taken;
}

function takeRecord(d: Decider, lane: Lane, ingress: number, at: number): void {
  const slot = readSlot(lane.view, at);
  const generation = readGeneration(lane.view, at);
  switch (lane.claimedKind) {
    case RECORD_FRAME: {
      const session = sessionOf(d.connections.sessions, ingress, slot, generation);
      if (session === undefined) return;
      if (!d.block.joined) {
        joinEpoch(d.input.control, d.block.ticket, d.input.now(), d.input.monotonic());
        d.block.joined = true;
      }
      takeFrame(d, session, lane, at, at + lane.claimedBytes);
      return;
    }
    case RECORD_OPEN: {
      const session = openSession(readOpen(lane, at), ingress);
      d.connections.sessions[ingress][slot] = session;
      if (session.hello) d.connections.hellos.push(session);
      return;
    }
    case RECORD_CLOSE:
      if (sessionOf(d.connections.sessions, ingress, slot, generation))
        d.connections.sessions[ingress][slot] = undefined;
      return;
    case RECORD_ENTITY_READ:
      d.connections.reads.push(pendingRead(d, lane, ingress, at, at + lane.claimedBytes));
  }
}
