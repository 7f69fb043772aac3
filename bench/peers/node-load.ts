/** Starts the process that puts this engine or a Node service under load. */

import { compiledUrl } from '../../src/system/compiled-url.ts';
import { startChild } from '../load/children.ts';
import type { DriveOptions } from './drive.ts';
import type { Phase, PhaseResult } from './systems.ts';

const LIST_MS = 60_000;
const MARGIN_MS = 10_000;

export interface NodeLoad {
  drive(phase: Phase): Promise<PhaseResult>;
  stop(): Promise<void>;
}

export async function startNodeLoad(options: DriveOptions): Promise<NodeLoad> {
  const file = new URL(compiledUrl(import.meta.url, './drive.js')).pathname;
  const child = startChild('the load', process.execPath, [file, JSON.stringify(options)]);
  await child.line(LIST_MS);
  return {
    async drive(phase) {
      child.write(JSON.stringify(phase));
      return JSON.parse(await child.line(phase.timeoutMs + MARGIN_MS)) as PhaseResult;
    },
    stop: () => child.kill(),
  };
}
