/**
 * The data folder as a path that a user gave: made where it is missing, and found to be one that can be written to and is no
 * other program's, before anything is put into it. Called at start by engine/start.ts.
 */

import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { OperatingError } from '../errors.ts';

/** One of these is in every folder that a server has run on. */
const MARKS = ['server.lock', 'spool', 'batches', 'pipelines', 'durable.mark'];
/** Folders of ours, which must be none. */
const FOLDERS = ['spool', 'batches', 'pipelines', 'snapshots', 'account', 'lists', 'clickhouse'];
const PROBE = '.write-probe';
/** More than a page, so that a full disk shows. */
const PROBE_BYTES = 64 * 1024;

export function openDataFolder(directory: string): void {
  make(directory);
  refuseStrangers(directory);
  probe(directory);
}

/**
 * Step by step from what is there: Node's own way of making parents does not return where the system says "no such file" for
 * ever.
 */
function make(directory: string): void {
  const missing: string[] = [];
  for (let at = resolve(directory); !isFolder(at, directory); at = dirname(at)) missing.push(at);
  for (const step of missing.reverse()) {
    try {
      mkdirSync(step);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST' && isFolder(step, directory)) continue;
      throw unusable(directory, `${step} cannot be made`, cause);
    }
  }
}

/** False where nothing is there. */
function isFolder(path: string, directory: string): boolean {
  try {
    if (statSync(path).isDirectory()) return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT' && dirname(path) !== path) return false;
    throw unusable(directory, `${path} cannot be looked at`, cause);
  }
  throw unusable(directory, `${path} is no folder`);
}

function refuseStrangers(directory: string): void {
  let entries;
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch (cause) {
    throw unusable(directory, 'it cannot be read', cause);
  }
  const wrong = entries.find((entry) => FOLDERS.includes(entry.name) && entry.isFile());
  if (wrong !== undefined) throw unusable(directory, `${wrong.name} in it is a file and not a folder`);
  if (entries.some(({ name }) => MARKS.includes(name))) return;
  const strange = entries.find(
    (entry) => entry.isDirectory() && entry.name !== 'lost+found' && !FOLDERS.includes(entry.name),
  );
  if (strange !== undefined)
    throw unusable(directory, `it is no data folder and holds other things, ${strange.name} among them`);
}

function probe(directory: string): void {
  const path = join(directory, PROBE);
  try {
    const file = openSync(path, 'w');
    try {
      writeSync(file, new Uint8Array(PROBE_BYTES));
      fsyncSync(file);
    } finally {
      closeSync(file);
      unlinkSync(path);
    }
  } catch (cause) {
    throw unusable(directory, 'nothing can be written there', cause);
  }
}

function unusable(directory: string, why: string, cause?: unknown): OperatingError {
  const { code } = (cause ?? {}) as NodeJS.ErrnoException;
  const advice = code === 'ENOSPC' || code === 'EDQUOT' ? 'free space there, or choose' : 'choose';
  return new OperatingError(
    'data_folder',
    `the data folder cannot be used: data=${directory}: ${why}${code === undefined ? '' : ` error=${code}`}; ${advice} another --data`,
    { cause },
  );
}
