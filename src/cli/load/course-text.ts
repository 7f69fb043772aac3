/** The course of a run and its verdict, for people. */

import type { CourseStep } from './course.ts';
import type { LevelCriterion, LevelReport } from './level.ts';

/** Seconds: shorter steps are not called minutes. */
const MINUTE = 60;

export function courseLines(steps: readonly CourseStep[], level: LevelReport | null): string[] {
  if (steps.length === 0) return [];
  const name = steps[0]!.seconds < MINUTE ? 'step' : 'minute';
  const lines = steps.map((step, i) => `${name} ${String(i + 1).padStart(3)}  ${stepLine(step)}`);
  return [...lines, ...(level === null ? ['too short to say whether it is level'] : levelLines(level, name))];
}

function stepLine(step: CourseStep): string {
  const { stored, seconds, rss_bytes: rss, cpu_seconds: cpu } = step;
  const perMillion = (value: number): string => (stored ? ((value / stored) * 1e6).toFixed(2) : '?');
  return [
    `${shown('events/s', stored === null ? null : stored / seconds)} stored`,
    `CPU s per M ${perMillion(cpu.server)} + ${perMillion(cpu.clickhouse)}`,
    `memory ${shown('bytes', rss.server)} + ${shown('bytes', rss.clickhouse)}`,
    `spool ${shown('bytes', step.spool_bytes)}`,
    shown('parts', step.parts),
    `visible p99 ${shown('ms', step.visible_p99_ms)}`,
  ].join('  ');
}

function levelLines(level: LevelReport, name: string): string[] {
  const { criteria, cpu_seconds_per_million: cpu, merged_rows_per_stored: merged } = level;
  const wrong = criteria.filter(({ holds }) => !holds).map(({ name }) => name);
  const numbers = ([first, last]: readonly [number, number]): string =>
    first === last ? `${first}` : `${first}-${last}`;
  const compared = `${name}s ${numbers(level.late_steps)} against ${numbers(level.early_steps)}`;
  return [
    ...criteria.map(criterionLine),
    ...(cpu === null
      ? []
      : [
          `CPU seconds per million, merges included: ${cpu.total} (server ${cpu.server}, ClickHouse ${cpu.clickhouse}); merges wrote each row ${merged ?? '?'} times again`,
        ]),
    level.is_level ? `LEVEL: ${compared}` : `NOT LEVEL: ${wrong.join(', ')}; ${compared}`,
  ];
}

function criterionLine({ name, unit, early, late, bound, holds }: LevelCriterion): string {
  const limit = `${name === 'rate' ? 'at least' : 'at most'} ${shown(unit, bound)}`;
  return `  ${name.padEnd(18)} ${shown(unit, early)} -> ${shown(unit, late)}, ${limit}: ${holds ? 'level' : 'NOT LEVEL'}`;
}

function shown(unit: LevelCriterion['unit'], value: number | null): string {
  if (value === null) return 'not seen';
  const [amount, name] = unit === 'bytes' ? [value / 2 ** 20, 'MiB'] : [value, unit];
  return `${Math.round(amount).toLocaleString('en')} ${name}`;
}
