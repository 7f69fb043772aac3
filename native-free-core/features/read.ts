/**
 * Reads an entity's features between events, for `GET /v1/entities/…`: the windows end at the entity's own clock, as
 * they did at its last event, or at a later time that is asked for, as they would for an event then that no feature counts.
 * Runs on a worker; compiled from the same pieces as the kernels.
 */

import { fail } from '../base/fail.ts';
import { KINDS } from '../language/kinds/index.ts';
import type { EntityPlan, Plan } from '../plan/plan.ts';
import type { RuntimeFunction } from '../language/aggregates/kernel-part.ts';
import { createColumn, type Column } from '../layout/column.ts';
import { adoptRow } from '../state/adoption.ts';
import { findRow, lockStripe, unlockStripe, type EntityTable } from '../state/entity-table.ts';
import { ROW_CLOCK_SLOT, ROW_LIFE_SLOT, ROW_SEEN_SLOT, ROW_SEQ_SLOT } from '../layout/entity-layout.ts';
import { bindColumns } from './bind-columns.ts';
import { constantsOf, functionsOf } from './bind-aggregates.ts';
import { emitDayMove, emitDayRead, emitPlainMove, emitPlainRead } from './emit-plain.ts';
import { emitRingMove, emitRingServe } from './emit-ring.ts';
import { emitSessionRead } from './emit-session.ts';
import { layOutRecord, type RecordLayout } from './record-layout.ts';

export interface EntityState {
  readonly seq: number;
  readonly life: number;
  /** The entity's clock and when its last event was received, ms UTC. */
  readonly clock: number;
  readonly lastSeen: number;
  /** Where the windows end, ms UTC: the clock, or the later time that was asked for. */
  readonly at: number;
  readonly features: Readonly<Record<string, number | string | null>>;
}

/**
 * Returns null where the entity is unknown, or by `now` has been idle for longer than its ttl. `key`: four words. `now`: the
 * windows end then, ms UTC, or at the entity's own clock where that is later or nothing is given.
 */
export type EntityReader = (key: Int32Array, now?: number) => EntityState | null;

/** What the reader cannot know by itself. */
export interface ReadRuntime {
  /** The text of a dictionary id. */
  textOf(id: number): string;
  /** The day, since 1970-01-01, that an event at `time`, ms UTC, would have in a column of days. */
  dayOf(column: number, time: number): number;
}

export function compileReader(
  plan: Plan,
  entity: EntityPlan,
  table: EntityTable,
  { textOf, dayOf }: ReadRuntime,
): EntityReader {
  const layout = layOutRecord(entity);
  const columns: Column[] = [];
  for (const feature of entity.features) columns[feature.column] = createColumn(plan.columns[feature.column], 1);
  const body = emitRead(layout, plan);
  const functions = functionsOf(entity);
  const make = new Function(
    'columns',
    'functions',
    'dayOf',
    `const { ${Object.keys(functions).join(', ')} } = functions;
${constantsOf(layout)}
${bindColumns(columns, body).declarations}
return function read(f, w, before, clock) { const b = 0, bw = 0, r = 0; let flow = 0;
  ${body} }`,
  ) as (
    columns: readonly Column[],
    functions: Readonly<Record<string, RuntimeFunction>>,
    dayOf: ReadRuntime['dayOf'],
  ) => (floats: Float64Array, words: Int32Array, before: number, clock: number) => void;
  const read = make(columns, functions, dayOf);
  // A copy: it may be moved on to a time that the entity itself has not reached, and the lock is held for no longer than
  // copying takes.
  const row = new Float64Array(layout.rowBytes >> 3);
  const rowWords = new Int32Array(row.buffer);
  return (key, now = 0) => {
    if (!copyRow(table, key, row)) return null;
    // An event would find nothing: it would begin a new life (kernel.ts).
    if (now - row[ROW_SEEN_SLOT] > entity.ttlMs) return null;
    const clock = row[ROW_CLOCK_SLOT];
    const at = Math.max(clock, Math.floor(now));
    for (const column of columns) column?.nulls.fill(1);
    read(row, rowWords, clock, at);
    return {
      seq: row[ROW_SEQ_SLOT],
      life: row[ROW_LIFE_SLOT],
      clock,
      lastSeen: row[ROW_SEEN_SLOT],
      at,
      features: Object.fromEntries(entity.features.map((f) => [f.name, valueOf(columns[f.column], textOf)])),
    };
  };
}

/** False where the entity is unknown. */
function copyRow(table: EntityTable, key: Int32Array, into: Float64Array): boolean {
  lockStripe(table, key[0], key[1], key[2], key[3]);
  let at = findRow(table, key[0], key[1], key[2], key[3]);
  if (at < 0 && table.adoption !== null) at = adoptRow(table, key[0], key[1], key[2], key[3], -1);
  if (at >= 0) into.set(table.floats.subarray(at, at + into.length));
  unlockStripe(table);
  return at >= 0;
}

/** First what the time since the entity's last event lets fall, where there is such a time; then every value. */
function emitRead(layout: RecordLayout, plan: Plan): string {
  const { rings, days, sessions, plain } = layout;
  const moves = plain.map(emitPlainMove).filter((move) => move !== '');
  return [
    ...rings.map((ring, i) => `const head${i} = Math.floor(clock / ${ring.hopMs});`),
    'if (clock !== before) {',
    ...rings.map((ring, i) => `{ ${emitRingMove(ring, i, plan)} }`),
    ...moves,
    ...days.map((day) => `{ const today = dayOf(${day.dayColumn}, clock); ${emitDayMove(day, 'today')} }`),
    '}',
    ...rings.flatMap((ring, i) =>
      ring.features.map((feature) => `{ ${emitRingServe(feature, ring, `head${i}`, plan)} }`),
    ),
    ...days.flatMap((day) => day.features.map((layout) => emitDayRead(layout, plan))),
    ...sessions.map((session) => emitSessionRead(session, plan)),
    ...plain.map((feature) => emitPlainRead(feature, plan)),
  ].join('\n  ');
}

function valueOf(column: Column, textOf: (id: number) => string): number | string | null {
  if (column.plan.nullable && column.nulls[0] === 1) return null;
  const { isInterned, names, cells } = KINDS[column.kind];
  if (isInterned) return textOf(column.u32[0]);
  const value = cells?.read(column, 0) ?? fail('feature_kind', column.plan.index);
  const known = names(column.plan);
  // An unknown number stands for itself.
  return known === null ? value : (known.find(([number]) => number === value)?.[1] ?? String(value));
}
