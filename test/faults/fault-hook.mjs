/**
 * Preloaded into a server under test, in all of its threads (`NODE_OPTIONS=--import=<this file>`): ends a process with SIGKILL at a
 * moment that no clock can hit. What the engine calls is the real thing; this stands around four calls of Node.
 *
 *   HUNT_FAULT_FOLDER/order   "phase moment pid", written by the test at any time; pid: whom to kill, 0 for the server itself
 *   HUNT_FAULT_FOLDER/hit     the order again, written by the hook just before the kill
 *   HUNT_FAULT_FOLDER/now     two fields of 16 characters, kept up to date: what the spool thread and the inserts are at
 *
 *   phase             moment
 *   inside-fsync      before, during, after      of a group commit: the bytes are written, and nobody has been told yet
 *   before-insert     sealed, leaving            the batch log has the batch, and ClickHouse has heard nothing of it
 *   insert-in-flight  begun, sent, answered      part of the body is written; it is named to ClickHouse; the answer is here and nobody
 *                                                has read it
 */

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

const folder = process.env.HUNT_FAULT_FOLDER ?? '';
const orderPath = join(folder, 'order');
const hitPath = join(folder, 'hit');
const real = {
  writevSync: fs.writevSync,
  writeSync: fs.writeSync,
  fdatasyncSync: fs.fdatasyncSync,
  request: http.request,
};

// Threads have the server's process id; its ClickHouse and other commands do not.
if (isMainThread && process.argv[2] === 'serve') process.env.HUNT_FAULT_PID = String(process.pid);
if (folder !== '' && process.env.HUNT_FAULT_PID === String(process.pid)) {
  if (isMainThread) await hookInserts(hookBatchLog());
  else if (process.argv[1]?.endsWith('spool-thread.js')) hookGroupCommits();
}

/** Keeps one field of `now`; the page cache outlives the process. */
function field(position) {
  const file = fs.openSync(join(folder, 'now'), fs.constants.O_RDWR | fs.constants.O_CREAT);
  return (what) => void real.writeSync(file, what.padEnd(16), position);
}

/** Whether the order is for this moment. Another thread may take it away between two looks. */
function isOrdered(phase, moment) {
  try {
    return fs.existsSync(orderPath) && fs.readFileSync(orderPath, 'utf8').startsWith(`${phase} ${moment} `);
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}

/** Says so, and kills. Where it is this process that goes, nothing after this runs. */
function kill(hit = (pid) => process.kill(pid, 'SIGKILL')) {
  const order = fs.readFileSync(orderPath, 'utf8');
  fs.unlinkSync(orderPath);
  fs.writeFileSync(`${hitPath}.new`, order);
  fs.renameSync(`${hitPath}.new`, hitPath);
  hit(Number(order.split(' ')[2]) || process.pid);
}

function killIfOrdered(phase, moment) {
  if (isOrdered(phase, moment)) kill();
}

function hookGroupCommits() {
  const now = field(0);
  let isGroup = false;
  now('idle');
  fs.writevSync = (file, buffers, position) => {
    // Marks and zeros go alone, epochs as a record with its blocks.
    isGroup = buffers.length > 1;
    return real.writevSync(file, buffers, position);
  };
  fs.fdatasyncSync = (file) => {
    if (!isGroup) return real.fdatasyncSync(file);
    now('fsync');
    killIfOrdered('inside-fsync', 'before');
    if (isOrdered('inside-fsync', 'during')) kill((pid) => killWhile(pid, () => real.fdatasyncSync(file)));
    real.fdatasyncSync(file);
    killIfOrdered('inside-fsync', 'after');
    now('idle');
  };
}

/** Another process kills, so that this one is in the middle of the call. */
function killWhile(pid, call) {
  spawn('/bin/sh', ['-c', `kill -9 ${pid}`], { stdio: 'ignore', env: {} });
  for (const until = Date.now() + 10_000; Date.now() < until;) call();
}

/** Kinds of records in the batch log, at byte 8 (batch-log.ts). */
const SEAL = 3;
const CONFIRM = 4;

function hookBatchLog() {
  const now = field(16);
  let sealing = false;
  now('idle');
  fs.writevSync = (file, buffers, position) => {
    const [record] = buffers;
    const isBatch = record.length === 64 && Buffer.from(record.buffer, record.byteOffset, 4).toString() === 'BAT1';
    sealing = isBatch && record[8] === SEAL;
    if (sealing) now('sealing');
    if (isBatch && record[8] === CONFIRM) now('idle');
    return real.writevSync(file, buffers, position);
  };
  fs.fdatasyncSync = (file) => {
    real.fdatasyncSync(file);
    if (!sealing) return;
    sealing = false;
    now('sealed');
    killIfOrdered('before-insert', 'sealed');
  };
  return now;
}

/** Batches are handed over as files (body-file.ts): part of one is written, then a request names it. */
async function hookInserts(now) {
  const file = await fs.promises.open('/dev/null');
  const files = Object.getPrototypeOf(file);
  await file.close();
  const { writev } = files;
  files.writev = async function (...args) {
    now('inserting');
    const written = await writev.apply(this, args);
    killIfOrdered('insert-in-flight', 'begun');
    return written;
  };
  http.request = (...args) => {
    const names = Object.keys(args[1]?.headers ?? {}).map((name) => name.toLowerCase());
    if (!names.includes('x-hunt-body')) return real.request(...args);
    killIfOrdered('before-insert', 'leaving');
    const request = real.request(...args);
    const { emit } = request;
    request.emit = (event, ...values) => {
      if (event === 'finish') now('sent');
      if (event === 'finish') killIfOrdered('insert-in-flight', 'sent');
      if (event === 'response') now('answered');
      if (event === 'response') killIfOrdered('insert-in-flight', 'answered');
      return emit.call(request, event, ...values);
    };
    return request;
  };
}
