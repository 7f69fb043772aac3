/**
 * Which version decides after a start: the one that decided last, unless the server was given a file that this folder has never run;
 * then the start changes to it. Main thread, called by engine.ts before the server is ready.
 */

import { setTimeout as pause } from 'node:timers/promises';
import type { Plan } from '../../native-free-core/layout/plan.ts';
import { OperatingError } from '../errors.ts';
import type { Log } from '../ops/log.ts';
import type { PipelineVersion, PipelineVersions } from '../ops/pipeline-versions.ts';
import type { Deployer } from './deployer.ts';

const LOOK_MS = 50;

export interface StartInput {
  readonly deployer: Deployer;
  readonly versions: PipelineVersions;
  /** Of the file that the server was started with. */
  readonly given: PipelineVersion;
  readonly log: Log;
}

export async function changeToGiven({ deployer, versions, given, log }: StartInput, running: Plan): Promise<void> {
  const { versionNumber, version } = given.plan;
  if (versionNumber === running.versionNumber) return;
  if (versions.activations().some(({ number }) => number === versionNumber)) {
    const advice = 'the data folder goes on with the version that decided last; hunt deploy or hunt rollback change it';
    log('warn', advice, { given: version, running: running.version });
    return;
  }
  deployer.deploy(given.sources, { kind: 'start', actor: '', reason: 'the server was started with this file' });
  while (deployer.last?.state === 'running') await pause(LOOK_MS);
  const { error } = deployer.last ?? {};
  if (error !== undefined) throw new OperatingError(error.code, error.message);
}
