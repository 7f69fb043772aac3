/**
 * The change of versions on real worker threads, while frames keep coming: the test is ingress and spool to them. Every
 * event is decided once and every frame answered once, epochs follow one another with as many blocks as they say, no epoch
 * is decided by two versions, and between the versions nobody decides. A change that is abandoned changes nothing.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readSealedHeader } from '../../native-free-core/layout/block-layout.ts';
import { BLOCK_BODY_AT, readBlockEpoch, readBlockParticipants } from '../../native-free-core/layout/block-record.ts';
import { BELL_STRIDE, DURABLE_LOW, EPOCH_ACTIVE, WORKER_BELL } from '../../native-free-core/layout/control-layout.ts';
import { ENCODING_CODES } from '../../native-free-core/layout/encoding-codes.ts';
import { RECORD_ANSWER } from '../../native-free-core/layout/record-kinds.ts';
import { createSeq } from '../../native-free-core/layout/seq.ts';
import { ring } from '../../native-free-core/ring/doorbell.ts';
import { putFrame, putOpen } from '../../native-free-core/ring/frame-lane.ts';
import { claim, openLane, release, type Lane } from '../../native-free-core/ring/lane.ts';
import { storeWatermark } from '../../native-free-core/ring/watermark.ts';
import { loadPipeline } from '../../src/config/index.ts';
import { controlWords } from '../../src/memory/control-words.ts';
import { allocateMemory, allocateWarmUp, type SharedMemory } from '../../src/memory/regions.ts';
import { startWorkers } from '../../src/workers/pool.ts';
import { PIPELINE } from '../decide/decider-world.ts';
import { isLong } from '../long.ts';
import { patient } from '../patience.ts';
import { positionOf, written } from '../../src/contract/event-log.ts';

const WORKERS = 2;
const EVENTS_PER_FRAME = 3;
const VERSIONS = isLong ? 20 : 2;
const ENDED_MS = patient(10_000);

interface Block {
  readonly participants: number;
  readonly version: number;
}

/** What stands around the workers: sends frames, takes blocks and answers, says what is durable. */
class Surroundings {
  /** By epoch. */
  readonly blocks = new Map<number, Block[]>();
  /** By version. */
  readonly decided = new Set<number>();
  rows = 0;
  frames = 0;
  answers = 0;
  feeding = true;
  readonly #control: Int32Array;
  readonly #frameLanes: readonly Lane[];
  readonly #blockLanes: readonly Lane[];
  readonly #answerLanes: readonly Lane[];
  #durable = 0;

  constructor(memory: SharedMemory) {
    this.#control = new Int32Array(memory.control);
    this.#frameLanes = memory.frameLanes.map(([buffer]) => openLane(buffer!));
    this.#blockLanes = memory.blockLanes.map(openLane);
    this.#answerLanes = memory.durableLanes.map(([buffer]) => openLane(buffer!));
    for (const lane of this.#frameLanes)
      putOpen(lane, {
        slot: 0,
        generation: 0,
        encoding: ENCODING_CODES.ndjson,
        answerEncoding: ENCODING_CODES.json,
        stored: false,
        hello: false,
        dedup: false,
        producerName: new Uint8Array(0),
      });
  }

  turn(): void {
    if (this.feeding) this.#frameLanes.forEach((lane, worker) => this.#send(lane, worker));
    for (const lane of this.#blockLanes)
      for (let at = claim(lane); at >= 0; at = claim(lane)) this.#takeBlock(lane, at);
    for (const lane of this.#answerLanes)
      for (; claim(lane) >= 0; release(lane)) if (lane.claimedKind === RECORD_ANSWER) this.answers++;
    for (;;) {
      const next = this.blocks.get(this.#durable + 1);
      if (next === undefined || next.length < next[0]!.participants) break;
      storeWatermark(this.#control, DURABLE_LOW, ++this.#durable);
    }
  }

  #send(lane: Lane, worker: number): void {
    const events = Array.from({ length: EVENTS_PER_FRAME }, (_, i) =>
      JSON.stringify({ id: `e${this.frames}-${i}`, player: 1 + (this.frames % 50), at: Date.now(), place: `p${i}` }),
    );
    const body = new TextEncoder().encode(events.join('\n'));
    if (!putFrame(lane, { slot: 0, generation: 0 }, createSeq(0), 0, body)) return;
    this.frames++;
    ring(this.#control, WORKER_BELL + worker * BELL_STRIDE);
  }

  #takeBlock(lane: Lane, at: number): void {
    const header = readSealedHeader(lane.view, at + BLOCK_BODY_AT)!;
    const epoch = readBlockEpoch(lane.view, at);
    const block = {
      participants: readBlockParticipants(lane.view, at),
      version: header.pipelineNumber,
    };
    this.blocks.set(epoch, [...(this.blocks.get(epoch) ?? []), block]);
    this.decided.add(block.version);
    this.rows += header.rows;
    release(lane);
  }
}

test('versions follow one another between epochs, and no event is lost or decided twice', async () => {
  const plan = await loadPipeline(PIPELINE);
  const memory = allocateMemory(plan, WORKERS, 1);
  const control = controlWords(memory);
  control.begin(positionOf(0), 0);
  const world = new Surroundings(memory);
  const versionOf = (number: number) => ({ plan: { ...plan, versionNumber: number }, memory });
  const pool = startWorkers(versionOf(1), allocateWarmUp, 1);
  const turning = setInterval(() => world.turn(), 1);
  const until = async (holds: () => boolean, what: string): Promise<void> => {
    for (const end = performance.now() + ENDED_MS; !holds(); await pause(2))
      if (performance.now() > end) throw new Error(`${what}: frames=${world.frames} rows=${world.rows}`);
  };
  const last: number[] = [];
  try {
    for (let number = 2; number <= VERSIONS; number++) {
      await until(() => world.decided.has(number - 1), `version ${number - 1} decides nothing`);
      if (number === 2) {
        const abandoned = pool.prepare(versionOf(99));
        await abandoned.ready;
        await abandoned.abandon();
      }
      const waiting = pool.prepare(versionOf(number));
      await waiting.ready;
      await waiting.takeOver({
        begin() {
          // They are in the midst of it when the change begins.
          for (let i = 0; i < 100; i++) world.turn();
          control.beginChange();
        },
        end: control.endChange,
        sendsHello: false,
        async between() {
          expect(Atomics.load(control.words, EPOCH_ACTIVE)).toBe(0);
          const touched = control.touchedEpoch();
          await pause(20);
          expect(control.touchedEpoch()).toBe(touched);
          last.push(written(touched));
        },
      });
    }
    await until(() => world.decided.has(VERSIONS), 'the last version decides nothing');
    world.feeding = false;
    await until(
      () => world.rows >= world.frames * EVENTS_PER_FRAME && world.answers >= world.frames,
      'events are missing',
    );
    control.stop();
    await pool.stop();
  } finally {
    clearInterval(turning);
  }
  world.turn();
  expect([world.rows, world.answers]).toEqual([world.frames * EVENTS_PER_FRAME, world.frames]);
  expect(last).toHaveLength(VERSIONS - 1);
  const epochs = [...world.blocks.keys()].sort((a, b) => a - b);
  expect(epochs).toEqual(Array.from({ length: epochs.length }, (_, i) => i + 1));
  for (const [epoch, blocks] of world.blocks) {
    const version = 1 + last.filter((touched) => touched < epoch).length;
    const wrong = blocks.filter((block) => block.participants !== blocks.length || block.version !== version);
    if (wrong.length > 0) expect.fail(`epoch ${epoch} of version ${version}: ${JSON.stringify(blocks)}`);
  }
});
