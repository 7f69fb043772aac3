/**
 * The IANA time zone database as the npm package moment-timezone carries it, of which only the data file is read: its
 * version is pinned, so that a zone means the same whatever Node, ICU or operating system the engine runs on. Used by
 * zones.ts.
 *
 *   file   { version: "2026f", zones: [ packed ], links: [ "existing name|another name" ] }
 *   packed name|abbreviations|offsets|indices|ends|population
 *            offsets   UTC minus local time in minutes, by spaces
 *            indices   one character a period: which offset it has
 *            ends      end of each period but the last, in minutes after the end before it (the first: after 1970), by spaces
 *   numbers  to the base 60 with the digits 0-9 a-z A-X, fractions too, perhaps a minus in front
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

interface PackedData {
  readonly version: string;
  readonly zones: readonly string[];
  readonly links: readonly string[];
}

export interface ZoneData {
  /** For example 2026f. */
  readonly version: string;
  /** Older and other names of zones among them. */
  readonly names: readonly string[];
  /** null: there is no such zone. */
  periodsOf(name: string): readonly ZonePeriod[] | null;
}

export interface ZonePeriod {
  /** ms UTC, exclusive; Infinity for the last. */
  readonly end: number;
  /** Local time minus UTC, ms. */
  readonly offset: number;
}

const DATA_FILE = 'moment-timezone/data/packed/latest.json';
const MINUTE_MS = 60_000;
const BASE = 60;

let loaded: ZoneData | null = null;

export function zoneData(): ZoneData {
  return (loaded ??= load());
}

function load(): ZoneData {
  const path = createRequire(import.meta.url).resolve(DATA_FILE);
  const { version, zones, links } = JSON.parse(readFileSync(path, 'utf8')) as PackedData;
  const packed = new Map(zones.map((zone) => [zone.slice(0, zone.indexOf('|')), zone]));
  for (const link of links) {
    const [existing, other] = link.split('|') as [string, string];
    const zone = packed.get(existing);
    if (zone !== undefined) packed.set(other, zone);
  }
  return {
    version,
    names: [...packed.keys()],
    periodsOf(name) {
      const zone = packed.get(name);
      return zone === undefined ? null : unpack(zone);
    },
  };
}

function unpack(packed: string): ZonePeriod[] {
  const [, , offsetTexts = '', indices = '', endTexts = ''] = packed.split('|');
  const offsets = offsetTexts.split(' ').map((text) => -Math.round(numberOf(text) * MINUTE_MS) + 0);
  const ends = endTexts === '' ? [] : endTexts.split(' ');
  let end = 0;
  return Array.from(indices, (index, period) => {
    const text = ends[period];
    end = text === undefined ? Infinity : Math.round(end + numberOf(text) * MINUTE_MS);
    return { end, offset: offsets[digitOf(index)]! };
  });
}

function numberOf(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  let value = 0;
  for (const digit of whole) value = value * BASE + digitOf(digit);
  let unit = 1;
  for (const digit of fraction) value += digitOf(digit) * (unit /= BASE);
  return sign * value;
}

function digitOf(digit: string): number {
  if (digit <= '9') return Number(digit);
  return digit >= 'a' ? digit.charCodeAt(0) - 'a'.charCodeAt(0) + 10 : digit.charCodeAt(0) - 'A'.charCodeAt(0) + 36;
}
