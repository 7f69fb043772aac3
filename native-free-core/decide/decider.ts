/**
 * All that one decision worker holds: lanes and tables, the loops compiled from the plan, the block being filled, the frame
 * being taken, and the connections. Made once on the worker's thread; `run.ts` drives it.
 */

import type { EntityReadRecord } from '../layout/entity-read-record.ts';
import type { Plan } from '../plan/plan.ts';
import type { Lane } from '../ring/lane.ts';
import { dictionaryCount } from '../state/dictionary.ts';
import { createBlock, type Block } from './block.ts';
import { createPace, type EpochPace } from './epoch-pace.ts';
import { createInterner, type Interner } from './interner.ts';
import { createLetterShare, type LetterShare } from './letter-share.ts';
import { compileLoops, type Loops } from './loops.ts';
import type { Session, Sessions } from './sessions.ts';
import type { Tables } from './shared-tables.ts';
import { createTakenFrame, type TakenFrame } from './taken-frame.ts';

/** An entity that is to be read at the end of the block. */
export interface PendingRead extends EntityReadRecord {
  readonly ingress: number;
  readonly key: string;
}

export interface DeciderInput {
  readonly plan: Plan;
  readonly worker: number;
  readonly workers: number;
  readonly control: Int32Array;
  /** One of each per ingress thread. */
  readonly frameLanes: readonly Lane[];
  readonly durableLanes: readonly Lane[];
  readonly storedLanes: readonly Lane[];
  readonly blockLane: Lane;
  readonly tables: Tables;
  /** ms UTC, of the wall clock, which may jump. */
  readonly now: () => number;
  /** ms of a clock that never goes back, one for all threads. */
  readonly monotonic: () => number;
  /** Shortest time between two epochs that this worker ends of its own accord (epoch-pace.ts). */
  readonly epochIntervalMs: number;
  /** UTF-8 both ways; `textOf` throws where the bytes are not UTF-8. */
  readonly textOf: (bytes: Uint8Array, from: number, to: number) => string;
  readonly utf8: (text: string) => Uint8Array;
  /** Called when shared memory is no longer referenced, so that it is collected soon. */
  readonly releaseMemory?: () => void;
}

/** Who is connected, and who waits for something besides answers to frames. */
export interface Connections {
  readonly sessions: Sessions;
  readonly hellos: Session[];
  readonly reads: PendingRead[];
}

export interface Decider {
  readonly input: DeciderInput;
  readonly loops: Loops;
  readonly block: Block;
  readonly frame: TakenFrame;
  readonly connections: Connections;
  readonly interner: Interner;
  readonly letterShare: LetterShare;
  /** Dictionary entries below this are durable or in an earlier block. */
  dictionaryLogged: number;
  /** Set where a table no longer refers to the one before it: its memory can be collected. */
  releasingMemory: boolean;
  /** By the monotonic clock. */
  lastSealedAt: number;
  readonly pace: EpochPace;
  /** Never rung: a worker that must wait for another thread's progress waits on it, with a timeout. */
  readonly waitWords: Int32Array;
}

export function createDecider(input: DeciderInput): Decider {
  const { plan, tables } = input;
  const block = createBlock(plan);
  const interner = createInterner(tables.dictionary, tables.producers);
  return {
    input,
    loops: compileLoops(plan, block.columns, tables, interner, input.textOf),
    block,
    frame: createTakenFrame(),
    connections: { sessions: input.frameLanes.map(() => []), hellos: [], reads: [] },
    interner,
    letterShare: createLetterShare(input.workers),
    dictionaryLogged: dictionaryCount(tables.dictionary),
    releasingMemory: false,
    lastSealedAt: 0,
    pace: createPace(input.epochIntervalMs),
    waitWords: new Int32Array(new SharedArrayBuffer(4)),
  };
}
