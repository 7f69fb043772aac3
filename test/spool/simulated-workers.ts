/**
 * Stands in for the decision workers: seals blocks whose bytes follow from (epoch, worker), and puts them into lanes.
 * So whoever reads an epoch back can tell whether it is whole, without having kept it.
 */

import { BLOCK_HEADER_BYTES, writeSealedHeader, type BlockHeader } from '../../native-free-core/layout/block-layout.ts';
import { CONTROL_VERSION, CONTROL_WORDS, DURABLE_LOW } from '../../native-free-core/layout/control-layout.ts';
import {
  FRAME_ENTRY_BYTES,
  FRAME_ENTRY_WORDS,
  createFrameEntry,
  storeFrameEntry,
} from '../../native-free-core/layout/frame-entry.ts';
import { REGION_CONTROL, createRegion } from '../../native-free-core/layout/region.ts';
import { createLane, openLane } from '../../native-free-core/ring/lane.ts';
import type { Lane } from '../../native-free-core/ring/lane.ts';
import { loadWatermark } from '../../native-free-core/ring/watermark.ts';
import { putBlock } from '../put-block.ts';
import { seededRandom } from './lossy-storage.ts';
import type { Random } from './lossy-storage.ts';

const FRAMES = 1;
const NOTHING: BlockHeader = {
  bytes: 0,
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
};

export function createControl(): SharedArrayBuffer {
  return createRegion(REGION_CONTROL, CONTROL_VERSION, CONTROL_WORDS * 4 - 64);
}

export function durableEpoch(control: Int32Array): number {
  return loadWatermark(control, DURABLE_LOW);
}

/** The block that this worker seals in this epoch: `bytes` long, from the block header's 64 + one frame entry on. */
export function sealedBlock(epoch: number, worker: number, bytes: number): Uint8Array {
  const block = new Uint8Array(bytes);
  const random = seededRandom(epoch * 31 + worker);
  for (let at = BLOCK_HEADER_BYTES + FRAME_ENTRY_BYTES; at < bytes; at++) block[at] = random() * 256;
  const view = new DataView(block.buffer);
  writeSealedHeader(view, 0, {
    ...NOTHING,
    bytes,
    pipelineNumber: 7,
    rows: epoch % 10,
    frames: FRAMES,
    framesAt: BLOCK_HEADER_BYTES,
  });
  const entry = { ...createFrameEntry(), received: (epoch % 10) + 3, duplicates: 2, dead: 1 };
  storeFrameEntry(new Uint32Array(block.buffer, BLOCK_HEADER_BYTES, FRAME_ENTRY_WORDS), 0, entry);
  return block;
}

/** A size between `bytesMin` and `bytesMax` that follows from (epoch, worker) too. */
export function blockBytes(epoch: number, worker: number, bytesMin: number, bytesMax: number): number {
  return bytesMin + Math.floor(seededRandom(epoch * 7919 + worker)() * (bytesMax - bytesMin + 1));
}

export interface SimulatedWorkers {
  readonly lanes: readonly Lane[];
  readonly buffers: readonly SharedArrayBuffer[];
  /** The next epoch that will be sealed. */
  epoch: number;
  /** Seals one epoch; false where a lane is full (what went into the others stays, and is finished by the next call). */
  seal(): boolean;
}

export interface SimulatedWorkersOptions {
  readonly workers: number;
  readonly laneBytes: number;
  readonly fromEpoch: number;
  readonly bytesMin: number;
  readonly bytesMax: number;
  /** Given: an epoch may lack some of the workers. */
  readonly random?: Random;
}

export function participantsOf(epoch: number, workers: number, random: boolean): number[] {
  const all = Array.from({ length: workers }, (_, worker) => worker);
  if (!random || workers === 1) return all;
  const some = all.filter((worker) => seededRandom(epoch * 104729 + worker)() < 0.7);
  return some.length === 0 ? [epoch % workers] : some;
}

export function simulateWorkers(options: SimulatedWorkersOptions): SimulatedWorkers {
  const { workers, laneBytes, bytesMin, bytesMax } = options;
  const buffers = Array.from({ length: workers }, () => createLane(laneBytes));
  const producers = buffers.map(openLane);
  let done = 0;
  const simulated: SimulatedWorkers = {
    lanes: buffers.map(openLane),
    buffers,
    epoch: options.fromEpoch,
    seal() {
      const participants = participantsOf(simulated.epoch, workers, options.random !== undefined);
      for (; done < participants.length; done++) {
        const worker = participants[done];
        const block = sealedBlock(simulated.epoch, worker, blockBytes(simulated.epoch, worker, bytesMin, bytesMax));
        const lane = producers[worker];
        if (!putBlock(lane, block, simulated.epoch, participants.length, worker)) return false;
      }
      done = 0;
      simulated.epoch++;
      return true;
    },
  };
  return simulated;
}
