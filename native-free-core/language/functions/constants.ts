/** duration('1h30m') and timestamp('2024-12-31T00:00:00Z'): texts that the checker turns into constants. */

import { lookup } from '../../base/lookup.ts';
import type { CallSite } from './call-site.ts';
import type { WrittenForm } from './function.ts';
import type { Typed } from './typed.ts';

export const duration: WrittenForm = {
  name: 'duration',
  form: 'function',
  check: checkDuration,
  documentation: {
    syntax: "duration('1h30m')",
    meaning: 'Milliseconds as an integer: days, hours, minutes, seconds and `ms`, one after another.',
    example: ["duration('1h30m')", '5400000'],
  },
};

export const timestamp: WrittenForm = {
  name: 'timestamp',
  form: 'function',
  check: checkTimestamp,
  documentation: {
    syntax: "timestamp('2024-12-31T00:00:00Z')",
    meaning: 'A time, with Z or an offset such as +01:00.',
    example: ["timestamp('2024-12-31T00:00:00Z') - timestamp('2024-12-30T00:00:00Z')", '86400000'],
  },
};

const UNITS_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** As CEL writes it (1h30m), with days too. */
function checkDuration(site: CallSite): Typed | null {
  const [operand] = site.arguments;
  const written = operand?.literalText ?? null;
  if (written === null || site.arguments.length !== 1) return site.refuse(`duration takes a text: duration('5m')`);
  const negative = written.startsWith('-');
  const body = negative ? written.slice(1) : written;
  const wrong = (): null => operand.refuse(`no duration: write '90s', '5m', '1h30m' or '30d', whole milliseconds`);
  if (!/^(\d{1,12}(\.\d{1,9})?(ms|d|h|m|s))+$/.test(body)) return wrong();
  let sum = 0;
  for (const [, digits, , unit] of body.matchAll(/(\d+(\.\d+)?)(ms|d|h|m|s)/g))
    sum += Number(digits) * lookup(UNITS_MS, unit)!;
  if (!Number.isSafeInteger(sum)) return wrong();
  return { expression: { node: 'constant', type: 'int', value: negative && sum !== 0 ? -sum : sum } };
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:\d\d)$/;

function checkTimestamp(site: CallSite): Typed | null {
  const [operand] = site.arguments;
  const written = operand?.literalText ?? null;
  if (written === null || site.arguments.length !== 1)
    return site.refuse(`timestamp takes a text: timestamp('2024-12-31T00:00:00Z')`);
  const value = RFC_3339.test(written) ? dateOf(written) : NaN;
  if (Number.isNaN(value))
    return operand.refuse(`no time: write it as 2024-12-31T23:59:59Z, with Z or an offset such as +01:00`);
  return { expression: { node: 'constant', type: 'time', value } };
}

/** Date.parse takes February 30th for March 1st. */
function dateOf(written: string): number {
  const days = new Date(`${written.slice(0, 10)}T00:00:00Z`);
  const exists = !Number.isNaN(days.getTime()) && days.toISOString().slice(0, 10) === written.slice(0, 10);
  return exists ? Date.parse(written) : NaN;
}
