/**
 * Reads an entity's features between events, for `GET /v1/entities/…`: the windows end at the entity's own clock, as
 * they did at its last event. Runs on a worker; compiled from the same pieces as the kernels.
 */

import type { EntityPlan, Plan } from '../layout/plan.ts';
import { createColumn, type Column } from '../layout/column.ts';
import { adoptRow } from '../state/adoption.ts';
import { findRow, lockStripe, unlockStripe, type EntityTable } from '../state/entity-table.ts';
import { ROW_CLOCK_SLOT, ROW_LIFE_SLOT, ROW_SEEN_SLOT, ROW_SEQ_SLOT } from '../layout/entity-layout.ts';
import { bindColumns } from './bind-columns.ts';
import { emitRingServe, weightDeclarations } from './emit-ring.ts';
import { emitServe, emitServeValue } from './emit-serve.ts';
import { emitSessionRead } from './emit-session.ts';
import { CELL_FUNCTIONS } from './kernel.ts';
import { layOutRecord, type FeatureLayout, type RingLayout } from './record-layout.ts';

export interface EntityState {
  readonly seq: number;
  readonly life: number;
  /** The entity's clock and when its last event was received, ms UTC. */
  readonly clock: number;
  readonly lastSeen: number;
  readonly features: Readonly<Record<string, number | string | null>>;
}

/** Returns null where the entity is unknown. `key`: four words. */
export type EntityReader = (key: Int32Array) => EntityState | null;

/** `textOf`: the text of a dictionary id. */
export function compileReader(
  plan: Plan,
  entity: EntityPlan,
  table: EntityTable,
  textOf: (id: number) => string,
): EntityReader {
  const layout = layOutRecord(entity);
  const columns: Column[] = [];
  for (const feature of entity.features) columns[feature.column] = createColumn(plan.columns[feature.column], 1);
  const body = [
    ...layout.rings.flatMap((ring) => ring.features.map((feature) => emitRingRead(feature, ring, plan))),
    ...layout.days.flatMap((day) => day.features.map(({ feature, totals }) => emitServe(feature, 'b', totals, plan))),
    ...layout.sessions.map((session) => emitSessionRead(session, plan)),
    ...layout.plain.map((feature) => emitPlainRead(feature, plan)),
  ].join('\n  ');
  const make = new Function(
    'columns',
    'functions',
    `const { ${Object.keys(CELL_FUNCTIONS).join(', ')} } = functions;
${weightDeclarations(layout.rings)}
${bindColumns(columns, body).declarations}
return function read(f, w, b) { const bw = b * 2, r = 0, clock = f[b + ${ROW_CLOCK_SLOT}]; let flow = 0;
  ${body} }`,
  ) as (
    columns: readonly Column[],
    functions: typeof CELL_FUNCTIONS,
  ) => (floats: Float64Array, words: Int32Array, at: number) => void;
  const read = make(columns, CELL_FUNCTIONS);
  return (key) => {
    lockStripe(table, key[0], key[1], key[2], key[3]);
    let at = findRow(table, key[0], key[1], key[2], key[3]);
    if (at < 0 && table.adoption !== null) at = adoptRow(table, key[0], key[1], key[2], key[3], -1);
    if (at < 0) {
      unlockStripe(table);
      return null;
    }
    for (const column of columns) column?.nulls.fill(1);
    read(table.floats, table.words, at);
    const floats = table.floats;
    const [seq, life] = [floats[at + ROW_SEQ_SLOT], floats[at + ROW_LIFE_SLOT]];
    const [clock, lastSeen] = [floats[at + ROW_CLOCK_SLOT], floats[at + ROW_SEEN_SLOT]];
    unlockStripe(table);
    return {
      seq,
      life,
      clock,
      lastSeen,
      features: Object.fromEntries(entity.features.map((f) => [f.name, valueOf(columns[f.column], textOf)])),
    };
  };
}

function emitRingRead(layout: FeatureLayout, ring: RingLayout, plan: Plan): string {
  return `{ const head = Math.floor(clock / ${ring.hopMs}); ${emitRingServe(layout, ring, 'head', plan)} }`;
}

function emitPlainRead(layout: FeatureLayout, plan: Plan): string {
  const { feature, totals } = layout;
  const time = `f[b + ${totals.floats['time']}]`;
  const count = `w[bw + ${totals.count}]`;
  const inside =
    feature.windowMs === 0
      ? ''
      : ` && Math.floor(${time} / ${feature.hopMs}) >= Math.floor((clock - ${feature.windowMs}) / ${feature.hopMs})`;
  switch (feature.aggregate) {
    case 'last':
    case 'previous':
      return `if (${count} !== 0${inside}) { ${emitServeValue(feature, `f[b + ${totals.floats['value']}]`, plan)} }`;
    case 'time_since_last':
      return `if (${count} !== 0${inside}) { ${emitServeValue(feature, `clock - ${time}`, plan, 1)} }`;
    default:
      return emitServe(feature, 'b', totals, plan);
  }
}

function valueOf(column: Column, textOf: (id: number) => string): number | string | null {
  if (column.plan.nullable && column.nulls[0] === 1) return null;
  if (column.kind === 'dictionary') return textOf(column.u32[0]);
  return column.kind === 'u32' ? column.u32[0] : column.f64[0];
}
