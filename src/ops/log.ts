/**
 * The log: pino, one JSON object a line on standard error. `fields` are `name: value` pairs; messages say what happened.
 */

import { pino } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type Log = (level: LogLevel, message: string, fields?: object) => void;

export function createLog(level: LogLevel): Log {
  const logger = pino({ name: 'hunt', level }, pino.destination({ dest: 2, sync: true }));
  return (at, message, fields = {}) => logger[at](fields, message);
}
