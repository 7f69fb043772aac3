/**
 * Takes snapshots of the shared tables while the engine works, so that a restart replays little and the spool can be
 * trimmed. Main thread; the file itself is the spool's, handed in by engine/start.ts.
 */

import type { Tables } from '../../native-free-core/decide/shared-tables.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { after, BEFORE_FIRST, earlier, type Position } from '../contract/event-log.ts';
import type { Ledger } from '../audit/ledger.ts';
import type { SnapshotFigures } from '../contract/figures.ts';
import { LEDGER_CHUNK } from './recover-tables.ts';
import { copyTables, type TableChunk } from '../memory/snapshot-tables.ts';

/** One snapshot file being written (spool/snapshot-file.ts). */
export interface SnapshotFile {
  write(name: string, index: number, bytes: Uint8Array): Promise<void>;
  /** Makes it count; returns the first epoch that is still needed in the spool. */
  complete(atEpoch: Position): Promise<Position>;
  abandon(): void;
  /** No more pauses from now on. */
  hurry(): void;
}

export interface SnapshotSources {
  /** The version that decides. */
  readonly running: () => { readonly plan: Plan; readonly tables: Tables };
  readonly ledger: Ledger;
  /** What is copied; default: all tables. */
  readonly copy?: (plan: Plan, tables: Tables) => Iterable<TableChunk>;
  /** `fromEpoch`: the first epoch that a start from this snapshot replays. `paced`: answers wait for the same disk. */
  readonly create: (fromEpoch: Position, paced: boolean) => SnapshotFile;
  readonly durableEpoch: () => Position;
  /** The last epoch that may have left traces in what was copied. */
  readonly touchedEpoch: () => Position;
  /** Resolves once the epoch is durable. */
  readonly whenDurable: (epoch: Position) => Promise<void>;
}

/** Copying yields to the event loop after so many bytes: batches and answers to control requests go on. */
const YIELD_BYTES = 1 << 20;

export class SnapshotKeeper {
  readonly #sources: SnapshotSources;
  #figures: SnapshotFigures = { taken: 0, bytes: 0, seconds: 0 };
  /** Epochs below this are not needed by any snapshot that is kept. */
  #neededFrom = BEFORE_FIRST;
  #running: Promise<void> | null = null;
  #stopping = false;
  #file: SnapshotFile | null = null;

  constructor(sources: SnapshotSources) {
    this.#sources = sources;
  }

  get figures(): SnapshotFigures {
    return this.#figures;
  }

  get neededFrom(): Position {
    return this.#neededFrom;
  }

  get running(): boolean {
    return this.#running !== null;
  }

  /**
   * Takes one; a second call while one is being taken waits for that one. `paced`: not where nobody waits for answers any
   * more.
   */
  take(paced = true): Promise<void> {
    if (!paced) this.hurry();
    this.#running ??= this.#take(paced).finally(() => (this.#running = null));
    return this.#running;
  }

  /** The one that is being taken is not paced any more. */
  hurry(): void {
    this.#file?.hurry();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running?.catch(() => undefined);
  }

  async #take(paced: boolean): Promise<void> {
    const { ledger, create, copy = copyTables, durableEpoch, touchedEpoch, whenDurable } = this.#sources;
    const { plan, tables } = this.#sources.running();
    const begun = performance.now();
    // Recovery replays what either the tables or the ledger may lack.
    const file = (this.#file = create(after(earlier(durableEpoch(), ledger.epoch)), paced));
    let bytes = 0;
    try {
      await file.write(LEDGER_CHUNK, 0, ledger.save());
      let sinceYield = 0;
      for (const chunk of copy(plan, tables)) {
        await file.write(chunk.name, chunk.index, chunk.bytes);
        bytes += chunk.bytes.length;
        sinceYield += chunk.bytes.length;
        if (sinceYield > YIELD_BYTES) {
          sinceYield = 0;
          await new Promise((resolve) => setImmediate(resolve));
        }
        if (this.#stopping) return file.abandon();
      }
      const atEpoch = touchedEpoch();
      await whenDurable(atEpoch);
      this.#neededFrom = await file.complete(atEpoch);
    } catch (error) {
      file.abandon();
      throw error;
    }
    this.#figures = { taken: this.#figures.taken + 1, bytes, seconds: (performance.now() - begun) / 1000 };
  }
}

/**
 * Each snapshot comes with an account: where all snapshots are lost, the rest of what they held is in ClickHouse
 * (src/recovery/rebuild.ts).
 */
export function withAccount(snapshots: SnapshotKeeper, account: SnapshotKeeper) {
  return {
    get figures(): SnapshotFigures {
      return snapshots.figures;
    },
    get running(): boolean {
      return snapshots.running || account.running;
    },
    /** Neither may need what is trimmed. */
    get neededFrom(): Position {
      return earlier(snapshots.neededFrom, account.neededFrom);
    },
    async take(paced = true): Promise<void> {
      await account.take(paced);
      await snapshots.take(paced);
    },
    hurry(): void {
      account.hurry();
      snapshots.hurry();
    },
    async stop(): Promise<void> {
      await Promise.all([account.stop(), snapshots.stop()]);
    },
  };
}
