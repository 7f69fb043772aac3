/**
 * What durability costs: group commits of epochs of several sizes into preallocated segments, on the disk of the temporary
 * folder (TMPDIR chooses another); then the way through the real thread, and reading back.
 */

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { crc32 } from 'node:zlib';

import { BLOCK_HEADER_BYTES, writeSealedHeader } from '../../native-free-core/layout/block-layout.ts';
import { BLOCK_BODY_AT, writeBlockHeader } from '../../native-free-core/layout/block-record.ts';
import {
  CONTROL_VERSION,
  CONTROL_WORDS,
  DURABLE_BELL,
  DURABLE_LOW,
  SPOOL_BELL,
} from '../../native-free-core/layout/control-layout.ts';
import { RECORD_BLOCK } from '../../native-free-core/layout/record-kinds.ts';
import { REGION_CONTROL, createRegion } from '../../native-free-core/layout/region.ts';
import { cancelSleep, prepareSleep, ring, sleep } from '../../native-free-core/ring/doorbell.ts';
import { commit, createLane, openLane, reserve } from '../../native-free-core/ring/lane.ts';
import type { Lane } from '../../native-free-core/ring/lane.ts';
import { MARK_NAME } from '../../src/spool/durable-mark.ts';
import { openSpoolReader } from '../../src/spool/reader.ts';
import { recoverSpool } from '../../src/spool/recover-spool.ts';
import { SpoolWriter } from '../../src/spool/spool-writer.ts';
import { startSpool } from '../../src/spool/spool.ts';
import { nodeStorage } from '../../src/spool/storage.ts';
import type { Bench, BenchFigure } from '../bench.ts';
import { positionOf } from '../../src/contract/event-log.ts';

const LANE_BYTES = 4 << 20;
const MEGABYTE = 1e6;

interface Size {
  readonly name: string;
  readonly bytes: number;
  readonly epochs: number;
  readonly epochsTiny: number;
}

const SIZES: readonly Size[] = [
  { name: '4kB', bytes: 4096, epochs: 2000, epochsTiny: 20 },
  { name: '64kB', bytes: 65536, epochs: 1500, epochsTiny: 10 },
  { name: '1MB', bytes: 1 << 20, epochs: 300, epochsTiny: 4 },
];

interface Source {
  readonly lane: Lane;
  readonly laneBuffer: SharedArrayBuffer;
  readonly block: Uint8Array;
}

function createSource(bytes: number): Source {
  const block = new Uint8Array(bytes);
  for (let at = BLOCK_HEADER_BYTES; at < bytes; at++) block[at] = Math.imul(at, 2654435761) >>> 24;
  const view = new DataView(block.buffer);
  writeSealedHeader(view, 0, {
    bytes,
    receivedAt: 0,
    pipelineNumber: 0,
    rows: 0,
    deadLetters: 0,
    frames: 0,
    framesAt: 0,
    deadLettersAt: 0,
    dictionaryAt: 0,
    dictionaryEntries: 0,
    columns: 0,
    namesAt: 0,
    admittedAt: 0,
    hasNames: true,
  });
  const laneBuffer = createLane(LANE_BYTES);
  return { lane: openLane(laneBuffer), laneBuffer, block };
}

