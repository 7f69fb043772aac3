/** Whether a run was level is judged by what each minute had, criterion by criterion. */

import { describe, expect, test } from 'vitest';
import { courseLines } from '../../../src/cli/load/course-text.ts';
import { stepOf, type CourseLook, type CourseStep } from '../../../src/cli/load/course.ts';
import { levelOf } from '../../../src/cli/load/level.ts';

const MIB = 2 ** 20;
const RATE = 10_000;
const LEVEL: CourseStep = {
  seconds: 60,
  stored: 600_000,
  merged_rows: 900_000,
  cpu_seconds: { server: 1.2, clickhouse: 1.8 },
  rss_bytes: { server: 400 * MIB, clickhouse: 600 * MIB },
  spool_bytes: 900 * MIB,
  parts: 70,
  visible_p99_ms: 900,
};

/** `late`: what the last of so many minutes have otherwise. */
function run(minutes: number, lateMinutes: number, late: Partial<CourseStep>): CourseStep[] {
  return Array.from({ length: minutes }, (_, i) => (i < minutes - lateMinutes ? LEVEL : { ...LEVEL, ...late }));
}

function broken(steps: readonly CourseStep[], rate = RATE): string[] {
  return levelOf(steps, rate)!.criteria.flatMap(({ name, holds }) => (holds ? [] : [name]));
}

describe('level', () => {
  test('an hour: its last ten minutes against minutes 11 to 20; what comes first, fills', () => {
    const filling = { ...LEVEL, parts: 1, rss_bytes: { server: MIB, clickhouse: MIB }, stored: 100_000 };
    const level = levelOf([...Array.from({ length: 10 }, () => filling), ...run(50, 0, {})], RATE)!;
    expect(level).toMatchObject({ is_level: true, early_steps: [11, 20], late_steps: [51, 60] });
    // Merges are in what the fifty minutes cost.
    expect(level.cpu_seconds_per_million).toEqual({ server: 2, clickhouse: 3, total: 5 });
    expect(level.merged_rows_per_stored).toBe(1.5);
  });

  test.each<[string, Partial<CourseStep>]>([
    ['rate', { stored: 570_000 }],
    ['server memory', { rss_bytes: { server: 421 * MIB, clickhouse: 600 * MIB } }],
    ['ClickHouse memory', { rss_bytes: { server: 400 * MIB, clickhouse: 631 * MIB } }],
    ['spool', { spool_bytes: 1250 * MIB }],
    ['parts', { parts: 103 }],
    ['visible p99', { visible_p99_ms: 1380 }],
  ])('%s alone makes a run not level', (name, late) => {
    expect(broken(run(30, 5, late))).toEqual([name]);
    expect(levelOf(run(30, 5, late), RATE)!.is_level).toBe(false);
  });

  test('within the bounds it is level', () => {
    const rss = { server: 419 * MIB, clickhouse: 629 * MIB };
    const late = { stored: 585_000, rss_bytes: rss, spool_bytes: 1240 * MIB, parts: 102, visible_p99_ms: 1370 };
    expect(broken(run(30, 5, late))).toEqual([]);
  });

  test('what was not seen is not level', () => {
    expect(broken(run(6, 1, { parts: null, stored: null, spool_bytes: null, visible_p99_ms: null }))).toEqual([
      'rate',
      'spool',
      'parts',
      'visible p99',
    ]);
  });

  test('as fast as it goes, the early rate is what must be kept', () => {
    expect(broken(run(6, 1, { stored: 500_000 }), Infinity)).toEqual(['rate']);
    expect(broken(run(6, 1, {}), Infinity)).toEqual([]);
  });

  test('two minutes say nothing', () => {
    expect(levelOf(run(2, 1, {}), RATE)).toBeNull();
    expect(courseLines(run(2, 1, {}), null).at(-1)).toBe('too short to say whether it is level');
  });
});

test('a step is what grew from the look before it, and the highest and the middle within', () => {
  const look = (atMs: number, rows: number, parts: number, rss: number): CourseLook => ({
    atMs,
    cpuSeconds: { server: atMs / 1000, clickhouse: atMs / 2000 },
    rssBytes: { server: rss, clickhouse: 2 * rss },
    spoolBytes: parts * 10,
    table: { parts, rows, mergedRows: 3 * rows },
  });
  expect(
    stepOf([look(0, 100, 999, 999), look(20_000, 300, 9, 5), look(40_000, 500, 4, 7), look(60_000, 700, 6, 6)], 12),
  ).toEqual({
    seconds: 60,
    stored: 600,
    merged_rows: 1800,
    cpu_seconds: { server: 60, clickhouse: 30 },
    rss_bytes: { server: 6, clickhouse: 12 },
    spool_bytes: 90,
    parts: 9,
    visible_p99_ms: 12,
  });
  const blind = { ...look(60_000, 0, 0, 1), spoolBytes: null, table: null };
  expect(stepOf([look(0, 0, 1, 1), blind], null)).toMatchObject({ stored: null, parts: null, spool_bytes: null });
});

test('people read which criterion a run breaks', () => {
  const level = levelOf(run(6, 1, { parts: 200 }), RATE);
  const lines = courseLines(run(6, 1, { parts: 200 }), level);
  expect(lines[5]).toBe(
    'minute   6  10,000 events/s stored  CPU s per M 2.00 + 3.00  memory 400 MiB + 600 MiB  spool 900 MiB  200 parts  visible p99 900 ms',
  );
  expect(lines).toContain('  parts              70 parts -> 200 parts, at most 102 parts: NOT LEVEL');
  expect(lines.at(-1)).toBe('NOT LEVEL: parts; minutes 6 against 2');
  expect(lines.at(-2)).toBe(
    'CPU seconds per million, merges included: 5 (server 2, ClickHouse 3); merges wrote each row 1.5 times again',
  );
});
