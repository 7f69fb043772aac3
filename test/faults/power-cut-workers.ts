/**
 * Decision workers in one thread: the real decider of each, driven in small steps, so that a seeded chance decides who
 * changes the shared tables next, row by row. What a worker does between two steps is the product's own code.
 *
 *   drain   frames from its lane into the block           drainLanes
 *   state   rows into the shared tables, a few at a time   the kernels, called as updateState calls them, in parts
 *   ending  the rest of the block's end                    completeBlock; where it waits for the other workers, they get their
 *                                                         turns inside of that wait (`whileWaiting`)
 *
 * `barrier: false` takes the epochs away, as an engine without them would work: no worker waits for another, and each block
 * is committed as an epoch of its own as soon as it is sealed. It exists to show that the checks find ghosts.
 */

import { createDecider, type Decider } from '../../native-free-core/decide/decider.ts';
import { isClosing, startEpochs } from '../../native-free-core/decide/epoch.ts';
import { completeBlock } from '../../native-free-core/decide/complete-block.ts';
import { drainLanes } from '../../native-free-core/decide/run.ts';
import type { Kernel } from '../../native-free-core/features/kernel.ts';
import { LANE_EMPTY } from '../../native-free-core/base/outcomes.ts';
import { copyBlock } from '../../native-free-core/layout/block-record.ts';
import { CONTROL_WORDS } from '../../native-free-core/layout/control-layout.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { claim, createLane, openLane, release, type Lane } from '../../native-free-core/ring/lane.ts';
import { openTables } from '../../src/workers/open-tables.ts';
import { putBlock } from '../put-block.ts';
import type { Random } from '../spool/lossy-storage.ts';
import { openOwnLane, type Recovered } from './power-cut-start.ts';
import { written } from '../../src/contract/event-log.ts';

export interface WorkersOptions {
  readonly plan: Plan;
  readonly recovered: Recovered;
  readonly workers: number;
  readonly barrier: boolean;
  readonly random: Random;
  /** ms UTC */
  readonly now: () => number;
}

interface HandWorker {
  readonly decider: Decider;
  phase: 'drain' | 'state' | 'ending';
  /** The entity whose kernel is at work, and how many of the block's rows each kernel has taken. */
  entity: number;
  readonly done: number[];
  readonly kernels: readonly Kernel[];
}

const ROWS_PER_STEP_MAX = 3;
/** Lives are named by epochs: without the barrier each worker counts its own, far from the others'. */
const EPOCHS_APART = 1_000_000;
const SEALED_LANE_BYTES = 1 << 18;

export class HandWorkers {
  readonly #options: WorkersOptions;
  readonly #workers: HandWorker[];
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  /** Without the barrier: blocks as the workers sealed them, and the lanes that the spool reads. */
  readonly #sealedLanes: Lane[] = [];
  readonly #spoolLanes: Lane[] = [];
  #sealedEpochs: number;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#sealedEpochs = written(options.recovered.spool.lastEpoch);
    this.#workers = Array.from({ length: options.workers }, (_, worker) => this.#createWorker(worker));
  }

  /** Somebody does a little; false where nobody can. */
  step(): boolean {
    const able = this.#workers.filter((worker) => this.#isAble(worker));
    if (able.length === 0) return false;
    const worker = able[Math.floor(this.#options.random() * able.length)];
    if (worker.phase === 'state') this.#advance(worker);
    else this.#drain(worker);
    return true;
  }

  /** No frame waits, no block is open. */
  isIdle(): boolean {
    return this.#workers.every(
      ({ decider, phase }) => phase === 'drain' && !decider.block.joined && !hasFrames(decider),
    );
  }

  /** A worker that has not joined cannot while the epoch closes: it would wait. */
  #isAble({ decider, phase }: HandWorker): boolean {
    if (phase === 'ending') return false;
    return phase === 'state' || decider.block.joined || (hasFrames(decider) && !isClosing(decider.input.control));
  }

  #drain(worker: HandWorker): void {
    const { decider } = worker;
    const taken = drainLanes(decider);
    const closing = isClosing(decider.input.control);
    if (!decider.block.joined || (!closing && taken > 0 && this.#options.random() < 0.5)) return;
    decider.loops.computed.beforeState?.(0, decider.block.rows);
    worker.phase = 'state';
    worker.entity = 0;
  }

  #advance(worker: HandWorker): void {
    const { decider, done } = worker;
    const { state } = decider.loops;
    const { rows, ticket } = decider.block;
    const entity = worker.entity;
    if (entity === worker.kernels.length) {
      this.#finish(worker);
      return;
    }
    if (done[entity] === 0 && entity !== state.primary) state.keyLoops[entity](0, rows);
    const to = Math.min(rows, done[entity] + 1 + Math.floor(this.#options.random() * ROWS_PER_STEP_MAX));
    worker.kernels[entity](done[entity], to, ticket.epoch, ticket.receivedAt);
    done[entity] = to;
    if (to === rows) worker.entity++;
  }

  #finish(worker: HandWorker): void {
    worker.phase = 'ending';
    completeBlock(worker.decider);
    worker.phase = 'drain';
    worker.done.fill(0);
    if (!this.#options.barrier) this.#passOn(worker.decider.input.worker);
  }

  /** The block goes to the spool as an epoch of its own. */
  #passOn(worker: number): void {
    const from = this.#sealedLanes[worker];
    const to = this.#spoolLanes[worker];
    for (let at = claim(from); at !== LANE_EMPTY; at = claim(from)) {
      const block = copyBlock(from, at, from.claimedBytes);
      if (!putBlock(to, block, ++this.#sealedEpochs, 1, worker))
        throw new Error('the spool lane is full; commit more often');
      release(from);
    }
  }

  #createWorker(worker: number): HandWorker {
    const { plan, recovered, workers, barrier, now } = this.#options;
    const { memory } = recovered;
    let control = recovered.control.words;
    let blockLane = openLane(memory.blockLanes[worker]);
    if (!barrier) {
      control = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
      startEpochs(control, written(recovered.spool.lastEpoch) + 1 + worker * EPOCHS_APART, recovered.ledger.receivedAt);
      this.#spoolLanes[worker] = blockLane;
      const sealed = createLane(SEALED_LANE_BYTES);
      this.#sealedLanes[worker] = openLane(sealed);
      blockLane = openLane(sealed);
    }
    const decider = createDecider({
      plan,
      worker,
      workers,
      control,
      frameLanes: [openOwnLane(memory.frameLanes, worker)],
      durableLanes: [openOwnLane(memory.durableLanes, worker)],
      storedLanes: [openOwnLane(memory.storedLanes, worker)],
      blockLane,
      tables: openTables(memory),
      now,
      monotonic: now,
      epochIntervalMs: 0,
      textOf: (bytes, from, to) => this.#decoder.decode(bytes.slice(from, to)),
      utf8: (text) => this.#encoder.encode(text),
    });
    const kernels = [...decider.loops.state.kernels];
    const done = kernels.map(() => 0);
    // completeBlock calls the kernels for the whole block: what they have taken already is left out.
    const rest = kernels.map(
      (kernel, i): Kernel =>
        (_, to, epoch, receivedAt) =>
          kernel(done[i], to, epoch, receivedAt),
    );
    (decider.loops.state.kernels as Kernel[]).splice(0, kernels.length, ...rest);
    return { decider, phase: 'drain', entity: 0, done, kernels };
  }
}

function hasFrames(decider: Decider): boolean {
  return claim(decider.input.frameLanes[0]) !== LANE_EMPTY;
}
