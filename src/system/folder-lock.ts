/**
 * One server on one data folder: the folder holds the process id of whoever uses it. Called at start by engine/start.ts.
 */

import { closeSync, existsSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { OperatingError } from '../errors.ts';

/** Takes the folder for this process; the returned function gives it back. */
export function lockFolder(directory: string): () => void {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'server.lock');
  const mine = `${process.pid} ${startTimeOf(process.pid)}`;
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const file = openSync(path, 'wx');
      writeSync(file, mine);
      closeSync(file);
      return () => {
        if (existsSync(path) && readFileSync(path, 'utf8') === mine) unlinkSync(path);
      };
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    }
    const holder = existsSync(path) ? holderOf(path) : '';
    const pid = Number(holder.split(' ')[0]);
    if (holder !== '' && startTimeOf(pid) !== '' && holder === `${pid} ${startTimeOf(pid)}`) {
      throw new OperatingError(
        'folder_in_use',
        `another server uses the data folder: data=${directory} pid=${pid}; stop it, or choose another --data`,
      );
    }
    // Left by a process that was killed.
    if (existsSync(path)) removeLock(path);
  }
  throw new OperatingError(
    'folder_in_use',
    `the data folder could not be locked: file=${path}; another server may be starting`,
  );
}

function holderOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw notALock(path, cause);
  }
}

function removeLock(path: string): void {
  try {
    unlinkSync(path);
  } catch (cause) {
    throw notALock(path, cause);
  }
}

function notALock(path: string, cause: unknown): OperatingError {
  const { code } = cause as NodeJS.ErrnoException;
  const message = `the lock of the data folder cannot be used: file=${path} error=${code}; move it away, or choose another --data`;
  return new OperatingError('data_folder', message, { cause });
}

/** Tells a process from a later one with the same id; '' where there is none. Without /proc the id alone must do. */
function startTimeOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    if (existsSync('/proc/self/stat')) return '';
  }
  try {
    process.kill(pid, 0);
    return 'alive';
  } catch {
    return '';
  }
}
