/**
 * What previous and time_since_last share: they look at the contributing event before this one, by seq, whatever its time.
 */

import type { FeaturePlan } from '../../plan/plan.ts';
import type { CellSet } from './cells.ts';
import type { EventCode, FeatureCode, KernelPart } from './kernel-part.ts';
import { andInside } from './plain.ts';
import { emitServeValue } from './serve.ts';
import { BEFORE, type Rows, type SqlPart, type Step } from './sql-part.ts';

interface LookingBack {
  /** The value, and the scale that it is still to be divided by. `now`: the time that looks back. */
  readonly valueOf: (cells: CellSet, now: string) => string;
  readonly scaleOf: (feature: FeaturePlan) => number;
  /** What it keeps of an event besides its time. */
  readonly keep: (cells: CellSet, event: EventCode) => string;
}

export function lookingBackKernel({ valueOf, scaleOf, keep }: LookingBack): KernelPart {
  const serve = (cells: CellSet, { feature, plan }: FeatureCode, now: string): string =>
    `if (${cells.count} !== 0${andInside(feature, cells.float('time'))}) { ${emitServeValue(feature, valueOf(cells, now), plan, scaleOf(feature))} }`;
  return {
    functions: {},
    declaration: () => '',
    set: null,
    ring: () => null,
    plain: {
      update: (cells, event, code) => `${serve(cells, code, 't')}
    if (${event.adds}) { ${cells.float('time')} = t; ${keep(cells, event)}${cells.count} = 1; }`,
      move: () => '',
      read: (cells, code) => serve(cells, code, 'clock'),
    },
  };
}

/** `value`: from kept and kept_t, of the event before. */
export function lookingBackSql(value: (feature: FeaturePlan) => string): SqlPart {
  return {
    life: (rows, feature) => before(rows, value(feature), null),
    window: (rows, feature) => before(rows, value(feature), feature.windowMs / feature.hopMs),
    session: null,
  };
}

/** `span`: hops of the window; null: the whole life. */
function before({ keys, identity }: Rows, value: string, span: number | null): Step[] {
  const over = `OVER (PARTITION BY ${keys}, life ORDER BY seq ${BEFORE})`;
  const [from, head, place, inside] =
    span === null
      ? ['contributed', '', '', '']
      : [
          'placed',
          ', head',
          `, anyLast(if(x IS NULL, NULL, place)) ${over} AS kept_place`,
          ` AND kept_place >= head - ${span}`,
        ];
  return [
    [
      'running',
      `SELECT ${identity}${head}, anyLast(x) ${over} AS kept, anyLast(if(x IS NULL, NULL, t)) ${over} AS kept_t${place} ` +
        `FROM ${from}`,
    ],
    ['valued', `SELECT ${identity}, if(kept_t IS NOT NULL${inside}, ${value}, NULL) AS value FROM running`],
  ];
}
