/**
 * Times as RFC 3339 writes them: `2026-07-26T12:00:00.123456789+02:00`. Used by json/scalar.ts for
 * google.protobuf.Timestamp. No clock and no time zone of the platform: the calendar is arithmetic (proleptic Gregorian, as
 * protobuf has it).
 */

const RFC3339 =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))$/;
/** Longer texts only add digits below a nanosecond. */
const TEXT_MAX = 64;

/** What the last readRfc3339 read. */
export const timestampOf = { seconds: 0, nanos: 0 };

/** Whether `text` is a time; it then stands in `timestampOf`. Digits below a nanosecond are cut off. */
export function readRfc3339(text: string): boolean {
  const match = text.length > TEXT_MAX ? null : RFC3339.exec(text);
  if (match === null) return false;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return false;
  if (hour > 23 || minute > 59 || second > 59) return false;
  const offsetHours = Number(match[9] ?? 0);
  const offsetMinutes = Number(match[10] ?? 0);
  if (offsetHours > 23 || offsetMinutes > 59) return false;
  const offset = (offsetHours * 3600 + offsetMinutes * 60) * (match[8] === '-' ? -1 : 1);
  timestampOf.seconds = daysSince1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
  timestampOf.nanos = Number((match[7] ?? '').slice(0, 9).padEnd(9, '0'));
  return true;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysOf(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Counts years from March, so that the leap day is a year's last. */
function daysSince1970(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1;
  const m = month > 2 ? month - 3 : month + 9;
  const dayOfYear = Math.floor((153 * m + 2) / 5) + day - 1;
  return 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - 719468;
}
