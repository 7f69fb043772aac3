/**
 * Who changed what, in ClickHouse: every activation of a version stands in `pipelines`, also one after which the process died before it
 * could say so. Main thread, at start and after each change.
 */

import type { Plan } from '../../native-free-core/layout/plan.ts';
import type { Activation, PipelineVersions } from '../ops/pipeline-versions.ts';

export interface ActivationRecord extends Activation {
  readonly plan: Plan;
  readonly previous: Plan | null;
  /** What differs from the version before. */
  readonly diff: object;
}

export interface RecordSources {
  readonly versions: PipelineVersions;
  /** `number` and `afterEpoch` of what ClickHouse has. */
  readonly recorded: () => Promise<readonly { readonly number: number; readonly afterEpoch: number }[]>;
  readonly record: (record: ActivationRecord) => Promise<void>;
  readonly diff: (from: Plan, to: Plan) => object;
}

export async function recordActivations({ versions, recorded, record, diff }: RecordSources): Promise<void> {
  const known = await recorded();
  let previous: Plan | null = null;
  for (const activation of versions.activations()) {
    const { number, afterEpoch } = activation;
    const plan = versions.find(number)?.plan ?? null;
    const isKnown = known.some((one) => one.number === number && one.afterEpoch === afterEpoch);
    if (!isKnown && plan !== null) {
      await record({ ...activation, plan, previous, diff: previous === null ? {} : diff(previous, plan) });
    }
    previous = plan;
  }
}
