/**
 * Compiles an entity's features into one loop over the rows of a block, which it takes in runs of one lock each
 * (state/entity-run.ts): move the entity's clock, add the event, read every feature as it then stands. Made once per worker
 * and pipeline; the emitted code allocates nothing.
 *
 * Two modes from one generator, so that they cannot drift apart:
 *   live    gives the row the next seq of the entity's life and stores both
 *   replay  takes seq and life from the stored row; skips what the state already has (docs/semantics.md §4)
 */

import { WORD } from '../base/words.ts';
import { BLOCK_ROWS_MAX } from '../layout/limits.ts';
import { ROW_SEQ_SLOT, ROW_LIFE_SLOT, ROW_CLOCK_SLOT, ROW_SEEN_SLOT } from '../layout/entity-layout.ts';
import type { EntityPlan, Plan } from '../plan/plan.ts';
import type { Column } from '../layout/column.ts';
import { createEntityRun, lockRun, orderRows, seekRow, type EntityRun } from '../state/entity-run.ts';
import { createRow, restartRow, unlockStripe, type EntityTable } from '../state/entity-table.ts';
import { adoptRow } from '../state/adoption.ts';
import { bindColumns, type EmitExpression } from './bind-columns.ts';
import { hashBytes } from '../base/hash.ts';
import { constantsOf, functionsOf } from './bind-aggregates.ts';
import { emitRing } from './emit-ring.ts';
import { emitDay, emitPlain } from './emit-plain.ts';
import { emitSession } from './emit-session.ts';
import { emitContribution } from './emit-contribution.ts';
import { layOutRecord, type RecordLayout } from './record-layout.ts';

/** Eight lines: reading ahead more than that would fill the first-level cache. */
const HEAD_SLOTS_MAX = 64;

export type KernelMode = 'live' | 'replay';

/** What a kernel works on besides the columns. */
export interface KernelInput {
  readonly table: EntityTable;
  /** Four words a row, and 1 where the row has a key for this entity. */
  readonly keys: Int32Array;
  readonly present: Uint8Array;
  /** effective_time of each row, ms. */
  readonly effective: Float64Array;
  /** Live, where a limit counts by this entity: filled with the entity's clock at each row's event, ms. */
  readonly clocks?: Float64Array;
  readonly counters: KernelCounters;
}

export interface KernelCounters {
  /** Events whose entity found no place because nothing could be evicted: its features are absent. */
  noRoom: number;
  overflows: number;
}

/** Updates the entity for the rows [from, to); `epoch` and `receivedAt` (ms) are those of the running epoch. */
export type Kernel = (from: number, to: number, epoch: number, receivedAt: number) => void;

export function compileKernel(
  plan: Plan,
  entity: EntityPlan,
  columns: readonly Column[],
  input: KernelInput,
  emit: EmitExpression,
  mode: KernelMode,
): Kernel {
  const layout = layOutRecord(entity);
  if (layout.rowBytes !== input.table.shape.rowBytes) throw new Error(`row size differs: entity=${entity.name}`);
  const body = emitKernel(plan, entity, emit, mode);
  const bound = bindColumns(columns, body);
  const state = {
    run: runOf(input, layout),
    orderRows,
    lockRun,
    seekRow,
    unlockStripe,
    createRow,
    adoptRow,
    restartRow,
    hashBytes,
    ...functionsOf(entity),
  };
  const make = new Function('columns', 'input', 'state', 'runtime', `${bound.declarations}\n${body}`) as (
    columns: readonly Column[],
    input: KernelInput,
    state: unknown,
    runtime: unknown,
  ) => Kernel;
  return make(columns, input, state, emit.runtime);
}

/** What every event touches of a row is its head, up to the rings, and a bucket of each of these. */
function runOf(input: KernelInput, { rings, rowBytes }: RecordLayout): EntityRun {
  const headSlots = Math.min(rings[0]?.at ?? rowBytes / 8, HEAD_SLOTS_MAX);
  return createEntityRun(input, headSlots, rings);
}

