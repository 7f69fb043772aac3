/**
 * The thread that gives new features their history: first the rows that ClickHouse has, then the epochs that are in the
 * spool, as they become durable, until the workers change. State is a function of an entity's stored rows in (life, seq)
 * order, so what comes out is what the features would hold had they been there from the first event. Started by backfill.ts.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { isMainThread, parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { createSideReplayer } from '../../native-free-core/decide/side-replay.ts';
import { after, countBetween, earlier, LAST, reaches, written } from '../contract/event-log.ts';
import type { BackfillTask, FromBackfill, ToBackfill } from './backfill.ts';
import { yieldToOthers } from '../system/thread-priority.ts';
import { attachSpoolLog } from '../spool/spool-log.ts';
import { fillFromRows } from '../warehouse/rows/index.ts';
import { openTables } from '../workers/open-tables.ts';

/** So many epochs behind the durable one are caught up with in no time. */
const CLOSE_EPOCHS = 20;
const LOOK_MS = 1;

async function runBackfill(task: BackfillTask, port: MessagePort): Promise<void> {
  const { from, to, change, memory, side, throughEpoch, spool, logNumber, clickhouse } = task;
  const post = (message: FromBackfill): void => port.postMessage(message);
  // Until it is said, none.
  let wanted = LAST;
  port.on('message', ({ epoch }: ToBackfill) => (wanted = epoch));
  const tables = openTables(side);
  const living = openTables(memory);
  const onProgress = (rows: number, total: number): void => post({ kind: 'progress', rows, total });
  await fillFromRows({ clickhouse, logNumber, plan: to, change, tables, living, throughEpoch, onProgress });

  const replayer = createSideReplayer(from, to, change, tables);
  const log = attachSpoolLog(spool, memory.control);
  const reader = log.read();
  reader.seek(after(throughEpoch));
  let applied = throughEpoch;
  let isClose = false;
  for (;;) {
    const through = earlier(log.durable(), wanted);
    for (let found = reader.next(through); found !== null; found = reader.next(through)) {
      replayer.replay(found.blocks, written(found.epoch));
      applied = found.epoch;
      // A message is only heard between two turns.
      if ((written(applied) & 15) === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    if (!isClose && countBetween(applied, log.durable()) <= CLOSE_EPOCHS) {
      isClose = true;
      post({ kind: 'caught-up' });
    }
    if (reaches(applied, wanted)) break;
    await pause(LOOK_MS);
  }
  reader.close();
  post({ kind: 'reached', epoch: wanted });
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  yieldToOthers();
  runBackfill(workerData as BackfillTask, port).catch((error: unknown) =>
    setImmediate(() => {
      throw error;
    }),
  );
}
