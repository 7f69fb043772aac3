/**
 * Losses that an operator has accepted (`hunt serve --accept-loss`): answered events that the disk has lost. Each is written
 * down for good; the ledger and `hunt audit` tell of them. Main thread; made by engine/start.ts.
 *
 *   losses.json   in the data folder: { losses: [Loss, …] }, oldest first
 */

import { join } from 'node:path';
import { OperatingError } from '../errors.ts';
import { readDurableJson, writeDurableJson } from '../system/durable-json.ts';

export interface Loss {
  /** ISO time, and who started the server so. */
  readonly at: string;
  readonly by: string;
  /** Both included. */
  readonly firstEpoch: number;
  readonly lastEpoch: number;
  /** Events that were received in these epochs and are nowhere any more, as far as the durable mark knew of them. */
  readonly events: number;
  /** Of these, rows that would have become rows of `events`. */
  readonly accepted: number;
  /** More may be gone than is counted: the mark was older than what is known to have been durable, or lost itself. */
  readonly isAtLeast: boolean;
  /** What was found, in words. */
  readonly found: readonly string[];
  /** Of the durable mark: tells a start that tries again from a second loss of the same epochs. */
  readonly markCount: number;
  /** Where the damaged files lie now. */
  readonly keptIn: string;
}

const NAME = 'losses.json';

export class Losses {
  readonly #path: string;
  #all: readonly Loss[];

  /** `data`: the data folder. */
  constructor(data: string) {
    this.#path = join(data, NAME);
    const advice = 'restore it from a copy, or move it away: the ledger then forgets what had been lost';
    const file = readDurableJson(this.#path, advice) as { readonly losses?: readonly Loss[] } | null;
    if (file !== null && !Array.isArray(file.losses))
      throw new OperatingError('file_damaged', `not a list of losses: file=${this.#path}; ${advice}`);
    this.#all = file?.losses ?? [];
  }

  all(): readonly Loss[] {
    return this.#all;
  }

  /** Events of all of them. */
  events(): number {
    return this.#all.reduce((sum, { events }) => sum + events, 0);
  }

  /** Durable on return. The same epochs again: the start that was to go on without them had ended before it could. */
  add(loss: Loss): void {
    const others = this.#all.filter(
      ({ firstEpoch, lastEpoch, markCount }) =>
        firstEpoch !== loss.firstEpoch || lastEpoch !== loss.lastEpoch || markCount !== loss.markCount,
    );
    this.#all = [...others, loss];
    writeDurableJson(this.#path, { losses: this.#all });
  }
}
