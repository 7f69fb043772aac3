/**
 * Takes what is still good out of a damaged log: chooses the epochs that go on, moves all other files aside, and leaves a
 * log that a start finds whole. Deletes nothing. Main thread; called by src/recovery/accept-loss.ts, where an operator has
 * said so.
 */

import path from 'node:path';

import { MAGIC_SEGMENT, createRecord, RECORD_BYTES_MAX } from '../../native-free-core/layout/epoch-commit-record.ts';
import type { Totals } from '../../native-free-core/layout/log-totals.ts';
import { after, before, positionOf, written, type Position } from '../contract/event-log.ts';
import { openMark } from './durable-mark.ts';
import { encodeRecord } from './epoch-record.ts';
import type { InspectedSegment, SpoolInspection } from './inspect.ts';
import { slotPath } from './segment-pool.ts';
import type { Storage, StorageFile } from './storage.ts';

/** Epochs that follow one another without a gap, and the segments that hold them. */
export interface WholeRun {
  readonly firstEpoch: Position;
  lastEpoch: Position;
  readonly segments: InspectedSegment[];
}

/** What the log is to hold afterwards. */
export interface Salvage {
  /** Its segments stay; null: none does, and the log begins anew behind `lastEpoch`. */
  readonly run: WholeRun | null;
  readonly lastEpoch: Position;
  readonly totals: Totals;
  readonly folderId: number;
  /** Of the mark. */
  readonly receivedAt: number;
  readonly segmentBytes: number;
}

const COPY_BYTES = 4 << 20;

export function wholeRuns({ segments, folderId }: SpoolInspection): WholeRun[] {
  const runs: WholeRun[] = [];
  for (const segment of segments) {
    const { header, scan } = segment;
    const { firstEpoch, sequence } = header.info;
    if (scan.folderId !== 0 && folderId !== 0 && scan.folderId !== folderId) continue;
    const run = runs.at(-1);
    const last = run?.segments.at(-1);
    if (last?.header.info.sequence === sequence) {
      // Twice the same: the one that holds more.
      if (last.scan.lastEpoch >= scan.lastEpoch) continue;
      run!.segments.pop();
      run!.lastEpoch = before(positionOf(firstEpoch));
    }
    const follows = run !== undefined && after(run.lastEpoch) === positionOf(firstEpoch);
    if (follows && (last === undefined || last.header.info.sequence + 1 >= sequence)) {
      run.segments.push(segment);
      run.lastEpoch = positionOf(scan.lastEpoch);
    } else
      runs.push({ firstEpoch: positionOf(firstEpoch), lastEpoch: positionOf(scan.lastEpoch), segments: [segment] });
  }
  return runs;
}

/** Moves the files of `directory` whose names pass into `aside`, which is made where it is needed. */
export function moveAside(storage: Storage, directory: string, aside: string, picks: (name: string) => boolean): void {
  const names = storage.list(directory).filter(picks);
  if (names.length === 0) return;
  storage.makeDirectory(aside);
  for (const name of names) storage.rename(path.join(directory, name), path.join(aside, name));
  storage.fsyncDirectory(aside);
  storage.fsyncDirectory(directory);
}

/** The last segment that stays is copied as far as it is whole: what stands behind that would be found missing again. */
export function salvageSpool(
  storage: Storage,
  directory: string,
  aside: string,
  inspection: SpoolInspection,
  salvage: Salvage,
): void {
  const { run } = salvage;
  const slot = inspection.slotMax + 1;
  const last = run?.segments.at(-1);
  if (last === undefined) beginSegment(storage, slotPath(directory, slot), inspection, salvage);
  else copySegment(storage, directory, slot, last);
  storage.fsyncDirectory(directory);
  const stay = new Set([slot, ...(run?.segments.slice(0, -1) ?? []).map(({ header }) => header.info.slot)]);
  for (const spare of inspection.spareSlots) if (!inspection.doubtfulSlots.includes(spare)) stay.add(spare);
  const names = new Set([...stay].map((one) => path.basename(slotPath(directory, one))));
  moveAside(storage, directory, aside, (name) => !names.has(name));
}

/** From now on this is what must be there. */
export function promiseAnew(
  storage: Storage,
  markFile: string,
  { folderId, lastEpoch, totals, receivedAt }: Salvage,
): void {
  openMark(storage, markFile, { folderId, epoch: written(lastEpoch), totals, receivedAt }).close();
}

function copySegment(storage: Storage, directory: string, slot: number, { header, scan }: InspectedSegment): void {
  const from = storage.open(slotPath(directory, header.info.slot));
  const to = storage.create(slotPath(directory, slot));
  const bytes = new Uint8Array(COPY_BYTES);
  for (let at = 0; at < scan.position; at += bytes.length) {
    const length = Math.min(bytes.length, scan.position - at);
    from.read(bytes, 0, length, at);
    to.writev([bytes.subarray(0, length)], at);
  }
  from.close();
  fillWithZeros(to, scan.position, header.info.bytes);
}

function beginSegment(storage: Storage, file: string, { segments }: SpoolInspection, salvage: Salvage): void {
  const record = createRecord();
  const last = segments.at(-1);
  record.magic = MAGIC_SEGMENT;
  record.segmentSequence = (last?.header.info.sequence ?? 0) + 1;
  record.run = (last?.scan.run ?? 0) + 1;
  record.epoch = written(salvage.lastEpoch);
  record.durableEpoch = record.epoch;
  record.bodyBytes = salvage.segmentBytes;
  record.bodyCrc = salvage.folderId;
  Object.assign(record.totals, salvage.totals);
  const bytes = new Uint8Array(RECORD_BYTES_MAX);
  const length = encodeRecord(bytes, new DataView(bytes.buffer), 0, record);
  const to = storage.create(file);
  to.writev([bytes.subarray(0, length)], 0);
  fillWithZeros(to, length, salvage.segmentBytes);
}

function fillWithZeros(file: StorageFile, from: number, to: number): void {
  const zeros = new Uint8Array(COPY_BYTES);
  for (let at = from; at < to; at += zeros.length)
    file.writev([zeros.subarray(0, Math.min(zeros.length, to - at))], at);
  file.fdatasync();
  file.close();
}
