/**
 * Decides the rows of a block: state moves, values and scores are computed, rules choose. Called by complete-block.ts;
 * whoever drives several deciders on one thread calls the parts one by one.
 */

import type { KernelCounters } from '../features/kernel.ts';
import { OVERFLOWS, WITHOUT_ROOM } from '../layout/control-layout.ts';
import type { Decider } from './decider.ts';
import { updateState } from './state-loops.ts';

export function moveState({ block, loops, input }: Decider): void {
  const { rows, ticket } = block;
  if (loops.computed.beforeState !== null) loops.computed.beforeState(0, rows);
  updateState(loops.state, rows, ticket.epoch, ticket.receivedAt, false);
  publishCounters(loops.state.counters, input.control);
}

/** What is rare is counted by the kernels and told after each block, so that the main thread can say it. */
function publishCounters(counters: KernelCounters, control: Int32Array): void {
  if (counters.noRoom !== 0) Atomics.add(control, WITHOUT_ROOM, counters.noRoom);
  if (counters.overflows !== 0) Atomics.add(control, OVERFLOWS, counters.overflows);
  counters.noRoom = 0;
  counters.overflows = 0;
}

/**
 * Limits change shared tables, so they are taken before the workers meet. After it, another worker may already have taken
 * one in the next epoch, which a crash could undo.
 */
export function decideRows({ block, loops }: Decider): void {
  const { rows, ticket } = block;
  for (const compute of loops.afterState) compute(0, rows);
  for (const decide of loops.decisions) decide(rows, ticket.epoch, ticket.receivedAt);
}
