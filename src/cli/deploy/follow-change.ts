/**
 * Follows a change of the pipeline on a server until it is over, and says how it went. For `hunt deploy`, `rollback`,
 * `disable`.
 */

import { errorCodeOf } from '../../../native-free-core/base/error-codes.ts';
import { setTimeout as pause } from 'node:timers/promises';
import { userInfo } from 'node:os';
import type { BegunChange, HuntControl, PipelineChange } from '../../client/index.ts';
import { OperatingError } from '../../errors.ts';
import { jsonOption, URL_OPTIONS } from '../options.ts';

const LOOK_MS = 200;

/** Who and why; `hunt lists replace` asks, too. */
export const ORIGIN_OPTIONS = {
  reason: { type: 'string', default: '', description: 'Why; recorded in the table audit_log' },
  actor: { type: 'string', description: 'Who; recorded (default: you)' },
} as const;

/** Options that all of them have. */
export const CHANGE_OPTIONS = {
  ...URL_OPTIONS,
  ...ORIGIN_OPTIONS,
  ...jsonOption('Print the change as one JSON object'),
  wait: {
    type: 'boolean',
    default: false,
    description: 'Wait for what follows the change, too: entities that move, a snapshot',
  },
} as const;

export interface OriginArguments {
  readonly reason: string;
  readonly actor?: string | undefined;
}

export interface ChangeArguments extends OriginArguments {
  readonly json: boolean;
}

export function changeOriginOf({ actor, reason }: OriginArguments): { actor: string; reason: string } {
  return { actor: actor ?? userName(), reason };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}

/** Begins a change once the one before, whose version decides already, has tidied up. */
export async function beginChange(control: HuntControl, begin: () => Promise<BegunChange>): Promise<BegunChange> {
  let said = false;
  for (;;) {
    const { change } = await control.pipelines();
    if (change === null || change.state !== 'running' || change.result === undefined) return begin();
    if (!said) process.stderr.write(`waiting for the change before: ${progressText(change)}\n`);
    said = true;
    await pause(LOOK_MS);
  }
}

/**
 * Prints progress on standard error, the end on standard output. It ends when the new version decides; with `wait`, when
 * what follows is over, too. Throws where the change failed.
 */
export async function followChange(
  control: HuntControl,
  begun: BegunChange,
  { json: asJson, wait }: { readonly json: boolean; readonly wait: boolean },
): Promise<void> {
  if ('unchanged' in begun) {
    const { version, shadow } = begun;
    const beside = shadow === null ? '' : `, and ${shadow} beside it`;
    process.stdout.write(
      asJson ? `${JSON.stringify(begun)}\n` : `nothing to do: version ${version} decides already${beside}\n`,
    );
    return;
  }
  let shown = '';
  let change = begun;
  while (change.state === 'running' && (wait || change.result === undefined)) {
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
    const what =
      change.result === undefined ? 'the pipeline was not changed' : `version ${change.version} decides, but then`;
    throw new OperatingError(errorCodeOf(change.error.code, 'server_refused'), `${what}: ${change.error.message}`);
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

function doneText({ kind, version, shadow, from, state, result }: PipelineChange): string {
  const pause = result === undefined ? '' : `; events waited ${result.pauseMs} ms`;
  const lostCount = result?.lost ?? 0;
  const lost = lostCount === 0 ? '' : `; ${lostCount} entities found no room and begin anew`;
  const rest = state === 'running' ? '; the server still moves entities and saves a snapshot' : '';
  const epoch = `from epoch ${(result?.afterEpoch ?? 0) + 1} on`;
  if (kind === 'shadow') {
    const what = `stored, never answered: hunt diff shows where the two part`;
    return `shadow ${shadow} decides beside version ${version} ${epoch} (${what})${pause}${rest}`;
  }
  const alone = kind === 'end-shadow' ? ' alone' : '';
  const after = kind === 'end-shadow' ? '; the shadow has ended' : `, after ${from}`;
  return `version ${version} decides${alone} ${epoch}${after}${pause}${lost}${rest}`;
}
