/** Follows a change of the pipeline on a server until it is over, and says how it went. For `hunt deploy`, `rollback`, `disable`. */

import { setTimeout as pause } from 'node:timers/promises';
import { userInfo } from 'node:os';
import type { BegunChange, HuntControl, PipelineChange } from '../../client/index.ts';
import { OperatingError } from '../../errors.ts';
import { URL_OPTIONS } from '../send/options.ts';

const LOOK_MS = 200;

/** Options that all of them have. */
export const CHANGE_OPTIONS = {
  ...URL_OPTIONS,
  reason: { type: 'string', default: '', description: 'Why; recorded in the table pipelines' },
  actor: { type: 'string', description: 'Who; recorded (default: you)' },
  json: { type: 'boolean', default: false, description: 'Print the change as one JSON object' },
} as const;

export interface ChangeArguments {
  readonly reason: string;
  readonly actor?: string | undefined;
  readonly json: boolean;
}

export function originOf({ actor, reason }: ChangeArguments): { actor: string; reason: string } {
  return { actor: actor ?? userName(), reason };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}

/** Prints progress on standard error, the end on standard output. Throws where the change failed. */
export async function followChange(control: HuntControl, begun: BegunChange, asJson: boolean): Promise<void> {
  if ('unchanged' in begun) {
    process.stdout.write(
      asJson ? `${JSON.stringify(begun)}\n` : `nothing to do: version ${begun.version} decides already\n`,
    );
    return;
  }
  let shown = '';
  let change = begun;
  while (change.state === 'running') {
    const text = progressText(change);
    if (text !== shown && !asJson) process.stderr.write(`${text}\n`);
    shown = text;
    await pause(LOOK_MS);
    const { change: current } = await control.pipelines();
    if (current === null || current.id !== begun.id) {
      const message = `another change has followed: change=${begun.id}; look at GET /v1/pipelines and the table pipelines`;
      throw new OperatingError('change_lost', message);
    }
    change = current;
  }
  if (asJson) process.stdout.write(`${JSON.stringify(change)}\n`);
  if (change.error !== undefined) {
    throw new OperatingError(change.error.code, `the pipeline was not changed: ${change.error.message}`);
  }
  if (!asJson) process.stdout.write(`${doneText(change)}\n`);
}

function progressText({ phase, done, total }: PipelineChange): string {
  switch (phase) {
    case 'tables':
      return 'bringing the tables of ClickHouse to the new version';
    case 'backfill': {
      if (total === 0) return 'compiling; reading what new features need';
      return `backfilling: ${done.toLocaleString('en')} of ${total.toLocaleString('en')} stored rows`;
    }
    case 'switch':
      return 'changing between two epochs';
    case 'sweep':
      return 'moving the rest of the entities over';
    case 'snapshot':
      return 'saving a snapshot';
  }
}

function doneText({ version, from, result }: PipelineChange): string {
  const pause = result === undefined ? '' : `; events waited ${result.pauseMs} ms`;
  const lost =
    result === undefined || result.lost === 0 ? '' : `; ${result.lost} entities found no room and begin anew`;
  return `version ${version} decides from epoch ${(result?.afterEpoch ?? 0) + 1} on, after ${from}${pause}${lost}`;
}
