/**
 * The second part of a start: ClickHouse runs, the log is read as far as it is whole, and shared memory is where that log
 * ends. No thread runs yet. Called by start.ts.
 */

import { producersOf } from '../../native-free-core/plan/plan.ts';
import { Ledger } from '../audit/ledger.ts';
import { controlWords, type ControlWords } from '../memory/control-words.ts';
import type { SharedMemory } from '../memory/regions.ts';
import { acceptLoss } from '../recovery/accept-loss.ts';
import type { Rebuilt } from '../recovery/rebuild.ts';
import { expectationOf, recoverEngine, recoverLog } from '../recovery/recover.ts';
import type { EventLog } from '../contract/event-log.ts';
import { MARK_NAME } from '../spool/durable-mark.ts';
import { openSpoolLog } from '../spool/spool-log.ts';
import { wallMs } from '../system/clock.ts';
import { connectionBounds, type ConnectionBounds } from '../system/descriptors.ts';
import { createRunning, type Running } from '../versions/running.ts';
import { openClickHouse, type ClickHouse } from '../warehouse/clickhouse.ts';
import type { OpenFolder } from './open-folder.ts';
import type { EngineOptions } from './engine-options.ts';

export interface Recovered {
  readonly clickhouse: ClickHouse;
  readonly connections: ConnectionBounds;
  readonly eventLog: EventLog;
  readonly ledger: Ledger;
  readonly memory: SharedMemory;
  readonly control: ControlWords;
  readonly running: Running;
  /** Spool that this start has replayed. */
  readonly replayedBytes: number;
  readonly rebuilt: Rebuilt | null;
}

export async function recover(options: EngineOptions, opened: OpenFolder): Promise<Recovered> {
  const { log } = options;
  const { access, transport, batchLog, versions, losses, segmentBytes, given } = opened;
  const logFolder = { data: options.data, batchLog, segmentBytes };
  // What is damaged is said before anything is started.
  const whole = options.acceptLoss === true ? null : recoverLog(logFolder);
  const clickhouse = await openClickHouse({
    ...options,
    access,
    transport: transport.kind,
    data: opened.path('clickhouse'),
  });
  const connections = connectionBounds();
  log('info', 'connections at once, as the system gives descriptors', connections);
  if (whole === null) await acceptLoss({ ...logFolder, clickhouse, losses, log }, expectationOf(logFolder));
  const spool = whole ?? recoverLog(logFolder);
  const eventLog = openSpoolLog({
    directory: opened.path('spool'),
    markFile: opened.path(MARK_NAME),
    segmentBytes,
    spoolBytesMax: options.spoolBytesMax,
    recovered: spool,
    log: (level, message) => log(level, message),
  });
  batchLog.nameLog(eventLog.number);
  const ledger = new Ledger();
  ledger.producersMax = producersOf(given.plan).max;
  const { plan, memory, replayedBytes, rebuilt } = await recoverEngine(
    { ...options, versions, ledger, clickhouse, batchLog, eventLog, cutBytes: spool.cutBytes },
    given,
  );
  const control = controlWords(memory);
  control.begin(eventLog.last, Math.max(ledger.receivedAt, spool.receivedAt));
  const running = createRunning({ ...versions.find(plan.versionNumber)!, plan, memory }, opened.path('lists'), log);
  if (versions.activations().length === 0) {
    const origin = { kind: 'start', actor: '', reason: 'the first start of this data folder' } as const;
    versions.activate({ ...origin, number: plan.versionNumber, afterEpoch: eventLog.last, at: wallMs() });
  }
  return { clickhouse, connections, eventLog, ledger, memory, control, running, replayedBytes, rebuilt };
}
