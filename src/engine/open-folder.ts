/**
 * The first part of a start: what was given is checked, and the data folder becomes this server's alone, before any process
 * or thread runs. Called by start.ts.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AccessSettings } from '../access/door.ts';
import { keyDigests } from '../access/keys.ts';
import { Losses } from '../audit/losses.ts';
import { chooseTransport, type ChosenTransport } from '../http/choose-transport.ts';
import { probeAddresses } from '../ingress/listen-address.ts';
import { BLOCK_LANE_BYTES } from '../memory/regions.ts';
import { MARK_NAME, hasHeldEpochs } from '../spool/durable-mark.ts';
import { settleSegmentBytes } from '../spool/segment-bytes.ts';
import { nodeStorage } from '../spool/storage.ts';
import { openDataFolder } from '../system/data-folder.ts';
import { lockFolder } from '../system/folder-lock.ts';
import { givenVersion, versionsFolder } from '../versions/given-version.ts';
import { PipelineVersions, type PipelineVersion } from '../versions/pipeline-versions.ts';
import { openBatchLog, type BatchLog } from '../warehouse/insert/batch-log.ts';
import type { EngineOptions } from './engine-options.ts';

export interface OpenFolder {
  /** The pipeline file that was given; another version may decide (versions/at-start.ts). */
  readonly given: PipelineVersion;
  readonly transport: ChosenTransport;
  readonly access: AccessSettings;
  /** Of the spool's files to come. */
  readonly segmentBytes: number;
  readonly batchLog: BatchLog;
  readonly versions: PipelineVersions;
  readonly losses: Losses;
  /** The path of a file or folder in the data folder. */
  readonly path: (name: string) => string;
  readonly unlock: () => void;
}

export async function openFolder(options: EngineOptions): Promise<OpenFolder> {
  const { data, log } = options;
  const transport = chooseTransport(options.transport ?? 'auto', options.ingresses);
  const laneBytes = Array.from({ length: options.workers }, () => BLOCK_LANE_BYTES);
  const segmentBytes = settleSegmentBytes(options, laneBytes);
  const given = await givenVersion(options.pipeline, data, log);
  openDataFolder(data);
  const unlock = lockFolder(data);
  const path = (name: string): string => join(data, name);
  await probeAddresses({
    listen: options.listen,
    clickhouseListen: options.clickhouse === undefined ? options.clickhouseListen : null,
    isFirstStart: !existsSync(path('clickhouse')),
  });
  const versions = new PipelineVersions(versionsFolder(data));
  versions.check();
  return {
    given,
    transport,
    access: accessOf(options),
    segmentBytes,
    batchLog: openBatchLog(nodeStorage, path('batches'), hasHeldEpochs(nodeStorage, path(MARK_NAME))),
    versions,
    losses: new Losses(data),
    path,
    unlock,
  };
}

function accessOf({ keys, allowHosts = [], allowOrigins = [] }: EngineOptions): AccessSettings {
  return { keyDigests: keyDigests(keys), allowHosts, allowOrigins };
}
