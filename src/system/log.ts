/**
 * The log: pino, on standard error; one JSON object a line for programs, one plain line for people. `fields` are `name:
 * value` pairs; messages say what happened.
 */

import { pino } from 'pino';
import pretty from 'pino-pretty';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'pretty' | 'json';
export type Log = (level: LogLevel, message: string, fields?: object) => void;

const STANDARD_ERROR = 2;

export function createLog(level: LogLevel, format: LogFormat = 'json'): Log {
  const destination = format === 'pretty' ? prettyStream() : pino.destination({ dest: STANDARD_ERROR, sync: true });
  const logger = pino({ name: 'hunt', level }, destination);
  return (at, message, fields = {}) => logger[at](fields, message);
}

/** Synchronous, as the other: what is logged last is what people need most. */
function prettyStream(): ReturnType<typeof pretty> {
  return pretty({
    destination: STANDARD_ERROR,
    sync: true,
    colorize: process.stderr.isTTY === true && (process.env['NO_COLOR'] ?? '') === '',
    ignore: 'pid,hostname,name',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  });
}
