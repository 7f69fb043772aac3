/** Room in a lane for whoever may wait for it: a worker with a sealed block or an answer. */

import { fail } from '../base/fail.ts';
import { LANE_FULL } from '../base/outcomes.ts';
import { BELL_STRIDE, INGRESS_BELL, SPOOL_BELL } from '../layout/control-layout.ts';
import { laneRecordBytesMax, reserve, type Lane } from '../ring/lane.ts';
import { ring } from '../ring/doorbell.ts';
import type { Decider } from './decider.ts';

/** How long a worker waits at a full lane before it looks again, ms. */
const LANE_WAIT_MS = 1;

/** Waits where the lane is full: the thread at its other end frees it without this one's help. */
export function reserveWaiting(d: Decider, lane: Lane, kind: number, payloadBytes: number): number {
  if (payloadBytes > laneRecordBytesMax(lane.capacity)) fail('record_too_large', payloadBytes);
  for (;;) {
    const at = reserve(lane, kind, payloadBytes);
    if (at !== LANE_FULL) return at;
    for (let i = 0; i < d.input.frameLanes.length; i++) ring(d.input.control, INGRESS_BELL + i * BELL_STRIDE);
    ring(d.input.control, SPOOL_BELL);
    Atomics.wait(d.waitWords, 0, 0, LANE_WAIT_MS);
  }
}
