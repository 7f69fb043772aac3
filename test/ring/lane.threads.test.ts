/**
 * Lanes and doorbells between real threads. Each record carries its number in every byte, so that a torn or lost one shows;
 * sleeps have no timeout, so that a lost wake-up hangs, and is found.
 */

import { expect, test } from 'vitest';
import { createLane } from '../../native-free-core/ring/lane.ts';
import { cancelSleep, prepareSleep } from '../../native-free-core/ring/doorbell.ts';
import { runThreads, WORK_MS, type ThreadBody } from '../stepper/run-threads.ts';

const SOURCES = { files: ['native-free-core/ring/lane.ts', 'native-free-core/ring/doorbell.ts'] };
/** Words of the bells, on cache lines of their own. */
const [TO_CONSUMER, TO_PRODUCER] = [0, 16];
/** The kind of the last record. */
const LAST = 7;

/** Records of every size a lane takes, some shrunk, as fast as they go in; the size follows from the number. */
const PRODUCER: ThreadBody = {
  body: `// producer
    const { openLane, reserve, shrink, commit, ring, prepareSleep, cancelSleep, sleep } = protocol;
    const lane = openLane(shared.lane), bells = new Int32Array(shared.bells), end = performance.now() + shared.workMs;
    let number = 0;
    for (let isLast = false; !isLast; number++) {
      isLast = number % 64 === 0 && performance.now() >= end;
      const bytes = (Math.imul(number, 2654435761) >>> 16) % 2040, kind = isLast ? ${LAST} : number & 3;
      let at = reserve(lane, kind, bytes);
      for (; at < 0; at = reserve(lane, kind, bytes)) {
        const ticket = prepareSleep(bells, ${TO_PRODUCER});
        if (reserve(lane, kind, bytes) >= 0) cancelSleep(bells, ${TO_PRODUCER});
        else sleep(bells, ${TO_PRODUCER}, ticket, Infinity);
      }
      lane.bytes.fill(number & 255, at, at + bytes);
      if (number % 5 === 0) shrink(lane, at, bytes >> 1);
      commit(lane);
      ring(bells, ${TO_CONSUMER});
    }
    return number;`,
};

const CONSUMER: ThreadBody = {
  body: `// consumer
    const { openLane, claim, release, step, releaseTo, ring, prepareSleep, cancelSleep, sleep } = protocol;
    const lane = openLane(shared.lane), bells = new Int32Array(shared.bells);
    let number = 0, sleeps = 0;
    for (let kind = 0; kind !== ${LAST}; number++) {
      let at = claim(lane);
      for (; at < 0; at = claim(lane)) {
        const ticket = prepareSleep(bells, ${TO_CONSUMER});
        if (claim(lane) >= 0) cancelSleep(bells, ${TO_CONSUMER});
        else { sleeps++; sleep(bells, ${TO_CONSUMER}, ticket, Infinity); }
      }
      kind = lane.claimedKind;
      const sent = (Math.imul(number, 2654435761) >>> 16) % 2040, bytes = number % 5 === 0 ? sent >> 1 : sent;
      if (lane.claimedBytes !== bytes || (kind !== ${LAST} && kind !== (number & 3)))
        throw new Error('record ' + number + ': kind=' + kind + ' bytes=' + lane.claimedBytes + ' of ' + bytes);
      for (let b = at; b < at + bytes; b++)
        if (lane.bytes[b] !== (number & 255)) throw new Error('record ' + number + ' is torn at byte ' + (b - at));
      if (number % 3 === 0) { step(lane); releaseTo(lane, lane.tail); } else release(lane);
      ring(bells, ${TO_PRODUCER});
    }
    return { number, sleeps };`,
};

test('records pass whole and in order between two threads, and both are woken', async () => {
  const shared = { lane: createLane(4096), bells: new SharedArrayBuffer(128), workMs: WORK_MS };
  const [sent, received] = (await runThreads(SOURCES, shared, [PRODUCER, CONSUMER])) as [
    number,
    { number: number; sleeps: number },
  ];
  expect(received.number).toBe(sent);
  expect(sent).toBeGreaterThan(60);
  expect(received.sleeps).toBeGreaterThan(0);
  expect(Array.from(new Int32Array(shared.bells), (word, at) => (at % 16 === 1 ? word : 0))).toEqual(Array(32).fill(0));
});

/** As ingress sleeps beside its sockets: the wait is asynchronous, on a thread that goes on. */
test('an asynchronous sleeper is woken by every ring', async () => {
  const work = new Int32Array(new SharedArrayBuffer(16));
  const [BELL, DONE, SENT] = [0, 2, 3];
  const rings: ThreadBody = {
    body: `// ringer
      const words = new Int32Array(shared.words), end = performance.now() + shared.workMs;
      let sent = 0;
      while (performance.now() < end) {
        Atomics.store(words, ${SENT}, ++sent);
        protocol.ring(words, ${BELL});
        Atomics.wait(words, ${DONE}, sent - 1);
      }
      Atomics.store(words, ${SENT}, -1);
      protocol.ring(words, ${BELL});
      return sent;`,
  };
  const ended = runThreads(SOURCES, { words: work.buffer as SharedArrayBuffer, workMs: WORK_MS }, [rings]);
  let done = 0;
  const sleeps = async (): Promise<void> => {
    for (let sent = 0; sent >= 0; sent = Atomics.load(work, SENT)) {
      if (sent > done) {
        if (sent !== done + 1) throw new Error(`${sent} after ${done}`);
        done = sent;
        Atomics.store(work, DONE, done);
        Atomics.notify(work, DONE);
      }
      const ticket = prepareSleep(work, BELL);
      if (Atomics.load(work, SENT) === done) await Atomics.waitAsync(work, BELL, ticket).value;
      cancelSleep(work, BELL);
    }
  };
  const [[sent]] = await Promise.all([ended, Promise.race([sleeps(), ended])]);
  expect(done).toBe(sent);
  expect(done).toBeGreaterThan(10);
  expect(work[BELL + 1]).toBe(0);
});
