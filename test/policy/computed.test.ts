/** Computed columns through the whole core: filled before keys and state where these read them, else before decisions. */

import { expect, test } from 'vitest';
import type { Column } from '../../native-free-core/layout/column.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { createHandDrivenCore, type HandDrivenCore } from '../../src/cli/test/hand-driven-core.ts';
import { changed, compileText } from '../config/pipelines.ts';

const RULE = "'player.digs_5m > 120'";

const DERIVED = `derived:
  twice: event.level * 2
  slow_s: player.quiet / 1000.0
  morning: "event.time.getHours('Europe/Berlin') < 12"
  far: geo.distance(event.lat, 0.0, 0.0, 0.0)
`;

function compile(): Plan {
  const edits: readonly [string, string][] = [
    [RULE, "'derived.slow_s > 5.0 || derived.twice > 100'"],
    ['decisions:\n', `${DERIVED}decisions:\n`],
    [
      'entities:\n',
      'entities:\n  tile: { key: "geo.tile(event.lat, event.lat, 3)", max: 100, ttl: 1d }\n  local: { key: [event.player_id, "event.time.getHours(\'Europe/Berlin\')"], max: 100, ttl: 1d }\n',
    ],
    ['key: event.player_id', 'key: "event.player_id + event.time.getDayOfMonth(\'Europe/Berlin\')"'],
    ['features:\n', 'features:\n  tile:\n    high: { agg: sum, of: derived.twice, where: derived.morning }\n'],
  ];
  return compileText(edits.reduce((text, [from, to]) => changed(from, to, text), changed('', ''))).plan;
}

function event(fields: Record<string, unknown>, time: string): string {
  return JSON.stringify({ playerId: '7', huntId: '1', eventTime: time, level: 3, ...fields });
}

function reader(plan: Plan, core: HandDrivenCore): (name: string) => number | null {
  return (name) => {
    const index = plan.columns.findIndex((column) => column.name === name);
    return valueOf(core.row.columns[index]!);
  };
}

function valueOf(column: Column): number | null {
  if (column.nulls.length !== 0 && column.nulls[0] === 1) return null;
  if (column.kind === 'f64') return column.f64[0]!;
  if (column.kind === 'u8') return column.u8[0]!;
  return column.kind === 'code' ? column.u16[0]! : column.u32[0]!;
}

test('keys, inputs, conditions and rules read computed values of the same event', () => {
  const plan = compile();
  const core = createHandDrivenCore(plan, 10);
  const value = reader(plan, core);
  const take = (fields: Record<string, unknown>, time: string): void =>
    expect(core.take(event(fields, time))).toEqual({ outcome: 'stored' });

  take({ lat: 0.5 }, '2024-03-31T00:30:00Z');
  expect([value('derived_twice'), value('derived_slow_s'), value('derived_morning')]).toEqual([6, null, 1]);
  expect(value('derived_far')).toBeCloseTo(55597.5, 0);
  expect([value('player_seq'), value('tile_seq'), value('local_seq'), value('tile_high')]).toEqual([1, 1, 1, 6]);
  // 00:30 and 01:30 UTC are 01:30 and 03:30 in Berlin that night: the hour is part of local's key.
  take({ lat: 0.6, level: 60 }, '2024-03-31T01:30:00Z');
  expect([value('player_seq'), value('tile_seq'), value('local_seq'), value('tile_high')]).toEqual([2, 2, 1, 126]);
  expect([value('derived_slow_s'), value('trust')]).toEqual([3600, 2]);
  // In the afternoon the sum's condition is false; without a latitude there is no tile.
  take({ lat: 0.6 }, '2024-03-31T13:30:00Z');
  expect([value('tile_seq'), value('tile_high'), value('derived_morning')]).toEqual([3, 126, 0]);
  take({}, '2024-03-31T13:30:01Z');
  expect([value('tile_seq'), value('tile_high'), value('derived_far')]).toEqual([null, null, null]);
  // The next day in Berlin, not yet in UTC: the primary key is another one.
  take({ lat: 0.6 }, '2024-03-31T22:30:00Z');
  expect([value('player_seq'), value('tile_seq')]).toEqual([1, 4]);
});

test('an event that is refused leaves nothing behind', () => {
  const plan = compile();
  const core = createHandDrivenCore(plan, 10);
  const value = reader(plan, core);
  expect(core.take(event({ playerId: '9007199254740993' }, '2024-03-31T00:30:00Z'))).toMatchObject({
    outcome: 'refused',
  });
  expect(core.take(event({}, '2024-03-31T00:30:00Z'))).toEqual({ outcome: 'stored' });
  expect([value('player_seq'), value('derived_twice'), value('derived_far')]).toEqual([1, 6, null]);
});
