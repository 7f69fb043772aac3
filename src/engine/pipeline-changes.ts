/**
 * Changes of the pipeline while the engine runs: what versions/ needs of the stages, handed over. Made by start.ts on the
 * main thread.
 */

import type { Plan } from '../../native-free-core/plan/plan.ts';
import { compileSources, describeChange, setRuleDisabled, withShadow } from '../config/index.ts';
import { startBackfill } from '../versions/backfill.ts';
import { Deployer, type DescribedChange } from '../versions/deployer.ts';
import { withoutEntries } from '../versions/running-lists.ts';
import type { PipelineVersion, PipelineVersions, SourceTexts } from '../versions/pipeline-versions.ts';
import { recordActivations } from '../versions/record-activations.ts';
import { openTables } from '../workers/open-tables.ts';
import type { StageInput, Stages } from './stages.ts';

export interface PipelineChanges {
  readonly deployer: Deployer;
  readonly compile: (sources: SourceTexts) => PipelineVersion;
  /** Notes in ClickHouse all activations that it does not know. */
  readonly record: () => Promise<void>;
}

export function openPipelineChanges({ options, opened, recovered }: StageInput, stages: Stages): PipelineChanges {
  const { control, running, clickhouse } = recovered;
  const { workers, warehouse, ingress, trimming, snapshots, failure } = stages;
  const { versions } = opened;
  const record = (): Promise<void> =>
    recordActivations({
      versions,
      recorded: warehouse.recordedChanges,
      record: warehouse.recordChange,
      diff: (from, to) => describeForDeploy(from, to, true).diff,
    });
  const compile = (sources: SourceTexts): PipelineVersion => ({ ...compileSources(sources), sources });
  const deployer = new Deployer({
    versions,
    control,
    running: () => running.version,
    compile,
    setRuleDisabled,
    withShadow,
    describe: (from, to, rollback) => describeForDeploy(from, to, rollback, earlierPlans(versions)),
    workers: {
      prepare: (version) => workers.prepare({ ...version, plan: withoutEntries(version.plan) }),
      trimIdleThreads: () => workers.trimIdleThreads(),
    },
    startBackfill: (input) =>
      startBackfill({
        ...input,
        clickhouse,
        logNumber: opened.batchLog.logNumber,
        spool: opened.path('spool'),
        throughEpoch: control.storedEpoch(),
      }),
    prepareTables: (next) => warehouse.prepare(next, describeChange(running.plan, next, { rollback: true }).renames),
    openTables,
    announce: (next) => ingress.changeTo(next),
    activate(version) {
      running.changeTo(version);
      warehouse.activate(version.plan);
    },
    settle: (settled) => running.settle(settled),
    holdSpool: () => trimming.hold(),
    takeSnapshot: () => snapshots.take(),
    fail: failure.of('the change of the pipeline'),
    record,
    log: options.log,
  });
  return { deployer, compile, record };
}

/** Of all versions whose rows are in the table. */
function earlierPlans(versions: PipelineVersions): Plan[] {
  const numbers = new Set(versions.activations().map(({ number }) => number));
  return [...numbers].flatMap((number) => versions.find(number)?.plan ?? []);
}

function describeForDeploy(from: Plan, to: Plan, rollback: boolean, earlier: readonly Plan[] = []): DescribedChange {
  const { change, ...diff } = describeChange(from, to, { rollback, earlier });
  const refused = diff.edits.filter((edit) => edit.class === 'refused');
  return { change, refusals: refused.map(({ path, text }) => `${path}: ${text}`), diff };
}
