/**
 * One change of the pipeline while the engine runs: tables and workers of the next version are made beside the running ones,
 * new features are backfilled, and between two epochs the next version takes over; then rows move over and the former tables
 * go. Main thread; driven by deployer.ts. Until the workers change, whatever fails leaves everything as it was.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { backfilledEntities, type PlanChange } from '../../native-free-core/plan/change-plan.ts';
import { answeredDecisions, type Plan } from '../../native-free-core/plan/plan.ts';
import { BEFORE_FIRST, type Position } from '../contract/event-log.ts';
import { allocateChange, sweepTables, takePages, withoutAdoption, type Swept } from '../memory/change-memory.ts';
import type { ControlWords } from '../memory/control-words.ts';
import type { SharedMemory } from '../memory/regions.ts';
import type { Tables } from '../../native-free-core/decide/shared-tables.ts';
import { wallMs } from '../system/clock.ts';
import type { ActivationOrigin, PipelineVersion, PipelineVersions } from './pipeline-versions.ts';
import type { WaitingWorkers } from '../workers/pool.ts';

export interface RunningVersion extends PipelineVersion {
  readonly memory: SharedMemory;
}

/** New features being filled on a thread of their own (backfill-thread.ts). */
export interface Backfill {
  /** Once the side tables are close behind the running epoch. */
  readonly caughtUp: Promise<void>;
  /** Resolves once they hold every epoch up to this one, which is durable or soon will be. */
  reach(epoch: Position): Promise<void>;
  end(): Promise<void>;
}

export interface BackfillInput {
  readonly from: Plan;
  readonly to: Plan;
  readonly change: PlanChange;
  readonly memory: SharedMemory;
  readonly side: SharedMemory;
  readonly onProgress: (rows: number, total: number) => void;
}

/** What a change touches; handed in by engine/start.ts. */
export interface ChangeSources {
  readonly versions: PipelineVersions;
  readonly control: ControlWords;
  readonly workers: {
    prepare(version: { readonly plan: Plan; readonly memory: SharedMemory }): WaitingWorkers;
    /** Threads that have nothing to do give memory back. */
    trimIdleThreads(): Promise<void>;
  };
  readonly startBackfill: (input: BackfillInput) => Backfill;
  /** Brings ClickHouse's tables to the version. */
  readonly prepareTables: (plan: Plan) => Promise<void>;
  readonly openTables: (memory: SharedMemory) => Tables;
  /** Ingress speaks of the next version from here on; resolves once all threads know. */
  readonly announce: (plan: Plan) => Promise<void>;
  /** The main thread's own parts go over to the version, between two epochs. */
  readonly activate: (version: RunningVersion) => void;
  /** The memory without what the sweep has emptied. */
  readonly settle: (memory: SharedMemory) => void;
  /** Keeps snapshots and trimming back until what it resolves to is called; one under way is waited for. */
  readonly holdSpool: () => Promise<() => void>;
  readonly takeSnapshot: () => Promise<void>;
  /** Between the versions nothing may fail: the process ends, and the next start goes on with the former one. */
  readonly fail: (error: unknown) => void;
}

export type ChangePhase = 'tables' | 'backfill' | 'switch' | 'sweep' | 'snapshot';

/** How the new version took over. */
export interface TakenOver {
  /** The last epoch that the former version decided. */
  readonly afterEpoch: Position;
  /** For how long no event was decided, ms. */
  readonly pauseMs: number;
}

export type ChangeResult = TakenOver & Swept;

/** Told of a change under way. */
export interface ChangeObserver {
  phase(phase: ChangePhase, done?: number, total?: number): void;
  /** The new version decides, and will after a restart. What follows tidies up. */
  decides(takeover: TakenOver): void;
}

/**
 * Long work on the tables yields after each turn of so many ms, for so many times as long: deciding and compiling threads
 * get the processor.
 */
const TURN_MS = 1;
const REST_PER_TURN = 4;

export async function changeVersion(
  sources: ChangeSources,
  running: RunningVersion,
  next: PipelineVersion,
  change: PlanChange,
  origin: ActivationOrigin,
  observer: ChangeObserver,
): Promise<ChangeResult> {
  const { versions, workers, control } = sources;
  versions.keep(next);
  observer.phase('tables');
  await sources.prepareTables(next.plan);
  const { memory, side } = allocateChange(running.memory, running.plan, next.plan, change);
  const release = await sources.holdSpool();
  try {
    observer.phase('backfill');
    const waiting = workers.prepare({ plan: next.plan, memory });
    let backfill: Backfill | null = null;
    try {
      // One after the other: together they would take the processor from those who decide.
      await waiting.ready;
      await inTurns(takePages(memory));
      if (backfilledEntities(change).length > 0) {
        const onProgress = (rows: number, total: number): void => observer.phase('backfill', rows, total);
        const plans = { from: running.plan, to: next.plan, change };
        backfill = sources.startBackfill({ ...plans, memory: running.memory, side, onProgress });
        await backfill.caughtUp;
      }
    } catch (error) {
      await Promise.allSettled([waiting.abandon(), backfill?.end()]);
      throw error;
    }
    observer.phase('switch');
    const activation = { ...origin, number: next.plan.versionNumber };
    versions.announce(activation);
    const begun = performance.now();
    let afterEpoch = BEFORE_FIRST;
    await waiting
      .takeOver({
        begin: control.beginChange,
        end: control.endChange,
        sendsHello: !sameDecisions(running.plan, next.plan),
        async between() {
          afterEpoch = control.touchedEpoch();
          await Promise.all([sources.announce(next.plan), backfill?.reach(afterEpoch)]);
          sources.activate({ ...next, memory });
        },
      })
      .catch((error: unknown) => {
        sources.fail(error);
        throw error;
      });
    const takeover = { afterEpoch, pauseMs: Math.round((performance.now() - begun) * 10) / 10 };
    versions.activate({ ...activation, afterEpoch, at: wallMs() });
    observer.decides(takeover);
    observer.phase('sweep');
    await backfill?.end();
    const swept = await inTurns(sweepTables(sources.openTables(memory)), () => observer.phase('sweep'));
    sources.settle(withoutAdoption(memory));
    await workers.trimIdleThreads();
    observer.phase('snapshot');
    await sources.takeSnapshot();
    return { ...swept, ...takeover };
  } finally {
    release();
  }
}

async function inTurns<T>(steps: Generator<void, T>, onTurn?: () => void): Promise<T> {
  for (;;) {
    const begun = performance.now();
    let spentMs = 0;
    for (; spentMs < TURN_MS; spentMs = performance.now() - begun) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
    onTurn?.();
    await pause(spentMs * REST_PER_TURN);
  }
}

/** Answers carry numbers for decisions and actions: where these are the same, clients need not be told. */
function sameDecisions(from: Plan, to: Plan): boolean {
  const names = (plan: Plan): string =>
    JSON.stringify(answeredDecisions(plan).map(({ name, actions }) => [name, actions]));
  return names(from) === names(to);
}
