/**
 * Who changed what, in ClickHouse: every activation of a version stands in `pipelines`, also one after which the process
 * died before it could say so. Main thread, at start and after each change.
 */

import type { Plan } from '../../native-free-core/plan/plan.ts';
import type { Activation, PipelineVersions } from './pipeline-versions.ts';

export interface ActivationRecord extends Activation {
  readonly plan: Plan;
  readonly previous: Plan | null;
  /** What differs from the version before. */
  readonly diff: object;
}

/** A version may decide again within one epoch: then only the time tells the two apart. */
export type RecordedActivation = Pick<Activation, 'number' | 'afterEpoch' | 'at'>;

export interface RecordSources {
  readonly versions: PipelineVersions;
  /** What ClickHouse has. */
  readonly recorded: () => Promise<readonly RecordedActivation[]>;
  readonly record: (record: ActivationRecord) => Promise<void>;
  readonly diff: (from: Plan, to: Plan) => object;
}

export async function recordActivations({ versions, recorded, record, diff }: RecordSources): Promise<void> {
  const known = await recorded();
  let previous: Plan | null = null;
  for (const activation of versions.activations()) {
    const { number, afterEpoch, at } = activation;
    const plan = versions.find(number)?.plan ?? null;
    const isKnown = known.some((one) => one.number === number && one.afterEpoch === afterEpoch && one.at === at);
    if (!isKnown && plan !== null) {
      await record({ ...activation, plan, previous, diff: previous === null ? {} : diff(previous, plan) });
    }
    previous = plan;
  }
}
