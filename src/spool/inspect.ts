/**
 * Looks at everything that a former process left in the log, changes nothing, and says what is whole and what is missing.
 * Called by recover-spool.ts at start, and by salvage.ts where a loss is accepted. Main thread.
 *
 * What must be there is known from more than the log itself: the durable mark (durable-mark.ts), the batch log and the
 * snapshots say which epochs had been fsynced; segments are numbered without a gap, have a fixed size, and each begins with
 * the epoch behind the last one of the segment before. What is torn beyond all that is a group whose fsync never returned:
 * it is cut, and no damage.
 */

import { zeroTotals, type Totals } from '../../native-free-core/layout/log-totals.ts';
import { positionOf, written, type Position } from '../contract/event-log.ts';
import { readMark } from './durable-mark.ts';
import type { FoundMark } from './durable-mark.ts';
import { segmentSlotOf, slotPath } from './segment-pool.ts';
import { beginsWithZeros, durableInside, readHeader, readRest, scanSegment } from './segment-scan.ts';
import type { SegmentHeader, SegmentScan } from './segment-scan.ts';
import type { Storage } from './storage.ts';

export interface SpoolExpectation {
  /** Where the durable mark lies; without it the log alone is looked at. */
  readonly markFile?: string;
  /** What the folder's other files say its number is; 0 or nothing: they do not know. */
  readonly folderId?: number;
  /** What else says which epoch had been durable. */
  readonly promised: readonly { readonly epoch: Position; readonly by: string }[];
  /** ClickHouse has all epochs up to this one. */
  readonly storedEpoch: Position;
  /** The first epoch that is still needed: earlier ones are in ClickHouse and in a snapshot. */
  readonly neededFrom: Position;
  /** Segments with epochs from this one on are read whole, of earlier ones the commit records alone. */
  readonly verifiedFrom: Position;
}

export interface SpoolDamage {
  /** In words, with the file. */
  readonly what: string;
  /** Missing by it; the last is below the first where nothing is. */
  readonly firstEpoch: number;
  readonly lastEpoch: number;
  /** Events that clients sent in these epochs; null: not known. */
  readonly events: number | null;
}

export interface InspectedSegment {
  readonly header: SegmentHeader;
  readonly scan: SegmentScan;
  /** Of the file, in bytes. */
  readonly size: number;
}

export interface SpoolInspection {
  /** Oldest first. */
  readonly segments: readonly InspectedSegment[];
  readonly damages: readonly SpoolDamage[];
  readonly mark: FoundMark;
  /** 0: none is known. */
  readonly folderId: number;
  /** The last epoch that is known to have been durable, whole or not. */
  readonly durableEpoch: Position;
  readonly cutBytes: number;
  /** Files without a header: of the size of a segment, and others. */
  readonly spareSlots: readonly number[];
  readonly unusedSlots: readonly number[];
  /** Those of them that hold something. */
  readonly doubtfulSlots: readonly number[];
  readonly slotMax: number;
}

/** `segmentBytes`: size of the segments to come. */
export function inspectSpool(
  storage: Storage,
  directory: string,
  segmentBytes: number,
  expected: SpoolExpectation,
): SpoolInspection {
  const files = listFiles(storage, directory, segmentBytes);
  const mark = expected.markFile === undefined ? 'missing' : readMark(storage, expected.markFile);
  const segments = files.headers.map(({ header, size }, index): InspectedSegment => {
    const next = files.headers[index + 1]?.header;
    const bodies = next === undefined || next.info.firstEpoch > written(expected.verifiedFrom);
    const file = storage.open(slotPath(directory, header.info.slot));
    const scan = scanSegment(file, header, bodies);
    file.close();
    return { header, size, scan };
  });
  const tail = inspectTail(storage, directory, segments, files.doubtfulSlots);
  const markEpoch = typeof mark === 'string' ? 0 : mark.mark.epoch;
  const promised = expected.promised.reduce((highest, { epoch }) => Math.max(highest, written(epoch)), 0);
  const durableEpoch = positionOf(Math.max(tail.durableEpoch, markEpoch, promised));
  const inspection = {
    segments,
    mark,
    durableEpoch,
    cutBytes: tail.cutBytes,
    folderId: folderIdOf(segments, mark),
  };
  const damages = findDamages(directory, expected, { ...inspection, ...files });
  return { ...inspection, ...files, damages };
}

interface Files {
  readonly headers: readonly { readonly header: SegmentHeader; readonly size: number }[];
  readonly spareSlots: readonly number[];
  readonly unusedSlots: readonly number[];
  readonly doubtfulSlots: readonly number[];
  readonly slotMax: number;
}

function listFiles(storage: Storage, directory: string, segmentBytes: number): Files {
  const headers: { header: SegmentHeader; size: number }[] = [];
  const [spareSlots, unusedSlots, doubtfulSlots]: [number[], number[], number[]] = [[], [], []];
  let slotMax = 0;
  for (const name of storage.list(directory)) {
    const slot = segmentSlotOf(name);
    if (slot < 0) continue;
    slotMax = Math.max(slotMax, slot);
    const file = storage.open(slotPath(directory, slot));
    const header = readHeader(file, slot);
    const size = file.size();
    if (header === null && !beginsWithZeros(file)) doubtfulSlots.push(slot);
    file.close();
    if (header !== null) headers.push({ header, size });
    else if (size === segmentBytes) spareSlots.push(slot);
    else unusedSlots.push(slot);
  }
  headers.sort(({ header: a }, { header: b }) => a.info.sequence - b.info.sequence || a.info.slot - b.info.slot);
  return { headers, spareSlots, unusedSlots, doubtfulSlots, slotMax };
}

