/**
 * All that one decision worker holds: lanes, tables, the block being filled, and the loops compiled from the plan.
 * Made once on the worker's thread; `run.ts` drives it.
 */

import { compileDecoder, type Decoder } from '../codec/decoder.ts';
import { createFrameCursor, type FrameCursor } from '../codec/frame.ts';
import { createUnknownFields, type UnknownFields } from '../codec/unknown-fields.ts';
import { compileReader, type EntityReader } from '../features/read.ts';
import { createColumn, type Column } from '../layout/column.ts';
import { createSeq, type Seq } from '../layout/seq.ts';
import { answeredDecisions, type Plan } from '../plan/plan.ts';
import { compileComputed, type ComputedLoop, type ComputedLoops } from '../policy/computed.ts';
import { compileDecision, type DecisionLoop } from '../policy/decision.ts';
import type { Lane } from '../ring/lane.ts';
import { dictionaryCount, entryAt, entryBytes } from '../state/dictionary.ts';
import {
  createDeadLetterLog,
  createFrameLog,
  createNameLog,
  type DeadLetterLog,
  type FrameLog,
  type NameLog,
} from '../columns/logs.ts';
import { compileSealer, type Sealer } from '../columns/seal.ts';
import { compileAfterState } from './after-state.ts';
import { compileDayOf } from './day-of.ts';
import { createTicket, type EpochTicket } from './epoch.ts';
import type { PendingRead } from './entity-reads.ts';
import { createFrameAnswers, type FrameAnswers } from './frame-answers.ts';
import { createInterner, type Interner } from './interner.ts';
import { createLetterShare, type LetterShare } from './letter-share.ts';
import { openRuleLimits } from './rule-limits.ts';
import type { Session, Sessions } from './sessions.ts';
import { compileState, type StateLoops } from './state-loops.ts';
import type { Tables } from './tables.ts';
import { compileValidator, type Validator } from './validate.ts';

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
  readonly epochIntervalMs: number;
  /** UTF-8 both ways; `textOf` throws where the bytes are not UTF-8. */
  readonly textOf: (bytes: Uint8Array, from: number, to: number) => string;
  readonly utf8: (text: string) => Uint8Array;
  /** Called when shared memory has been let go of, so that it is given back soon. */
  readonly letGo?: () => void;
}

export interface Decider {
  readonly input: DeciderInput;
  readonly columns: readonly Column[];
  readonly decoder: Decoder;
  readonly cursor: FrameCursor;
  readonly validator: Validator;
  readonly state: StateLoops;
  readonly computed: ComputedLoops;
  /** Derived values and scores, in their order. */
  readonly afterState: readonly ComputedLoop[];
  readonly readers: readonly EntityReader[];
  readonly decisions: readonly DecisionLoop[];
  /** Action columns of the decisions, for the answers. */
  readonly actions: readonly Uint16Array[];
  readonly sealer: Sealer;
  readonly frames: FrameLog;
  readonly deadLetters: DeadLetterLog;
  readonly names: NameLog;
  readonly interner: Interner;
  readonly letterShare: LetterShare;
  readonly answers: FrameAnswers;
  readonly sessions: Sessions;
  readonly reads: PendingRead[];
  readonly hellos: Session[];
  readonly ticket: EpochTicket;
  /** Never rung: a worker that must wait for another thread's progress waits on it, with a timeout. */
  readonly waitWords: Int32Array;
  /** Set where a table has let go of the one before it: the memory can be given back. */
  lettingGo: boolean;
  /** Blocks so far, the running one included. */
  blockNumber: number;
  /** Of the frame that is being taken. */
  readonly seq: Seq;
  /** FRAME_FIRST where the running frame is its producer's first, else 0. */
  firstFlag: number;
  joined: boolean;
  rows: number;
  frameBytes: number;
  /** Fields that the message does not have: of the frame that is being taken, and of how many of its events they were named; of the block. */
  readonly unknown: UnknownFields;
  unknownWalked: number;
  unknownFields: number;
  /** Oldest admitted_at among the block's frames, 0: none. */
  admittedAt: number;
  /** Dictionary entries below this are durable or in an earlier block. */
  dictionaryLogged: number;
  /** By the monotonic clock. */
  lastSealedAt: number;
}

export function createDecider(input: DeciderInput): Decider {
  const { plan, tables } = input;
  const columns = plan.columns.map((column) => createColumn(column));
  const state = compileState(plan, columns, tables, 'live');
  const computed = compileComputed(plan, columns, tables.dictionary, tables.lists);
  const sealer = compileSealer(plan, columns);
  const textOf = (id: number): string => {
    const at = entryAt(tables.dictionary, id);
    return input.textOf(tables.dictionary.bytes, at, at + entryBytes(tables.dictionary, id));
  };
  const dayOf = compileDayOf(plan);
  const interner = createInterner(tables.dictionary, tables.producers);
  const decoder = compileDecoder(plan, [...columns], interner);
  return {
    input,
    columns,
    decoder,
    cursor: createFrameCursor(),
    validator: compileValidator(plan, columns, tables, state, computed.forPrimaryKey, decoder.hasTime),
    state,
    computed,
    afterState: compileAfterState(plan, columns, tables),
    readers: plan.entities.map((entity, i) => compileReader(plan, entity, tables.entities[i], { textOf, dayOf })),
    decisions: plan.decisions.map((decision) =>
      compileDecision(
        plan,
        decision,
        columns,
        tables.dictionary,
        tables.lists,
        openRuleLimits(plan, decision, columns, state, tables),
      ),
    ),
    actions: answeredDecisions(plan).map((decision) => columns[decision.actionColumn].u16),
    sealer,
    frames: createFrameLog(),
    deadLetters: createDeadLetterLog(),
    names: createNameLog(),
    interner,
    letterShare: createLetterShare(input.workers),
    answers: createFrameAnswers(),
    sessions: input.frameLanes.map(() => []),
    reads: [],
    hellos: [],
    ticket: createTicket(),
    waitWords: new Int32Array(new SharedArrayBuffer(4)),
    lettingGo: false,
    blockNumber: 1,
    seq: createSeq(),
    firstFlag: 0,
    joined: false,
    rows: 0,
    frameBytes: 0,
    unknown: createUnknownFields(),
    unknownWalked: 0,
    unknownFields: 0,
    admittedAt: 0,
    dictionaryLogged: dictionaryCount(tables.dictionary),
    lastSealedAt: 0,
  };
}
