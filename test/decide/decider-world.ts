/** Deciders on a small pipeline, and records in their lanes, for tests that drive them by hand. */

import { join } from 'node:path';
import { createDecider, type Decider } from '../../native-free-core/decide/decider.ts';
import { ENCODING_CODES } from '../../native-free-core/layout/encoding-codes.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { createSeq } from '../../native-free-core/layout/seq.ts';
import { putFrame, putOpen } from '../../native-free-core/ring/frame-lane.ts';
import { openLane } from '../../native-free-core/ring/lane.ts';
import type { SharedMemory } from '../../src/memory/regions.ts';
import { openTables } from '../../src/workers/open-tables.ts';
import { viewsOf } from '../../src/workers/warm-up/warm-up.ts';

export const PIPELINE = join(import.meta.dirname, '..', 'faults', 'power-cut.yaml');
export const NOW = 1_700_000_000_000;

/** `now`: ms UTC. */
export function deciderOn(plan: Plan, memory: SharedMemory, worker: number, now = (): number => NOW): Decider {
  return createDecider({
    ...viewsOf(memory, worker),
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
  putOpen(openLane(decider.input.frameLanes[0].buffer), {
    slot: 0,
    generation: 0,
    encoding: ENCODING_CODES.ndjson,
    answerEncoding: ENCODING_CODES.json,
    stored: false,
    hello: false,
    dedup: false,
    producerName: new TextEncoder().encode(producer),
  });
}

/** A frame of these events on that connection. */
export function writeEvents(decider: Decider, events: readonly object[], seq = 0): void {
  const body = new TextEncoder().encode(events.map((event) => JSON.stringify(event)).join('\n'));
  putFrame(openLane(decider.input.frameLanes[0].buffer), { slot: 0, generation: 0 }, createSeq(seq), 0, body);
}