function seal({ lane, block }: Source, epoch: number): boolean {
  const at = reserve(lane, RECORD_BLOCK, BLOCK_BODY_AT + block.length);
  if (at < 0) return false;
  writeBlockHeader(lane.view, at, epoch, 1, 0);
  lane.bytes.set(block, at + BLOCK_BODY_AT);
  commit(lane);
  return true;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

function controlBuffer(): SharedArrayBuffer {
  return createRegion(REGION_CONTROL, CONTROL_VERSION, CONTROL_WORDS * 4 - 64);
}

/** One epoch after another, each with its own write and sync; then as many as wait, in groups. */
function benchWriter(directory: string, size: Size, epochs: number, segmentBytes: number): BenchFigure[] {
  const source = createSource(size.bytes);
  const recovered = recoverSpool(nodeStorage, directory, segmentBytes);
  const writer = new SpoolWriter({
    storage: nodeStorage,
    directory,
    markFile: path.join(directory, MARK_NAME),
    segmentBytes,
    spoolBytesMax: 64 * segmentBytes,
    sparesMax: 4,
    recovered,
    fromEpoch: positionOf(1),
    control: new Int32Array(controlBuffer()),
    lanes: [openLane(source.laneBuffer)],
    ingressCount: 1,
    now: () => performance.now(),
    log: () => {},
  });
  while (writer.nextChoreMs() < Infinity) writer.work();
  const times: number[] = [];
  let epoch = 1;
  for (; epoch <= epochs; epoch++) {
    seal(source, epoch);
    const begun = performance.now();
    writer.commitWaiting();
    times.push(performance.now() - begun);
  }
  let groupedMs = 0;
  const groupsBefore = writer.takeFigures().groups;
  while (epoch <= 2 * epochs) {
    while (epoch <= 2 * epochs && seal(source, epoch)) epoch++;
    const begun = performance.now();
    while (writer.commitWaiting() > 0);
    groupedMs += performance.now() - begun;
  }
  const groups = writer.takeFigures().groups - groupsBefore;
  writer.close();
  const read = readBack(directory, 2 * epochs);
  times.sort((left, right) => left - right);
  const aloneMs = times.reduce((sum, value) => sum + value, 0);
  const rate = (ms: number): number => (epochs * size.bytes) / MEGABYTE / (ms / 1000);
  const parameters = { epochBytes: size.bytes, epochs, segmentBytes, epochsPerGroup: Math.round(epochs / groups) };
  const figure = (name: string, unit: string, value: number): BenchFigure => ({
    name: `${size.name} ${name}`,
    unit,
    value,
    checksum: read.checksum,
    parameters,
  });
  return [
    figure('commit alone p50', 'ms', quantile(times, 0.5)),
    figure('commit alone p99', 'ms', quantile(times, 0.99)),
    figure('commits alone', 'MB/s', rate(aloneMs)),
    figure('group commits', 'MB/s', rate(groupedMs)),
    figure('read back', 'MB/s', 2 * rate(read.ms)),
  ];
}

function readBack(directory: string, through: number): { ms: number; checksum: string } {
  const reader = openSpoolReader(nodeStorage, directory);
  const begun = performance.now();
  let crc = 0;
  let epochs = 0;
  for (const found of reader.through(positionOf(through))) {
    for (const block of found.blocks) crc = (crc + block[block.length - 1] + block.length) >>> 0;
    epochs++;
  }
  const ms = performance.now() - begun;
  reader.close();
  return { ms, checksum: crc32(`${epochs} ${crc}`).toString(16) };
}

/** Seal, ring, wait for the bell: what an answer waits for, thread to thread. */
async function benchThread(directory: string, epochs: number, segmentBytes: number): Promise<BenchFigure[]> {
  const source = createSource(4096);
  const buffer = controlBuffer();
  const control = new Int32Array(buffer);
  const failures: Error[] = [];
  const spool = startSpool({
    controlBuffer: buffer,
    headLane: createLane(4096),
    laneBuffers: [source.laneBuffer],
    ingressCount: 1,
    directory,
    markFile: path.join(directory, MARK_NAME),
    segmentBytes,
    spoolBytesMax: 64 * segmentBytes,
    recovered: recoverSpool(nodeStorage, directory, segmentBytes),
    fromEpoch: positionOf(1),
    log: () => {},
    onFailure: (error) => failures.push(error),
  });
  await spool.ready;
  const times: number[] = [];
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const begun = performance.now();
    seal(source, epoch);
    ring(control, SPOOL_BELL);
    waitForEpoch(control, epoch);
    times.push(performance.now() - begun);
  }
  await spool.stop();
  const { checksum } = readBack(directory, epochs);
  times.sort((left, right) => left - right);
  const parameters = { epochBytes: 4096, epochs, segmentBytes };
  const figure = (name: string, value: number): BenchFigure => ({ name, unit: 'ms', value, checksum, parameters });
  return [
    figure('thread round trip 4kB p50', quantile(times, 0.5)),
    figure('thread round trip 4kB p99', quantile(times, 0.99)),
    figure('thread round trip 4kB max', times[times.length - 1]),
  ];
}

function waitForEpoch(control: Int32Array, epoch: number): void {
  while (Atomics.load(control, DURABLE_LOW) !== epoch) {
    const ticket = prepareSleep(control, DURABLE_BELL);
    if (Atomics.load(control, DURABLE_LOW) === epoch) cancelSleep(control, DURABLE_BELL);
    else sleep(control, DURABLE_BELL, ticket, 100);
  }
}

export const bench: Bench = {
  name: 'spool',
  async run({ tiny }) {
    const segmentBytes = tiny ? 8 << 20 : 128 << 20;
    const figures: BenchFigure[] = [];
    const inFolder = async (run: (directory: string) => BenchFigure[] | Promise<BenchFigure[]>): Promise<void> => {
      const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'spool-bench-'));
      figures.push(...(await run(directory)));
      fs.rmSync(directory, { recursive: true });
    };
    for (const size of SIZES) {
      await inFolder((directory) => benchWriter(directory, size, tiny ? size.epochsTiny : size.epochs, segmentBytes));
    }
    await inFolder((directory) => benchThread(directory, tiny ? 50 : 5000, segmentBytes));
    return figures;
  },
};
