/**
 * The version that a server was started with, from its file. Where the rules of this engine refuse a file that the data
 * folder has run, as the rules of an earlier engine took it, that version goes on as it was compiled then: an upgrade must
 * not end what decides. Main thread, called by engine/start.ts before anything is opened.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadPipelineFile, PipelineError, problemText } from '../config/index.ts';
import type { Log } from '../system/log.ts';
import { PipelineVersions, type PipelineVersion } from './pipeline-versions.ts';

/** Of the data folder, which may not be there yet. */
export const versionsFolder = (data: string): string => join(data, 'pipelines');

export async function givenVersion(file: string, data: string, log: Log): Promise<PipelineVersion> {
  try {
    const given = await loadPipelineFile(file);
    for (const warning of given.warnings) log('warn', warning);
    return given;
  } catch (error) {
    const version = error instanceof PipelineError ? takenBefore(error, versionsFolder(data)) : null;
    if (version === null) throw error;
    const { problems } = error as PipelineError;
    const said =
      'the rules of this engine refuse the pipeline file, which this data folder has run: it goes on as it was compiled then; ' +
      'mend the file and hunt deploy it, for no rule of it can be switched off or on until then';
    log('warn', said, { version: version.plan.version, problems: problems.map((one) => problemText(file, one)) });
    return version;
  }
}

function takenBefore({ sources }: PipelineError, directory: string): PipelineVersion | null {
  if (sources === null || !existsSync(directory)) return null;
  return new PipelineVersions(directory).fromFiles(sources);
}
