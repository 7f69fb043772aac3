/**
 * Which version decides after a start: the one that decided last, unless the server was given a file that this folder has
 * never run; then the start changes to it. It changes, too, where the file that decides means something else now, since the
 * zone data or the engine is another. Main thread, called by engine/start.ts before the server is ready.
 */

import type { Plan } from '../../native-free-core/plan/plan.ts';
import { OperatingError } from '../errors.ts';
import type { AuditTrail } from '../audit/audit-trail.ts';
import type { Log } from '../system/log.ts';
import type { PipelineVersion, PipelineVersions, SourceTexts } from './pipeline-versions.ts';
import type { Deployer } from './deployer.ts';

export interface StartInput {
  readonly deployer: Pick<Deployer, 'deploy' | 'over'>;
  readonly versions: PipelineVersions;
  /** Of the file that the server was started with. */
  readonly given: PipelineVersion;
  compile(sources: SourceTexts): PipelineVersion;
  readonly audit: Pick<AuditTrail, 'begin' | 'leadsTo' | 'end'>;
  readonly log: Log;
}

export async function changeToGiven(input: StartInput, running: Plan): Promise<void> {
  const { deployer, versions, given, audit, log } = input;
  const { versionNumber, version, zoneData } = given.plan;
  if (versionNumber === running.versionNumber) return;
  const numbers = [...new Set(versions.activations().map(({ number }) => number))];
  const decides = versions.find(running.versionNumber);
  const isSameFile = !numbers.includes(versionNumber) && decides !== null && meansGiven(input, decides);
  const changes = isSameFile && decides.shadow === undefined;
  if (!changes && numbers.some((number) => number === versionNumber || meansGiven(input, versions.find(number)))) {
    const advice = 'the data folder goes on with the version that decided last; hunt deploy or hunt rollback change it';
    log('warn', advice, { given: version, running: running.version });
    return;
  }
  const reason = isSameFile ? sameFileReason(running, zoneData) : 'the server was started with this file';
  const nobody = { actor: '', keyId: '', remote: '' };
  const id = audit.begin({ ...nobody, scope: 'deploy', action: 'start', subject: version, reason });
  audit.leadsTo(id, version);
  const problem = await problemOf(deployer, given, reason);
  audit.end(id, problem === null ? 'done' : 'refused', problem?.message);
  if (problem !== null) throw problem;
}

/** null: the version decides. */
async function problemOf(
  deployer: StartInput['deployer'],
  given: PipelineVersion,
  reason: string,
): Promise<OperatingError | null> {
  try {
    deployer.deploy(given.sources, { kind: 'start', actor: '', reason });
  } catch (error) {
    if (error instanceof OperatingError) return error;
    throw error;
  }
  const { error } = (await deployer.over()) ?? {};
  return error === undefined ? null : new OperatingError(error.code, error.message);
}

function sameFileReason({ zoneData: former }: Plan, zoneData: string | undefined): string {
  return former === zoneData ? 'the same file, as this engine compiles it' : `the same file, by zone data ${zoneData}`;
}

/** Whether a version's file, compiled today, is the given one: they differ by the engine and the zone data of their time. */
function meansGiven({ compile, given }: StartInput, version: PipelineVersion | null): boolean {
  if (version === null) return false;
  try {
    return compile(version.sources).plan.versionNumber === given.plan.versionNumber;
  } catch (error) {
    // A file that earlier engines took may be refused today.
    if (error instanceof OperatingError) return false;
    throw error;
  }
}
