/**
 * Preloaded into a server under test, in all of its threads (`NODE_OPTIONS=--import=<this file>`): lets a thread die of a cause that no
 * client can bring about, at the moment when a file says so. What the engine calls is the real thing; this stands around calls of Node.
 *
 *   HUNT_DEATH_FILE   once it is there: who is to die of what, "spool EIO", "spool ENOSPC-sync", "worker throw", "ingress throw",
 *                     "main throw", "main reject"; of "spool ENOSPC-write" nobody dies: the disk is full until the file goes;
 *                     nor of "spool stall": fdatasync does not return until then
 */

import fs from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env.HUNT_DEATH_FILE;
const who = isMainThread
  ? process.argv[2] === 'serve'
    ? 'main'
    : ''
  : (/(spool|ingress)-thread\.js$/.exec(process.argv[1] ?? '')?.[1] ?? 'worker');

function ordered() {
  if (!fs.existsSync(file)) return '';
  const [thread, cause] = fs.readFileSync(file, 'utf8').trim().split(' ');
  return thread === who ? cause : '';
}

if (who === 'spool') {
  const { fdatasyncSync, writevSync } = fs;
  const stalled = new Int32Array(new SharedArrayBuffer(4));
  // As long as the file says so.
  fs.writevSync = (...args) => {
    if (ordered() === 'ENOSPC-write') throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
    return writevSync(...args);
  };
  fs.fdatasyncSync = (descriptor) => {
    const cause = ordered();
    while (ordered() === 'stall') Atomics.wait(stalled, 0, 0, 5);
    if (cause !== '' && cause !== 'ENOSPC-write' && cause !== 'stall')
      throw Object.assign(new Error(`${cause}: i/o error, fdatasync`), { code: cause.split('-')[0] });
    return fdatasyncSync(descriptor);
  };
}

if (who === 'worker') {
  const { now } = Date;
  Date.now = () => {
    if (ordered() !== '') throw new Error('a worker dies of this');
    return now();
  };
}

if (who === 'ingress' || who === 'main') {
  setInterval(() => {
    const cause = ordered();
    if (cause === 'throw') throw new Error(`${who} dies of this`);
    if (cause === 'reject') void Promise.reject(new Error(`${who} dies of this`));
  }, 20).unref();
}
