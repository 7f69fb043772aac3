/** How large a segment must be and may be. Called by the spool writer on its thread, and by spool.ts on the main thread. */

import { laneRecordBytesMax, openLane } from '../../native-free-core/ring/lane.ts';
import type { Lane } from '../../native-free-core/ring/lane.ts';
import { OperatingError } from '../errors.ts';
import { RECORD_BYTES, RECORD_BYTES_MAX, paddedBytes } from './epoch-record.ts';

export interface SpoolSizes {
  readonly segmentBytes: number;
  readonly spoolBytesMax: number;
  readonly lanes: readonly Lane[];
}

const SEGMENT_ALIGNMENT = 4096;
const SEGMENT_BYTES_MAX = 2 ** 30;

/** The smallest segment that holds the largest epoch the lanes can bring. */
export function segmentBytesMin(laneBuffers: readonly SharedArrayBuffer[]): number {
  let bytes = RECORD_BYTES + RECORD_BYTES_MAX;
  for (const buffer of laneBuffers) bytes += paddedBytes(laneRecordBytesMax(openLane(buffer).capacity));
  return Math.ceil(bytes / SEGMENT_ALIGNMENT) * SEGMENT_ALIGNMENT;
}

/** Throws where the log could not work with these sizes. */
export function checkSizes(options: SpoolSizes): void {
  const { segmentBytes, spoolBytesMax } = options;
  const bytesMin = segmentBytesMin(options.lanes.map((lane) => lane.buffer));
  if (segmentBytes % SEGMENT_ALIGNMENT !== 0 || segmentBytes > SEGMENT_BYTES_MAX || segmentBytes < bytesMin) {
    throw new OperatingError(
      'SPOOL_SEGMENT_BYTES',
      `segments cannot hold the largest epoch: segment_bytes=${segmentBytes} needed=${bytesMin}; ` +
        `choose a multiple of ${SEGMENT_ALIGNMENT} from that up to ${SEGMENT_BYTES_MAX}`,
    );
  }
  if (spoolBytesMax < 2 * segmentBytes) {
    throw new OperatingError(
      'SPOOL_BYTES_MAX',
      `the spool's limit is too low: spool_bytes_max=${spoolBytesMax} segment_bytes=${segmentBytes}; allow at least two segments`,
    );
  }
}
