/**
 * Starts the engine, stage by stage, and stops it against the flow. The files of this folder alone see all stages.
 *
 *   open-folder   what was given is checked; the data folder is this server's alone
 *   recovered     spool, batch log and snapshot -> shared tables
 *   stages        spool thread, warehouse, decision workers, ingress
 *   requests      control, explanations, look-ups; then the code is made warm, and the given pipeline decides
 */

import { serverAddress } from '../../client/src/address.ts';
import type { AuditTrail } from '../audit/audit-trail.ts';
import { warmUpServer } from '../client/warm-up-server.ts';
import { changeToGiven } from '../versions/at-start.ts';
import { openFolder } from './open-folder.ts';
import type { Engine, EngineOptions } from './engine-options.ts';
import { openPipelineChanges, type PipelineChanges } from './pipeline-changes.ts';
import { recover } from './recovered.ts';
import { serveRequests } from './requests.ts';
import { startStages, type StageInput, type Stages } from './stages.ts';

export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { log } = options;
  const started = performance.now();
  const opened = await openFolder(options);
  const recovered = await recover(options, opened);
  const input: StageInput = { options, opened, recovered };
  const stages = await startStages(input);
  const { ingress, failure, readiness, trimming, workers } = stages;
  const { clickhouse, running, rebuilt } = recovered;
  const changes = openPipelineChanges(input, stages);
  const audit = serveRequests(input, stages, changes);
  // Until then nobody answers a frame.
  await workers.ready;
  await warmUpServer(serverAddress(ingress.url, options.keys[0]));
  await beginVersion(input, changes, audit);
  await readiness.begin();
  // The next start is quick again.
  if (rebuilt !== null) trimming.takeSnapshot();
  // A start that is refused says that alone.
  if (opened.transport.warning !== null) log('warn', opened.transport.warning);
  log('info', 'ready', { seconds: Number(((performance.now() - started) / 1000).toFixed(3)), url: ingress.url });
  return {
    url: ingress.url,
    clickhouse: { url: clickhouse.url, database: clickhouse.database },
    get plan() {
      return running.plan;
    },
    rebuilt,
    failed: failure.promise,
    stop: () => stopEngine(input, stages, changes, audit),
  };
}

/** Records what decides now, and changes to the given pipeline where that is another one. */
async function beginVersion(
  { options, opened, recovered }: StageInput,
  { deployer, compile, record }: PipelineChanges,
  audit: AuditTrail,
): Promise<void> {
  const { versions, given } = opened;
  await record();
  audit.recover(({ version, time }) => versions.wasActivated(version, time));
  const input = { deployer, versions, given, compile, audit, log: options.log };
  await changeToGiven(input, recovered.running.plan);
}

/** Against the flow: nothing comes in any more, what came in is stored, the tables are saved. */
async function stopEngine(
  { options, opened, recovered }: StageInput,
  { readiness, bounds, ingress, workers, snapshots, trimming, warehouse }: Stages,
  { deployer }: PipelineChanges,
  audit: AuditTrail,
): Promise<void> {
  readiness.stop();
  bounds.stop();
  await deployer.stop();
  await ingress.stop();
  recovered.control.stop();
  await workers.stop();
  snapshots.hurry();
  await trimming.stop();
  await snapshots
    .take(false)
    .catch((error: unknown) =>
      options.log('warn', 'no snapshot at stop; the next start replays more', { error: String(error) }),
    );
  await recovered.eventLog.stop();
  await audit.stop();
  await warehouse.stop();
  await recovered.clickhouse.stop();
  opened.unlock();
}
