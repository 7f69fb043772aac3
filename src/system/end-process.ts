/**
 * How a process ends that cannot go on: with one last line on standard error that says what died of what, and exit code 1.
 * Called by main.ts on the main thread, and on any thread by whatever must not outlive an exception.
 *
 * Once threads run, `process.exit` would tear each of them down in the middle of its work, and Node aborts over what
 * uWebSockets.js has still open: a native stack trace behind the last line, and exit code 134. So the process then ends as
 * `_exit` ends it, at once and as a whole. Nothing is lost by that: what was answered is on the disk, and the ClickHouse
 * child ends with its parent.
 */

import { errorCodeOf } from '../../native-free-core/base/error-codes.ts';
import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { InvariantError } from '../../native-free-core/base/fail.ts';
import { OperatingError } from '../errors.ts';
import { wallMs } from './clock.ts';

/** The part of koffi that is used here; it is an optional dependency. */
interface Koffi {
  load(path: string): { func(declaration: string): (code: number) => void };
}

const STANDARD_ERROR = 2;
/** Set in the environment: errors that are mistakes of the engine say where they come from. */
const STACK_VARIABLE = 'HUNT_STACK';

let threadsRun = false;

/** From now on the process ends at once where it ends for a failure. */
export function noteThreads(): void {
  threadsRun = true;
}

/** An exception that nobody has caught on the main thread; where threads run, it ends the process. */
export function uncaught(error: unknown, otherwise: (error: unknown) => never): never {
  return threadsRun ? dieOf('the main thread', error) : otherwise(error);
}

export function endProcess(code: number): never {
  return threadsRun ? endAtOnce(code) : process.exit(code);
}

/**
 * Says the last line and ends the whole process; `who`: the part that died. For threads, which main would hear of too late.
 */
export function dieOf(who: string, error: unknown): never {
  const stack = error instanceof Error ? error.stack : String(error);
  const entry = { level: 60, time: wallMs(), pid: process.pid, name: 'hunt', msg: `${who} died`, stack };
  sayLine(JSON.stringify(entry));
  sayLine(`hunt: ${lastWord(diedOf(who, error))}`);
  return endAtOnce(1);
}

/** What died of what. An error of another thread has lost its class on the way, but neither its words nor its code. */
export function diedOf(who: string, cause: unknown): OperatingError {
  const { code } = cause as { readonly code?: unknown };
  const reason = oneLine(cause instanceof Error ? cause.message : String(cause));
  const advice = /start again/.test(reason) ? '' : '; what was answered is on the disk: start again';
  return new OperatingError(errorCodeOf(code, 'died'), `${who} died: ${reason}${advice}`, { cause });
}

/** One line for whatever was thrown. */
export function lastWord(error: unknown): string {
  if (!(error instanceof Error)) return oneLine(String(error));
  if (error instanceof OperatingError) return `${error.message} [${error.code}]`;
  if (error instanceof InvariantError) return oneLine(error.message);
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (typeof code === 'string' && typeof syscall === 'string')
    return `${oneLine(error.message)}; check the path or address, and what this user may do there [${code}]`;
  if (typeof code === 'string' && /^[A-Z_]+$/.test(code) && !code.startsWith('ERR_')) return oneLine(error.message);
  if (process.env[STACK_VARIABLE] !== undefined) return error.stack ?? error.message;
  return `${error.name}: ${oneLine(error.message)} (${STACK_VARIABLE}=1 in the environment shows where)`;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').trim();
}

function sayLine(text: string): void {
  try {
    writeSync(STANDARD_ERROR, `${text}\n`);
  } catch {
    // Nobody reads it any more.
  }
}

/** Without koffi by SIGKILL: the exit code is 137 then. */
function endAtOnce(code: number): never {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    koffi.load('libc.so.6').func('void _exit(int status)')(code);
  } catch {
    // Not installed, or another C library.
  }
  process.kill(process.pid, 'SIGKILL');
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