/** The kernel's source; `hunt check` and tests print it. */
export function emitKernel(plan: Plan, entity: EntityPlan, emit: EmitExpression, mode: KernelMode): string {
  const layout = layOutRecord(entity);
  const nullable = plan.columns[entity.seqColumn].nullable;
  const overflow = `c${plan.system.overflow}_u8`;
  const contributions = entity.features.map((feature, i) => emitContribution(plan, feature, i, emit));
  const index = (feature: { feature: unknown }): number => entity.features.indexOf(feature.feature as never);
  return `'use strict';
const { table, keys, effective, counters } = input;
const clocks = input.clocks ?? null;
const { run, orderRows, lockRun, seekRow, unlockStripe, createRow, adoptRow, restartRow, hashBytes } = state;
const { order, places } = run;
const { ${Object.keys(functionsOf(entity)).join(', ')} } = state;
const part = new Int32Array(4), bits = new Float64Array(1), bitWords = new Int32Array(bits.buffer);
${constantsOf(layout)}
const ttl = ${entity.ttlMs};
${emit.declarations()}
return function ${mode}_${entity.name}(from, to, epoch, receivedAt) {
  ${[entity.seqColumn, entity.lifeColumn, ...entity.features.map((f) => f.column)].map((c) => `columns[${c}].touched = true;`).join(' ')}
  const rows = orderRows(run, from, to);
  for (let begin = 0, end = 0; begin < rows; begin = end) {
  end = lockRun(run, begin);
  for (let i = begin; i < end; i++) {
    const r = order[i] & ${BLOCK_ROWS_MAX - 1};
    let b = places[i - begin];
    if (b < 0 || ${DIFFERS}) b = seekRow(run, r);
    ${mode === 'live' ? emitLiveRow() : emitReplayRow(entity)}
    const f = table.floats, w = table.words, bw = b * 2;
    const t = effective[r];
    ${mode === 'live' ? emitLiveSeq(entity, nullable) : `f[b + ${ROW_SEQ_SLOT}] = seq;`}
    const fresh = seq === 1;
    const before = f[b + ${ROW_CLOCK_SLOT}];
    const clock = fresh || t > before ? t : before;
    f[b + ${ROW_CLOCK_SLOT}] = clock;
    ${mode === 'live' ? 'if (clocks !== null) clocks[r] = clock;' : ''}
    f[b + ${ROW_SEEN_SLOT}] = receivedAt;
    let flow = 0;
    ${contributions.join('\n    ')}
    ${layout.rings.map((ring, i) => emitRing(ring, i, index, plan)).join('\n    ')}
    ${layout.days.map((day, i) => emitDay(day, i, index, plan)).join('\n    ')}
    ${layout.sessions.map((session) => emitSession(session, index, plan)).join('\n    ')}
    ${layout.plain.map((feature) => emitPlain(feature, index(feature), plan)).join('\n    ')}
    if (flow !== 0) { ${overflow}[r] = 1; columns[${plan.system.overflow}].touched = true; counters.overflows++; }
  }
  unlockStripe(table);
  }
};`;
}

/** Whether the row at b is another key's. */
const DIFFERS = [0, 1, 2, 3].map((word) => `table.words[2 * b + ${word}] !== keys[4 * r + ${word}]`).join(' || ');
/** Words of the row's key, of a row that is not found at once. */
const KEY = 'keys[4 * r], keys[4 * r + 1], keys[4 * r + 2], keys[4 * r + 3]';

function emitLiveRow(): string {
  return `if (b < 0 && table.adoption !== null) b = adoptRow(table, ${KEY}, epoch);
    if (b < 0) {
      b = createRow(table, ${KEY}, epoch);
      if (b < 0) { counters.noRoom++; continue; }
    } else if (receivedAt - table.floats[b + ${ROW_SEEN_SLOT}] > ttl && table.floats[b + ${ROW_LIFE_SLOT}] < epoch) restartRow(table, b, epoch);`;
}

function emitLiveSeq(entity: EntityPlan, nullable: boolean): string {
  const seq = `c${entity.seqColumn}`;
  const life = `c${entity.lifeColumn}`;
  return `const seq = f[b + ${ROW_SEQ_SLOT}] + 1;
    f[b + ${ROW_SEQ_SLOT}] = seq;
    const lifeHigh = Math.floor(f[b + ${ROW_LIFE_SLOT}] / ${WORD});
    ${seq}_u32[2 * r] = seq; ${seq}_u32[2 * r + 1] = seq / ${WORD};
    ${life}_u32[2 * r] = f[b + ${ROW_LIFE_SLOT}] - lifeHigh * ${WORD}; ${life}_u32[2 * r + 1] = lifeHigh;
    ${nullable ? `${seq}_nulls[r] = 0; ${life}_nulls[r] = 0;` : ''}`;
}

/** A row is applied when it is the next of the life that the state is in, or the first of a newer life. */
function emitReplayRow(entity: EntityPlan): string {
  const seq = `c${entity.seqColumn}_u32`;
  const life = `c${entity.lifeColumn}_u32`;
  return `const seq = ${seq}[2 * r] + ${seq}[2 * r + 1] * ${WORD};
    const life = ${life}[2 * r] + ${life}[2 * r + 1] * ${WORD};
    if (seq === 0) continue;
    if (b < 0) {
      if (seq === 1) b = createRow(table, ${KEY}, epoch);
      if (b < 0) continue;
      table.floats[b + ${ROW_LIFE_SLOT}] = life;
    } else if (life > table.floats[b + ${ROW_LIFE_SLOT}] && seq === 1) restartRow(table, b, life);
    if (table.floats[b + ${ROW_LIFE_SLOT}] !== life || table.floats[b + ${ROW_SEQ_SLOT}] + 1 !== seq) continue;`;
}
