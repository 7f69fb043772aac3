/**
 * Options that several commands share, each described once, and numbers and durations with errors that say what to write.
 */

import { lookup } from '../../native-free-core/base/lookup.ts';
import { clientKey } from '../access/key-sources.ts';
import { OperatingError } from '../errors.ts';

export const URL_OPTIONS = {
  url: { type: 'string', default: 'http://127.0.0.1:8700', description: 'The server; ws:// is accepted too' },
  key: { type: 'string', description: 'API key, where the server asks for one' },
  'key-file': { type: 'string', description: 'File that holds it; or set HUNT_KEY or HUNT_KEY_FILE' },
} as const;

export const CLICKHOUSE_OPTION = {
  clickhouse: { type: 'string', description: 'ClickHouse to ask (default: the one that the server names)' },
} as const;

/** What a command prints for programs; those that print something else than one object say so. */
export function jsonOption(description = 'Print one JSON object') {
  return { json: { type: 'boolean', default: false, description } } as const;
}

export interface ServerArguments {
  readonly url: string;
  readonly key?: string | undefined;
  readonly 'key-file'?: string | undefined;
}

/** Which server a command speaks to, and the key that it shows. */
export function serverOf(args: ServerArguments): { readonly url: string; readonly key: string | undefined } {
  const given = { key: args.key, file: args['key-file'], environment: process.env };
  return { url: args.url, key: clientKey(given) };
}

const DURATION_UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const COUNT_UNITS: Readonly<Record<string, number>> = { '': 1, k: 1000, M: 1_000_000 };

/** `30s`, `500ms`, `5m`; a bare number is seconds. */
export function durationOption(name: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  if (match === null) throw new OperatingError('bad_option', `not a duration: ${name}=${text}; write 30s, 500ms or 5m`);
  return Number(match[1]) * lookup(DURATION_UNITS_MS, match[2] ?? 's')!;
}

/** `500`, `200k`, `2M`: a whole number within bounds. */
export function countOption(name: string, text: string, min: number, max: number): number {
  const match = /^(\d+(?:\.\d+)?)([kM]?)$/.exec(text);
  const value = match === null ? NaN : Number(match[1]) * lookup(COUNT_UNITS, match[2]!)!;
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new OperatingError('bad_option', `not a whole number from ${min} to ${max}: ${name}=${text}`);
}

export function numberOption(name: string, text: string, min: number, max: number): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (value >= min && value <= max) return value;
  throw new OperatingError('bad_option', `not a number from ${min} to ${max}: ${name}=${text}`);
}
