/**
 * What `hunt versions` tells: which version of the pipeline decided from when on, who wanted it and why, and what it
 * changed, in words. Main thread, on request.
 */

import type { Plan } from '../../native-free-core/plan/plan.ts';
import type { Activation, PipelineVersion, PipelineVersions } from './pipeline-versions.ts';

/** The newest are told; ClickHouse's table `pipelines` has them all. */
const HISTORY_MAX = 100;

export interface VersionEntry extends Omit<Activation, 'at'> {
  /** Hash of the file that decides, as `hunt plan` and `hunt deploy` print it. */
  readonly version: string | null;
  /** Hash of the file that decides beside it. */
  readonly shadow: string | null;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Each difference from the activation before; null: the folder no longer has one of the two. */
  readonly differs: readonly string[] | null;
  /** Rules that the version has switched off, as `decision.rule`. */
  readonly disabledRules: readonly string[];
}

export interface VersionHistory {
  readonly activations: readonly VersionEntry[];
  /** Older ones that are not told. */
  readonly older: number;
}

/** `edits`: what differs, each with the place in the pipeline. */
export type DescribeDifference = (
  from: Plan,
  to: Plan,
) => { readonly edits: readonly { readonly path: string; readonly text: string }[] };

export function versionHistory(versions: PipelineVersions, describe: DescribeDifference): VersionHistory {
  const all = versions.activations();
  const older = Math.max(0, all.length - HISTORY_MAX);
  const activations = all.slice(older).map((activation, i): VersionEntry => {
    const version = versions.find(activation.number);
    const before = all[older + i - 1];
    const previous = before === undefined ? null : versions.find(before.number);
    return {
      ...activation,
      at: new Date(activation.at).toISOString(),
      ...(version === null ? { version: null, shadow: null } : versions.namesOf(version)),
      differs: before === undefined ? [] : differences(previous, version, describe),
      disabledRules: version === null ? [] : disabledRules(version.plan),
    };
  });
  return { activations, older };
}

function differences(
  from: PipelineVersion | null,
  to: PipelineVersion | null,
  describe: DescribeDifference,
): readonly string[] | null {
  if (from === null || to === null) return null;
  return describe(from.plan, to.plan).edits.map(({ path, text }) => `${path}: ${text}`);
}

export function disabledRules(plan: Plan): string[] {
  return plan.decisions
    .filter(({ isShadow }) => isShadow !== true)
    .flatMap(({ name, rules }) => rules.filter(({ disabled }) => disabled === true).map(({ id }) => `${name}.${id}`));
}
