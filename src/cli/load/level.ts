/**
 * Whether a run was level: whether its rate could go on for ever, merges of the stored rows included. The last sixth of its
 * steps is held against the second sixth (of an hour: minutes 51-60 against 11-20); what comes first, fills.
 */

import { PROBE_MS } from './verify.ts';
import type { CourseStep } from './course.ts';

export interface LevelCriterion {
  readonly name: 'rate' | 'server memory' | 'ClickHouse memory' | 'spool' | 'parts' | 'visible p99';
  readonly unit: 'events/s' | 'bytes' | 'parts' | 'ms';
  /** Of the second sixth and of the last. null: not seen. */
  readonly early: number | null;
  readonly late: number | null;
  /** `late` is at most this, the rate at least. */
  readonly bound: number | null;
  readonly holds: boolean;
}

export interface LevelReport {
  /** Level by all criteria. */
  readonly is_level: boolean;
  readonly early_steps: readonly [first: number, last: number];
  readonly late_steps: readonly [first: number, last: number];
  readonly criteria: readonly LevelCriterion[];
  /** From the begin of the early steps on, for each million of rows stored meanwhile: with the merges that this takes. */
  readonly cpu_seconds_per_million: {
    readonly server: number;
    readonly clickhouse: number;
    readonly total: number;
  } | null;
  /** How often merges wrote a row again, in the same time. */
  readonly merged_rows_per_stored: number | null;
}

const STEPS_MIN = 3;
const SHARE = 6;
/** Of the rate that was asked for: the clock of a step is off by a look. */
const RATE_SHARE_MIN = 0.97;
const MEMORY_GROWTH_MAX = 1.05;
/** The spool is trimmed by whole segments of 256 MiB, whenever a snapshot has been taken. */
const SPOOL_GROWTH_MAX = 1.1;
const SPOOL_SLACK_BYTES = 256 << 20;
/** min_parts_to_merge_at_once of the table: so many come and go with each merge. */
const PARTS_SLACK = 32;
const VISIBLE_GROWTH_MAX = 1.25;
const MILLION = 1e6;

/** null: too short to say. `rate`: events a second that were asked for; Infinity: as many as go. */
export function levelOf(steps: readonly CourseStep[], rate: number): LevelReport | null {
  if (steps.length < STEPS_MIN) return null;
  const width = Math.max(1, Math.floor(steps.length / SHARE));
  const early = steps.slice(width, 2 * width);
  const late = steps.slice(-width);
  const criteria = criteriaOf(early, late, rate);
  const steady = steps.slice(width);
  const stored = sum(steady, (step) => step.stored);
  const merged = sum(steady, (step) => step.merged_rows);
  const perMillion = (seconds: number): number => Number(((seconds / stored!) * MILLION).toFixed(3));
  const server = sum(steady, (step) => step.cpu_seconds.server)!;
  const clickhouse = sum(steady, (step) => step.cpu_seconds.clickhouse)!;
  return {
    is_level: criteria.every(({ holds }) => holds),
    early_steps: [width + 1, 2 * width],
    late_steps: [steps.length - width + 1, steps.length],
    criteria,
    cpu_seconds_per_million:
      stored === null || stored <= 0
        ? null
        : { server: perMillion(server), clickhouse: perMillion(clickhouse), total: perMillion(server + clickhouse) },
    merged_rows_per_stored:
      stored === null || stored <= 0 || merged === null ? null : Number((merged / stored).toFixed(3)),
  };
}

function criteriaOf(early: readonly CourseStep[], late: readonly CourseStep[], rate: number): LevelCriterion[] {
  const perSecond = (steps: readonly CourseStep[]): number | null => {
    const stored = sum(steps, (step) => step.stored);
    return stored === null ? null : Math.round(stored / sum(steps, (step) => step.seconds)!);
  };
  const rates = { early: perSecond(early), late: perSecond(late) };
  const rateMin = RATE_SHARE_MIN * (Number.isFinite(rate) ? rate : (rates.early ?? Infinity));
  const judge = (
    name: LevelCriterion['name'],
    unit: LevelCriterion['unit'],
    of: (steps: readonly CourseStep[]) => number | null,
    bound: (early: number) => number,
  ): LevelCriterion => {
    const values = { early: of(early), late: of(late) };
    const most = values.early === null ? null : Math.round(bound(values.early));
    return { name, unit, ...values, bound: most, holds: most !== null && values.late !== null && values.late <= most };
  };
  const times = (factor: number, slack: number) => (value: number) => value * factor + slack;
  return [
    {
      name: 'rate',
      unit: 'events/s',
      ...rates,
      bound: Number.isFinite(rateMin) ? Math.round(rateMin) : null,
      holds: rates.late !== null && rates.late >= rateMin,
    },
    judge(
      'server memory',
      'bytes',
      middle((step) => step.rss_bytes.server),
      times(MEMORY_GROWTH_MAX, 0),
    ),
    judge(
      'ClickHouse memory',
      'bytes',
      middle((step) => step.rss_bytes.clickhouse),
      times(MEMORY_GROWTH_MAX, 0),
    ),
    judge(
      'spool',
      'bytes',
      highest((step) => step.spool_bytes),
      times(SPOOL_GROWTH_MAX, SPOOL_SLACK_BYTES),
    ),
    judge(
      'parts',
      'parts',
      highest((step) => step.parts),
      times(1, PARTS_SLACK),
    ),
    judge(
      'visible p99',
      'ms',
      middle((step) => step.visible_p99_ms),
      times(VISIBLE_GROWTH_MAX, PROBE_MS),
    ),
  ];
}

type Pick = (step: CourseStep) => number | null;

/** null where a step has none: what was not seen is not level. */
function valuesOf(steps: readonly CourseStep[], pick: Pick): number[] | null {
  const values = steps.flatMap((step) => pick(step) ?? []);
  return values.length === steps.length ? values : null;
}

function sum(steps: readonly CourseStep[], pick: Pick): number | null {
  return valuesOf(steps, pick)?.reduce((total, value) => total + value, 0) ?? null;
}

function middle(pick: Pick): (steps: readonly CourseStep[]) => number | null {
  return (steps) => valuesOf(steps, pick)?.sort((a, b) => a - b)[steps.length >> 1] ?? null;
}

function highest(pick: Pick): (steps: readonly CourseStep[]) => number | null {
  return (steps) => {
    const values = valuesOf(steps, pick);
    return values === null ? null : Math.max(...values);
  };
}
