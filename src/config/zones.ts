/**
 * Time zones as tables of offsets, read out of Intl when a pipeline is compiled: the core has no calendar, and a plan
 * means the same on a machine with other zone data. Called by the expression checker and by computed.ts.
 */

import type { ZonePlan } from '../../native-free-core/layout/plan.ts';
import { ZONE_TIME_END, ZONE_TIME_START } from '../../native-free-core/layout/limits.ts';
import { nearest } from './nearest.ts';

const DAY_MS = 86_400_000;
const SECOND_MS = 1000;

const known = new Map<string, ZonePlan>();

/** What is wrong with a zone's name, or null. */
export function zoneProblem(name: string): { readonly message: string; readonly suggestion?: string } | null {
  if (name === 'UTC') return null;
  const names = ['UTC', ...Intl.supportedValuesOf('timeZone')];
  if (names.includes(name)) return null;
  const sameLetters = names.find((other) => other.toLowerCase() === name.toLowerCase());
  if (sameLetters === undefined && /^[A-Z][A-Za-z_]+\/[A-Z]/.test(name) && isZone(name)) return null;
  const suggestion = sameLetters ?? nearest(name, names);
  return { message: `unknown time zone: ${name}`, ...(suggestion === undefined ? {} : { suggestion }) };
}

/** Older names of a zone (Europe/Kyiv, Asia/Calcutta) are not listed and yet understood. */
function isZone(name: string): boolean {
  try {
    return formatOf(name) !== null;
  } catch {
    return false;
  }
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

function formatOf(name: string): Intl.DateTimeFormat {
  const numeric = 'numeric' as const;
  return new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    year: numeric,
    month: numeric,
    day: numeric,
    hour: numeric,
    minute: numeric,
    second: numeric,
  });
}

function readZone(name: string): ZonePlan {
  const format = formatOf(name);
  const changes: number[] = [];
  const offsets = [offsetAt(format, ZONE_TIME_START)];
  // No zone has changed twice within a day.
  for (let at = ZONE_TIME_START + DAY_MS; at <= ZONE_TIME_END; at += DAY_MS) {
    const offset = offsetAt(format, at);
    if (offset === offsets.at(-1)) continue;
    changes.push(changeBetween(format, at - DAY_MS, at, offset));
    offsets.push(offset);
  }
  return { name, changes, offsets };
}

/** The first second with the new offset. */
function changeBetween(format: Intl.DateTimeFormat, before: number, after: number, offset: number): number {
  let [low, high] = [before, after];
  while (high - low > SECOND_MS) {
    const middle = low + Math.floor((high - low) / 2 / SECOND_MS) * SECOND_MS;
    if (offsetAt(format, middle) === offset) high = middle;
    else low = middle;
  }
  return high;
}

/** Local time minus UTC at a whole second. */
function offsetAt(format: Intl.DateTimeFormat, at: number): number {
  const [month, day, year, hour, minute, second] = format.format(at).match(/\d+/g)!.map(Number);
  return Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) - at;
}
