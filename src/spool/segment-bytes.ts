/**
 * How large a segment must be and may be. Called by the spool writer on its thread, by spool.ts and
 * engine/start.ts on the main thread.
 */

import { laneRecordBytesMax, openLane } from '../../native-free-core/ring/lane.ts';
import { RECORD_BYTES, RECORD_BYTES_MAX } from '../../native-free-core/layout/epoch-commit-record.ts';
import { OperatingError } from '../errors.ts';
import { paddedBytes } from './epoch-record.ts';

export interface SpoolSizes {
  readonly segmentBytes: number;
  readonly spoolBytesMax: number;
}

export const SEGMENT_BYTES_DEFAULT = 256 << 20;
const MEBIBYTE = 2 ** 20;
const SEGMENT_ALIGNMENT = 4096;
const SEGMENT_BYTES_MAX = 2 ** 30;

/** The smallest segment that holds the largest epoch the lanes can bring. */
export function segmentBytesMin(laneBuffers: readonly SharedArrayBuffer[]): number {
  return smallestSegment(laneBuffers.map((buffer) => openLane(buffer).capacity));
}

/** The same, by the capacity of each lane in bytes. */
function smallestSegment(capacities: readonly number[]): number {
  let bytes = RECORD_BYTES + RECORD_BYTES_MAX;
  for (const capacity of capacities) bytes += paddedBytes(laneRecordBytesMax(capacity));
  return Math.ceil(bytes / SEGMENT_ALIGNMENT) * SEGMENT_ALIGNMENT;
}

/** Where nobody has said how large: a quarter of the spool, within what is of use. */
function chooseSegmentBytes(spoolBytesMax: number, bytesMin: number): number {
  const wanted = Math.min(SEGMENT_BYTES_DEFAULT, Math.floor(spoolBytesMax / 4 / MEBIBYTE) * MEBIBYTE);
  return Math.max(wanted, Math.ceil(bytesMin / MEBIBYTE) * MEBIBYTE);
}

/** As wanted, or chosen; checked before anything is started. `laneBytes`: of each worker's lane of blocks. */
export function settleSegmentBytes(
  { segmentBytes, spoolBytesMax }: { readonly segmentBytes?: number; readonly spoolBytesMax: number },
  laneBytes: readonly number[],
): number {
  const bytesMin = smallestSegment(laneBytes);
  const settled = segmentBytes ?? chooseSegmentBytes(spoolBytesMax, bytesMin);
  checkSizes({ segmentBytes: settled, spoolBytesMax }, bytesMin);
  return settled;
}

/** Throws where the log could not work with these sizes. */
export function checkSizes({ segmentBytes, spoolBytesMax }: SpoolSizes, bytesMin: number): void {
  if (segmentBytes % SEGMENT_ALIGNMENT !== 0 || segmentBytes > SEGMENT_BYTES_MAX || segmentBytes < bytesMin) {
    throw new OperatingError(
      'spool_segment_bytes',
      `a segment of the spool cannot hold the largest epoch that so many workers can bring: spool-segment=${mebibytes(segmentBytes)} needed=${mebibytes(bytesMin)} (MiB); ` +
        `choose --spool-segment from that to ${mebibytes(SEGMENT_BYTES_MAX)}, or fewer --workers`,
    );
  }
  if (spoolBytesMax < 2 * segmentBytes) {
    throw new OperatingError(
      'spool_bytes_max',
      `the spool's limit is too low: spool-max=${mebibytes(spoolBytesMax)} spool-segment=${mebibytes(segmentBytes)} (MiB); allow at least two segments`,
    );
  }
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / MEBIBYTE);
}
