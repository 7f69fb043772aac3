/**
 * The loops that move state: keys and kernels of every entity, compiled for one worker (live) or for recovery (replay).
 */

import { compileKernel, type Kernel, type KernelCounters, type KernelMode } from '../features/kernel.ts';
import { compileKeys, type KeyLoop } from '../features/entity-keys.ts';
import { BLOCK_ROWS_MAX } from '../layout/limits.ts';
import type { Column } from '../layout/column.ts';
import type { Plan } from '../plan/plan.ts';
import { isLimited } from '../policy/limit-layout.ts';
import { createEmitter } from '../language/expression/emitter.ts';
import type { Tables } from './shared-tables.ts';

export interface StateLoops {
  readonly effective: Float64Array;
  /** In the order of `Plan.entities`. */
  readonly present: readonly Uint8Array[];
  /** Four words a row. */
  readonly keys: readonly Int32Array[];
  /** The entity's clock at each row's event, ms: live, where a limit counts by it; otherwise empty. */
  readonly clocks: readonly Float64Array[];
  readonly keyLoops: readonly KeyLoop[];
  readonly kernels: readonly Kernel[];
  readonly primary: number;
  readonly counters: KernelCounters;
}

export function compileState(plan: Plan, columns: readonly Column[], tables: Tables, mode: KernelMode): StateLoops {
  const effective = new Float64Array(BLOCK_ROWS_MAX);
  const counters: KernelCounters = { noRoom: 0, overflows: 0 };
  const buffers = plan.entities.map((entity) => ({
    keys: new Int32Array(BLOCK_ROWS_MAX * 4),
    present: new Uint8Array(BLOCK_ROWS_MAX),
    ...(mode === 'live' && isLimited(plan, entity.index) ? { clocks: new Float64Array(BLOCK_ROWS_MAX) } : {}),
  }));
  const emitter = () => createEmitter(plan, columns, tables.dictionary, tables.lists);
  return {
    effective,
    present: buffers.map((buffer) => buffer.present),
    keys: buffers.map((buffer) => buffer.keys),
    clocks: buffers.map(({ clocks }) => clocks ?? new Float64Array(0)),
    keyLoops: plan.entities.map((entity, i) => compileKeys(plan, entity, columns, buffers[i], emitter())),
    kernels: plan.entities.map((entity, i) =>
      compileKernel(
        plan,
        entity,
        columns,
        { table: tables.entities[i], ...buffers[i], effective, counters },
        emitter(),
        mode,
      ),
    ),
    primary: plan.entities.findIndex((entity) => entity.primary),
    counters,
  };
}

/** Computes the keys that are not there yet and runs every entity's kernel over the rows [0, rows). */
export function updateState(
  state: StateLoops,
  rows: number,
  epoch: number,
  receivedAt: number,
  withPrimaryKeys: boolean,
): void {
  for (let i = 0; i < state.kernels.length; i++) {
    if (withPrimaryKeys || i !== state.primary) state.keyLoops[i](0, rows);
    state.kernels[i](0, rows, epoch, receivedAt);
  }
}
