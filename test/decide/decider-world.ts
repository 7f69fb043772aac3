/** Deciders on a small pipeline, and records in their lanes, for tests that drive them by hand. */

import { join } from 'node:path';
import { createDecider, type Decider } from '../../native-free-core/decide/decider.ts';
import {
  ENCODING_NDJSON,
  FRAME_HEADER_BYTES,
  OPEN_HEADER_BYTES,
  RECORD_FRAME,
  RECORD_OPEN,
} from '../../native-free-core/layout/records.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { commit, openLane, reserve } from '../../native-free-core/ring/lane.ts';
import type { SharedMemory } from '../../src/memory/regions.ts';
import { openTables } from '../../src/workers/open-tables.ts';
import { stageOf } from '../../src/workers/rehearsal.ts';

export const PIPELINE = join(import.meta.dirname, '..', 'faults', 'power-cut.yaml');
export const NOW = 1_700_000_000_000;

/** `now`: ms UTC. */
export function deciderOn(plan: Plan, memory: SharedMemory, worker: number, now = (): number => NOW): Decider {
  return createDecider({
    ...stageOf(memory, worker),
    plan,
    tables: openTables(memory),
    now,
    monotonic: now,
    epochIntervalMs: 0,
    textOf: (bytes, from, to) => new TextDecoder().decode(bytes.slice(from, to)),
    utf8: (text) => new TextEncoder().encode(text),
  });
}

/** A connection as ingress opens it; `producer` '': none. */
export function writeOpen(decider: Decider, producer = ''): void {
  const lane = openLane(decider.input.frameLanes[0].buffer);
  const name = new TextEncoder().encode(producer);
  const at = reserve(lane, RECORD_OPEN, OPEN_HEADER_BYTES + name.length);
  lane.bytes.fill(0, at, at + OPEN_HEADER_BYTES);
  lane.bytes[at + 8] = ENCODING_NDJSON;
  lane.view.setUint32(at + 12, name.length, true);
  lane.bytes.set(name, at + OPEN_HEADER_BYTES);
  commit(lane);
}

/** A frame of these events on that connection. */
export function writeEvents(decider: Decider, events: readonly object[], seq = 0): void {
  const lane = openLane(decider.input.frameLanes[0].buffer);
  const body = new TextEncoder().encode(events.map((event) => JSON.stringify(event)).join('\n'));
  const at = reserve(lane, RECORD_FRAME, FRAME_HEADER_BYTES + body.length);
  lane.bytes.fill(0, at, at + FRAME_HEADER_BYTES);
  lane.view.setUint32(at + 8, seq, true);
  lane.bytes.set(body, at + FRAME_HEADER_BYTES);
  commit(lane);
}
