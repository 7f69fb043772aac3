/**
 * Ends a block: state and decisions, the meeting with the other workers, the sealed bytes for the spool thread, the answers.
 * Called by run.ts when a block is full, when its time has come, or when another worker ends the epoch.
 */

import type { Decider } from './decider.ts';
import { decideRows, moveState } from './decide-block.ts';
import { arriveAtEnd } from './epoch.ts';
import { keepPace } from './epoch-pace.ts';
import { sealAndAnswer } from './seal-block.ts';

export function completeBlock(d: Decider): void {
  const { control, worker, workers } = d.input;
  moveState(d);
  decideRows(d);
  arriveAtEnd(control, d.block.ticket, worker, workers);
  keepPace(d);
  sealAndAnswer(d);
}
