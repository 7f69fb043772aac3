/**
 * The log of the single server, kept by the spool (contract/event-log.ts says what a log is). A start recovers the folder
 * first, reads from it what its tables lack, and lets it grow once shared memory is there. Made by engine/recovered.ts on
 * the main thread; other threads attach to its folder.
 */

import { DURABLE_LOW } from '../../native-free-core/layout/control-layout.ts';
import { openLane, type Lane } from '../../native-free-core/ring/lane.ts';
import { loadWatermark } from '../../native-free-core/ring/watermark.ts';
import { after, isBefore, positionOf, type EventLog, type Position, type ReadableLog } from '../contract/event-log.ts';
import { HeadReader } from './head-reader.ts';
import { openSpoolReader } from './reader.ts';
import type { RecoveredSpool } from './recover-spool.ts';
import { startSpool, type Spool } from './spool.ts';
import type { SpoolLog } from './spool-writer.ts';
import { nodeStorage } from './storage.ts';

export interface SpoolLogOptions {
  /** Its segments lie here; it may be read from there at any time. */
  readonly directory: string;
  readonly markFile: string;
  readonly segmentBytes: number;
  readonly spoolBytesMax?: number;
  /** What a former process left in the folder. */
  readonly recovered: RecoveredSpool;
  readonly log: SpoolLog;
}

/** Whoever waits for a position on the main thread looks again so often, ms. */
const LOOK_MS = 5;

export function openSpoolLog({ recovered, ...options }: SpoolLogOptions): EventLog {
  const { folderId, firstEpoch, lastEpoch } = recovered;
  let readable: Pick<ReadableLog, 'durable'> = { durable: () => lastEpoch };
  let spool: Spool | null = null;
  let heads: Lane | null = null;
  const read: EventLog['read'] = (how) => openSpoolReader(nodeStorage, options.directory, how);
  return {
    number: folderId,
    first: firstEpoch,
    last: lastEpoch,
    durable: () => readable.durable(),
    read,
    readHeads: () => (heads === null ? read() : new HeadReader(heads, read())),
    async append({ control, blockLanes, headLane, ingresses }, onFailure) {
      readable = attachSpoolLog(options.directory, control);
      heads = openLane(headLane);
      spool = startSpool({
        ...options,
        controlBuffer: control,
        laneBuffers: blockLanes,
        headLane,
        ingressCount: ingresses,
        recovered,
        fromEpoch: after(lastEpoch),
        onFailure,
      });
      await spool.ready;
    },
    async whenDurable(position: Position) {
      while (isBefore(readable.durable(), position)) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    },
    trim: (below) => spool?.trim(below),
    figures: () => spool?.figures() ?? null,
    stop: async () => void (await spool?.stop()),
  };
}

/** For a thread that only reads it. `control`: the region that the spool thread publishes in. */
export function attachSpoolLog(directory: string, control: SharedArrayBuffer): ReadableLog {
  const words = new Int32Array(control);
  return {
    durable: () => positionOf(loadWatermark(words, DURABLE_LOW)),
    read: (how) => openSpoolReader(nodeStorage, directory, how),
  };
}
