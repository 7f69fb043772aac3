/**
 * Zone tables agree with Python's zoneinfo of the same release of the IANA data, and the core's calendar with Intl, the very
 * days of change included.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ZONE_TIME_END } from '../../native-free-core/layout/limits.ts';
import {
  dayOfMonth,
  dayOfYear,
  monthOf,
  yearOf,
  zoneOffset,
  type ZoneCursor,
} from '../../native-free-core/language/expression/runtime-time.ts';
import { zoneData } from '../../src/config/zone-data.ts';
import { zoneDataVersion, zonePlan, zoneProblem } from '../../src/config/zones.ts';
import { seeded } from '../random.ts';

const DAY_MS = 86_400_000;
const SEED = Number(process.env['HUNT_SEED'] ?? 20260701);
/** Their rules are old enough for Node's own data to have them. */
const ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Africa/Monrovia',
  'Asia/Kathmandu',
  'Pacific/Apia',
  'America/Sao_Paulo',
];

function cursorOf(name: string): ZoneCursor {
  const { changes, offsets } = zonePlan(name);
  return {
    changes: Float64Array.from(changes),
    offsets: Float64Array.from(offsets),
    from: Infinity,
    to: -Infinity,
    offset: 0,
  };
}

test.each(ZONES)(`%s is as Intl says, seed=${SEED}`, (name) => {
  const random = seeded(SEED);
  const cursor = cursorOf(name);
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: name, dateStyle: 'short', timeStyle: 'medium' });
  const times = Array.from({ length: 500 }, () => Math.floor((random() * ZONE_TIME_END) / 1000) * 1000);
  for (const change of cursor.changes) times.push(change - 1000, change);
  for (const time of times) {
    const local = time + zoneOffset(cursor, time);
    const day = Math.floor(local / DAY_MS);
    const clock = new Date(local).toISOString().slice(11, 19);
    const date = [yearOf(day), monthOf(day), dayOfMonth(day)].map((part) => String(part).padStart(2, '0')).join('-');
    expect(`${date} ${clock}`, `zone=${name} time=${time}`).toBe(format.format(time));
  }
});

test('the calendar from 1890 to 2310', () => {
  for (let day = -29300; day < 124200; day++) {
    const date = new Date(day * DAY_MS);
    const start = Date.UTC(date.getUTCFullYear(), 0, 1) / DAY_MS;
    const expected = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), day - start + 1];
    const actual = [yearOf(day), monthOf(day), dayOfMonth(day), dayOfYear(day)];
    if (actual.join() !== expected.join()) expect.fail(`day=${day} ${actual.join()} instead of ${expected.join()}`);
  }
});

test('names of zones', () => {
  expect(zoneProblem('UTC')).toBeNull();
  expect(zoneProblem('Europe/Berlin')).toBeNull();
  expect(zoneProblem('Asia/Calcutta')).toBeNull();
  expect(zoneProblem('europe/berlin')).toMatchObject({ suggestion: 'Europe/Berlin' });
  expect(zoneProblem('Europe/Berlni')).toMatchObject({ suggestion: 'Europe/Berlin' });
  expect(zoneProblem('+1:00')).not.toBeNull();
});

const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'golden/zone-offsets.json'), 'utf8')) as {
  readonly version: string;
  readonly zones: Readonly<Record<string, string>>;
};

/** As golden/zone-offsets.py writes a zone. */
function textOf(name: string): string {
  const { changes, offsets } = zonePlan(name);
  const later = changes.map((change, i) => `;${change / 1000}:${offsets[i + 1]! / 1000}`);
  return `${offsets[0]! / 1000}${later.join('')}`;
}

test(`every zone is as Python’s zoneinfo says, IANA data ${golden.version}`, () => {
  expect(zoneDataVersion()).toBe(golden.version);
  expect([...zoneData().names].sort()).toEqual(Object.keys(golden.zones).sort());
  const digest = (name: string): string => createHash('sha256').update(textOf(name)).digest('hex').slice(0, 16);
  const wrong = Object.entries(golden.zones).filter(([name, expected]) => digest(name) !== expected);
  expect(wrong.map(([name]) => `${name} ${textOf(name)}`)).toEqual([]);
});

test('zones that changed in 2026', () => {
  const hourAt = (zone: string, time: string): number => {
    const at = Date.parse(time);
    return new Date(at + zoneOffset(cursorOf(zone), at)).getUTCHours();
  };
  expect(hourAt('America/Vancouver', '2026-11-30T06:30:00Z')).toBe(23);
  expect(hourAt('America/Vancouver', '2026-11-30T07:30:00Z')).toBe(0);
});

test('a fixed offset from UTC is a zone without changes', () => {
  expect(zonePlan('+11:00')).toEqual({ name: '+11:00', changes: [], offsets: [39_600_000] });
  expect(zonePlan('-03:30').offsets).toEqual([-12_600_000]);
  expect(['+00:00', '-23:59'].map(zoneProblem)).toEqual([null, null]);
  for (const wrong of ['+24:00', '+1100', '11:00', '+11', '+11:60'])
    expect(zoneProblem(wrong)?.message).toContain('such as +11:00');
});
