/**
 * What a change of the pipeline means, for people and for the engine: made by describe.ts, read by deploy and `hunt plan`.
 */

import type { ColumnRename, PlanChange } from '../../../native-free-core/plan/change-plan.ts';
import type { Plan } from '../../../native-free-core/plan/plan.ts';

/** `backfill`: passes, but state is computed anew from stored rows. `refused`: would lose or misread data. */
export type EditClass = 'safe' | 'backfill' | 'refused';

export interface Edit {
  readonly class: EditClass;
  /** Where: `event.dig.depth`, `player.digs_5m`, `events.dedup`. */
  readonly path: string;
  /** What and why; where it is refused, what to do instead. */
  readonly text: string;
}

/** `new`: its entity is new, so that it begins empty. */
export type FeatureFate = 'kept' | 'backfilled' | 'dropped' | 'new';
/** `kept`: the very table goes on. `rebuilt`: its rows move into a table of another layout. */
export type EntityFate = 'kept' | 'rebuilt' | 'dropped' | 'new';

export interface FeatureChange {
  readonly entity: string;
  readonly name: string;
  readonly fate: FeatureFate;
  /** Name in the old plan, where it is another. */
  readonly formerName?: string;
  readonly reason: string;
}

export interface EntityChangeText {
  readonly name: string;
  readonly fate: EntityFate;
  readonly reason: string;
}

export interface ChangeDescription {
  /** The worst of the edits; `safe` where there are none. */
  readonly class: EditClass;
  readonly edits: readonly Edit[];
  readonly entities: readonly EntityChangeText[];
  readonly features: readonly FeatureChange[];
  /** For the tables: createTables takes them. */
  readonly renames: readonly ColumnRename[];
  /** null where an edit is refused. */
  readonly change: PlanChange | null;
}

export interface ChangeOptions {
  /**
   * The new plan is one that this data folder already ran: fields that it does not know are no loss, since what is stored
   * stays, and it is known that rows may hold more than it can say.
   */
  readonly rollback?: boolean;
  /** Plans of all versions that have stored rows: the table still has their columns, whose names mean what they meant. */
  readonly earlier?: readonly Plan[];
}
