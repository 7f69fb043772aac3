/**
 * The thread that gives new features their history: first the rows that ClickHouse has, then the epochs that are in the
 * spool, as they become durable, until the workers change. State is a function of an entity's stored rows in (life, seq)
 * order, so what comes out is what the features would hold had they been there from the first event. Started by backfill.ts.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { isMainThread, parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { createSideReplayer } from '../../native-free-core/decide/side-replay.ts';
import { after, earlier, LAST } from '../contract/log.ts';
import type { BackfillTask, FromBackfill, ToBackfill } from './backfill.ts';
import { controlWords } from '../memory/control-words.ts';
import { yieldToOthers } from '../system/thread-priority.ts';
import { openSpoolReader } from '../spool/reader.ts';
import { nodeStorage } from '../spool/storage.ts';
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
  const reader = openSpoolReader(nodeStorage, spool);
  reader.seek(after(throughEpoch));
  const { durableEpoch } = controlWords(memory);
  let applied = throughEpoch;
  let isClose = false;
  for (;;) {
    const through = earlier(durableEpoch(), wanted);
    for (let found = reader.next(through); found !== null; found = reader.next(through)) {
      replayer.replay(found.blocks, found.epoch);
      applied = found.epoch;
      // A message is only heard between two turns.
      if ((applied & 15) === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    if (!isClose && durableEpoch() - applied <= CLOSE_EPOCHS) {
      isClose = true;
      post({ kind: 'caught-up' });
    }
    if (applied >= wanted) break;
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