/** What stands behind the last whole epoch, in the last segment and in files whose header is gone. */
function inspectTail(
  storage: Storage,
  directory: string,
  segments: readonly InspectedSegment[],
  doubtful: readonly number[],
): { readonly durableEpoch: number; readonly cutBytes: number } {
  const last = segments.at(-1);
  const lastEpoch = last?.scan.lastEpoch ?? 0;
  let durableEpoch = lastEpoch;
  let cutBytes = 0;
  if (last !== undefined) {
    const file = storage.open(slotPath(directory, last.header.info.slot));
    const rest = readRest(file, last.header.info, last.scan);
    file.close();
    durableEpoch = Math.max(durableEpoch, rest.durableEpoch);
    cutBytes = rest.cutBytes;
  }
  for (const slot of doubtful) {
    const file = storage.open(slotPath(directory, slot));
    durableEpoch = Math.max(durableEpoch, durableInside(file, last?.header.info.sequence ?? 0, lastEpoch));
    file.close();
  }
  return { durableEpoch, cutBytes };
}

/** Of the newest segment that has one, since an older log got its own with a later run. */
function folderIdOf(segments: readonly InspectedSegment[], mark: FoundMark): number {
  if (typeof mark !== 'string') return mark.mark.folderId;
  return segments.findLast(({ scan }) => scan.folderId !== 0)?.scan.folderId ?? 0;
}

type Found = Omit<SpoolInspection, 'damages'>;

function findDamages(directory: string, expected: SpoolExpectation, found: Found): SpoolDamage[] {
  const { segments, mark } = found;
  const damages: SpoolDamage[] = [];
  if (expected.markFile !== undefined && typeof mark === 'string' && (mark === 'damaged' || found.folderId !== 0)) {
    const what = `${expected.markFile} is ${mark}, so nothing says whether the end of the spool is there`;
    damages.push({ what, firstEpoch: 1, lastEpoch: 0, events: null });
  }
  const first = segments[0]?.header;
  const neededFrom = written(expected.neededFrom);
  if (first !== undefined && first.info.firstEpoch > neededFrom) {
    const what = `the first segments in ${directory} are missing`;
    damages.push({ what, firstEpoch: neededFrom, lastEpoch: first.info.firstEpoch - 1, events: null });
  }
  segments.forEach((segment, index) => {
    damages.push(...damagesOf(directory, segment, segments[index + 1], found));
  });
  const durableEpoch = written(found.durableEpoch);
  if (segments.length === 0 && durableEpoch > 0) {
    const what = `${directory} holds no segment with events, and epochs up to ${durableEpoch} were there${suspects(directory, found)}`;
    const firstEpoch = Math.min(neededFrom, durableEpoch + 1);
    damages.push({ what, firstEpoch, lastEpoch: durableEpoch, events: null });
  }
  return damages;
}

function damagesOf(
  directory: string,
  { header, scan, size }: InspectedSegment,
  next: InspectedSegment | undefined,
  found: Found,
): SpoolDamage[] {
  const { info } = header;
  const file = slotPath(directory, info.slot);
  const damages: SpoolDamage[] = [];
  const add = (what: string, firstEpoch = 1, lastEpoch = 0, events: number | null = 0): void =>
    void damages.push({ what, firstEpoch, lastEpoch, events });
  if (scan.folderId !== 0 && found.folderId !== 0 && scan.folderId !== found.folderId)
    add(`${file} belongs to another data folder`, info.firstEpoch, scan.lastEpoch, null);
  const isSized = size === info.bytes;
  const begun = next === undefined ? written(found.durableEpoch) : next.header.info.firstEpoch - 1;
  const events = eventsBehind(scan.totals, next?.header.totals ?? markTotals(found, begun));
  const isMissing = scan.lastEpoch < begun;
  if (!isSized) {
    const what = `${file} is ${size} bytes long and not ${info.bytes}`;
    if (isMissing) add(what, scan.lastEpoch + 1, begun, events);
    else add(what);
  }
  if (next !== undefined && next.header.info.sequence !== info.sequence + 1) {
    const what =
      next.header.info.sequence === info.sequence
        ? `${file} and ${slotPath(directory, next.header.info.slot)} are the same segment twice: one is a copy`
        : `between ${file} and ${slotPath(directory, next.header.info.slot)} ${next.header.info.sequence - info.sequence - 1} segment(s) are missing${suspects(directory, found)}`;
    if (isMissing && isSized) add(what, scan.lastEpoch + 1, begun, events);
    else add(what);
  } else if (isMissing && isSized) {
    const where = next === undefined ? suspects(directory, found) : '';
    add(`${file} breaks off at byte ${scan.position}${where}`, scan.lastEpoch + 1, begun, events);
  }
  return damages;
}

/** Where the mark speaks of that very epoch, its sums are the ones that are missing. */
function markTotals({ mark }: Found, epoch: number): Totals | null {
  return typeof mark !== 'string' && mark.mark.epoch === epoch ? mark.mark.totals : null;
}

function eventsBehind(before: Totals, after: Totals | null): number | null {
  return after === null || after.received < before.received ? null : after.received - before.received;
}

/** Files that may have been the missing ones. */
function suspects(directory: string, { doubtfulSlots, unusedSlots }: Found): string {
  const slots = [...new Set([...doubtfulSlots, ...unusedSlots])];
  if (slots.length === 0) return '';
  return ` (without a header: ${slots.map((slot) => slotPath(directory, slot)).join(', ')})`;
}

export function totalsThrough(segments: readonly InspectedSegment[]): Totals {
  return segments.at(-1)?.scan.totals ?? zeroTotals();
}

export function describeDamage({ what, firstEpoch, lastEpoch }: SpoolDamage): string {
  return firstEpoch > lastEpoch ? what : `${what}: epochs ${firstEpoch}-${lastEpoch}`;
}
