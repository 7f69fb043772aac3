/**
 * Time zones as tables of offsets, made when a pipeline is compiled: the core has no calendar, and a plan means the same on
 * a machine with other zone data. Called by the expression checker and by computed.ts.
 */

import type { ZonePlan } from '../../native-free-core/plan/plan.ts';
import { ZONE_TIME_END, ZONE_TIME_START } from '../../native-free-core/layout/limits.ts';
import { nearest } from '../../native-free-core/base/nearest.ts';
import { zoneData } from './zone-data.ts';

/** As CEL writes a zone that never changes: +11:00, -03:30. */
const OFFSET = /^([+-])([01][0-9]|2[0-3]):([0-5][0-9])$/;
const LOOKS_LIKE_OFFSET = /^[+-]?[0-9]/;

const known = new Map<string, ZonePlan>();

/** What is wrong with a zone's name, or null. */
export function zoneProblem(name: string): { readonly message: string; readonly suggestion?: string } | null {
  if (name === 'UTC' || OFFSET.test(name)) return null;
  if (LOOKS_LIKE_OFFSET.test(name))
    return { message: `not an offset from UTC: ${name}; write sign, hours and minutes, such as +11:00 or -03:30` };
  const { names } = zoneData();
  if (names.includes(name)) return null;
  const sameLetters = names.find((other) => other.toLowerCase() === name.toLowerCase());
  const suggestion = sameLetters ?? nearest(name, names);
  return { message: `unknown time zone: ${name}`, ...(suggestion === undefined ? {} : { suggestion }) };
}

/** Release of the zone data that tables are made of, for example 2026f. */
export function zoneDataVersion(): string {
  return zoneData().version;
}

/** The table of a zone; its name has been checked. */
export function zonePlan(name: string): ZonePlan {
  let zone = known.get(name);
  if (zone === undefined) {
    zone = readZone(name);
    known.set(name, zone);
  }
  return zone;
}

function readZone(name: string): ZonePlan {
  const fixed = OFFSET.exec(name);
  if (fixed !== null) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3]);
    return { name, changes: [], offsets: [(fixed[1] === '-' ? -minutes : minutes) * 60_000] };
  }
  const periods = zoneData().periodsOf(name);
  if (periods === null) throw new Error(`no such time zone: zone=${name}`);
  const changes: number[] = [];
  const offsets: number[] = [];
  let start = -Infinity;
  for (const { end, offset } of periods) {
    const isWithin = end > ZONE_TIME_START && start < ZONE_TIME_END;
    // Periods may differ in their abbreviation only.
    if (isWithin && offset !== offsets.at(-1)) {
      if (offsets.length > 0) changes.push(start);
      offsets.push(offset);
    }
    start = end;
  }
  return { name, changes, offsets };
}
