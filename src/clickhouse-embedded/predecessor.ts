/**
 * One engine per folder. An engine that outlives its parent (a killed server, an engine still unmapping its memory) would
 * make the next start fail on the engine's lock, so each child records itself, and a starting parent waits for the recorded
 * process and then ends it. A process id alone is not a name: ids are reused, so the start time is recorded with it. Main
 * thread of the parent; `recordProcess` runs in the child.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { OperatingError } from '../errors.ts';
import { POLL_MS, PREDECESSOR_KILL_MS, PREDECESSOR_WAIT_MS } from './child-bounds.ts';

export interface ProcessName {
  readonly pid: number;
  readonly startedAt: string;
}

interface ProcessRecord {
  readonly engine: ProcessName;
  readonly parent: ProcessName;
}

/** Called by the child before it opens the engine. */
export function recordProcess(path: string, parent: ProcessName): void {
  const record: ProcessRecord = {
    engine: { pid: process.pid, startedAt: startTimeOf(process.pid) ?? '' },
    parent,
  };
  writeFileSync(`${path}.new`, JSON.stringify(record));
  renameSync(`${path}.new`, path);
}

/** Called by the parent before it forks. Resolves when no earlier engine holds the folder. */
export async function endPredecessor(path: string, onEnd: (pid: number) => void): Promise<void> {
  const record = readRecord(path);
  if (record === undefined || !isAlive(record.engine)) return;
  // First of all wait: a server that has just been killed is still there for a moment, and so is its engine.
  if (await isGoneWithin(record.engine, PREDECESSOR_WAIT_MS)) return;
  if (record.parent.pid !== process.pid && isAlive(record.parent)) {
    throw new OperatingError(
      'embedded_folder_in_use',
      `embedded ClickHouse not started: another server uses this data directory, server_pid=${record.parent.pid} ` +
        `engine_pid=${record.engine.pid}. Stop that server, or choose another data directory.`,
    );
  }
  onEnd(record.engine.pid);
  kill(record.engine);
  if (await isGoneWithin(record.engine, PREDECESSOR_KILL_MS)) return;
  throw new OperatingError(
    'embedded_predecessor_stays',
    `embedded ClickHouse not started: an earlier engine does not end, engine_pid=${record.engine.pid} ` +
      `waited_ms=${PREDECESSOR_WAIT_MS + PREDECESSOR_KILL_MS}. End that process, then start again.`,
    { retryable: true },
  );
}

function readRecord(path: string): ProcessRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as ProcessRecord;
    return typeof record.engine?.pid === 'number' && typeof record.parent?.pid === 'number' ? record : undefined;
  } catch {
    // No record, or one cut short by a crash: the engine's own lock still protects the folder.
    return undefined;
  }
}

async function isGoneWithin(name: ProcessName, boundMs: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < boundMs; waitedMs += POLL_MS) {
    if (!isAlive(name)) return true;
    await pause(POLL_MS);
  }
  return !isAlive(name);
}

function isAlive(name: ProcessName): boolean {
  return startTimeOf(name.pid) === name.startedAt;
}

function kill(name: ProcessName): void {
  try {
    if (isAlive(name)) process.kill(name.pid, 'SIGKILL');
  } catch {
    // It ended by itself in between.
  }
}

/** When the process started, in the system's own words; undefined if there is none, or only a zombie that holds nothing. */
export function startTimeOf(pid: number): string | undefined {
  if (process.platform === 'linux') return startTimeFromProc(pid);
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

function startTimeFromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may hold spaces: fields are counted from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
