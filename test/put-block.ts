/** A sealed block into a worker's lane to the spool thread, for tests that seal their own. */

import { BLOCK_BODY_AT, writeBlockHeader } from '../native-free-core/layout/block-record.ts';
import { RECORD_BLOCK } from '../native-free-core/layout/record-kinds.ts';
import { commit, reserve, type Lane } from '../native-free-core/ring/lane.ts';

/** False where the lane is full. */
export function putBlock(lane: Lane, block: Uint8Array, epoch: number, participants: number, worker: number): boolean {
  const at = reserve(lane, RECORD_BLOCK, BLOCK_BODY_AT + block.length);
  if (at < 0) return false;
  writeBlockHeader(lane.view, at, epoch, participants, worker);
  lane.bytes.set(block, at + BLOCK_BODY_AT);
  commit(lane);
  return true;
}
