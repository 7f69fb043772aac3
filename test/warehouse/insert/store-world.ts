/**
 * All that stands before ClickHouse, for tests of the way into it: sealed blocks of made-up rows, a real spool and a real
 * batch log on a folder, and warehouses that come and go on them as processes do.
 */

import { putBlock } from '../../put-block.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { EVENT_MALFORMED } from '../../../native-free-core/base/outcomes.ts';
import { appendDeadLetter, appendFrame } from '../../../native-free-core/columns/block-logs.ts';
import { ENCODING_CODES } from '../../../native-free-core/layout/encoding-codes.ts';
import { FRAME_HAS_SEQ } from '../../../native-free-core/layout/frame-entry.ts';
import { createSeq } from '../../../native-free-core/layout/seq.ts';
import { createLane, openLane } from '../../../native-free-core/ring/lane.ts';
import type { Log } from '../../../src/system/log.ts';
import { openBatchLog, type BatchLog } from '../../../src/warehouse/insert/batch-log.ts';
import { openSpoolReader } from '../../../src/spool/reader.ts';
import { recoverSpool } from '../../../src/spool/recover-spool.ts';
import { SpoolWriter } from '../../../src/spool/spool-writer.ts';
import { nodeStorage } from '../../../src/spool/storage.ts';
import type { ClickHouse } from '../../../src/warehouse/clickhouse.ts';
import { createWarehouse, type Warehouse, type WarehouseOptions } from '../../../src/warehouse/warehouse.ts';
import { createBlockWorld } from '../../columns/block-world.ts';
import { planOf } from '../../columns/plan-builder.ts';
import { utf8 } from '../../columns/write-value.ts';
import { createControl, durableEpoch } from '../../spool/simulated-workers.ts';
import { positionOf, written } from '../../../src/contract/event-log.ts';

export const PLAN = planOf(
  [
    { name: 'id', kind: 'string' },
    { name: 'score', kind: 'u32' },
    { name: 'note', kind: 'string', nullable: true },
    { name: 'assistance', kind: 'code', labels: ['', 'hint', 'continue'] },
    { name: 'assistance_rule', kind: 'code', labels: ['', 'default'] },
  ],
  {
    decisions: [
      {
        name: 'assistance',
        where: null,
        actions: ['hint', 'continue'],
        rules: [],
        default: 2,
        actionColumn: 11,
        ruleColumn: 12,
      },
    ],
  },
);
export const PRODUCER = 'producer-1';
const SEGMENT_BYTES = 1 << 20;
const LANE_BYTES = 1 << 20;

export interface EpochWish {
  readonly rows: number;
  readonly deadLetters?: number;
  readonly receivedAt?: number;
  /** `score` of each row by its place among all rows; default: that place. */
  readonly score?: (row: number) => number;
}

export type StoreWorld = ReturnType<typeof createStoreWorld>;

export function createStoreWorld() {
  const folder = mkdtempSync(join(tmpdir(), 'hunt-store-'));
  const blocks = createBlockWorld(PLAN);
  const lane = openLane(createLane(LANE_BYTES));
  const control = new Int32Array(createControl());
  const log: { level: string; message: string; fields: object }[] = [];
  const recovered = recoverSpool(nodeStorage, join(folder, 'spool'), SEGMENT_BYTES);
  const writer = new SpoolWriter({
    storage: nodeStorage,
    directory: join(folder, 'spool'),
    markFile: join(folder, 'durable.mark'),
    segmentBytes: SEGMENT_BYTES,
    spoolBytesMax: 1 << 30,
    sparesMax: 2,
    recovered,
    fromEpoch: positionOf(1),
    control,
    lanes: [lane],
    ingressCount: 1,
    now: () => performance.now(),
    log: () => undefined,
  });
  const made = { epochs: 0, rows: 0, deadLetters: 0, frames: 0 };
  const ledger = { epoch: 0, epochs: 0 };
  let stored = 0;
  const openLog = (): BatchLog => {
    const batchLog = openBatchLog(nodeStorage, join(folder, 'batches'));
    batchLog.nameLog(recovered.folderId);
    return batchLog;
  };

  return {
    folder,
    logNumber: recovered.folderId,
    made,
    log,
    ledger,
    stored: () => stored,
    durable: () => durableEpoch(control),
    /** One frame of one epoch, durable on return. Event i of all has the id `event-i`. */
    addEpoch({ rows, deadLetters = 0, receivedAt = Date.now(), score = (row) => row }: EpochWish): void {
      const producer = blocks.producer(PRODUCER);
      const seq = ++made.frames;
      const first = made.rows;
      blocks.writeRows(
        Array.from({ length: rows }, (_, r) => ({
          id: `event-${first + r}`,
          score: score(first + r),
          note: r % 3 === 0 ? null : `note ${r}`,
          assistance: 1 + ((first + r) % 2),
          assistance_rule: 1,
          type: 1,
          producer: PRODUCER,
          frame_seq: BigInt(seq),
          frame_index: r,
        })),
      );
      // The world stamps its own arrival; this one is the test's.
      const times = new BigInt64Array(blocks.columns[PLAN.system.receivedAt]!.u8.buffer);
      times.fill(BigInt(receivedAt), 0, rows);
      for (let letter = 0; letter < deadLetters; letter++) {
        const bytes = utf8(`letter-${made.deadLetters + letter}`);
        const entry = {
          producer,
          seq: createSeq(seq),
          index: rows + letter,
          outcome: EVENT_MALFORMED,
          encoding: ENCODING_CODES.protobuf,
        };
        appendDeadLetter(blocks.deadLetters, { ...entry, length: bytes.length, detailLength: 0 }, bytes, 0);
      }
      appendFrame(blocks.frames, {
        producer,
        flags: FRAME_HAS_SEQ,
        seq: createSeq(seq),
        received: rows + deadLetters,
        accepted: rows,
        duplicates: 0,
        dead: deadLetters,
      });
      const block = blocks.seal(rows, receivedAt);
      made.rows += rows;
      made.deadLetters += deadLetters;
      made.epochs++;
      if (!putBlock(lane, block, made.epochs, 1, 0)) throw new Error('the lane is full');
      if (writer.commitWaiting() !== 1) throw new Error('the epoch did not become durable');
    },
    /** A warehouse as a new process would have it. */
    open(clickhouse: ClickHouse, options: Partial<WarehouseOptions> = {}): Warehouse {
      const logTo: Log = (level, message, fields = {}) => log.push({ level, message, fields });
      return createWarehouse({
        clickhouse,
        plan: PLAN,
        batchLog: openLog(),
        openReader: (how) => openSpoolReader(nodeStorage, join(folder, 'spool'), how),
        durableEpoch: () => positionOf(durableEpoch(control)),
        whenDurableMoves: (_beyond, msMax) => pause(Math.min(10, msMax)),
        publishStored: (epoch) => (stored = written(epoch)),
        onEpoch: (position) => {
          const epoch = written(position);
          if (epoch <= ledger.epoch) return;
          if (epoch !== ledger.epoch + 1) throw new Error(`epoch ${epoch} after ${ledger.epoch}`);
          ledger.epoch = epoch;
          ledger.epochs++;
        },
        dictionary: (id) => blocks.textOf(id),
        batchAgeMs: 10,
        log: logTo,
        ...options,
      });
    },
    close(): void {
      writer.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
