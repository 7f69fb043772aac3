/** The shared tables, as one thread is attached to them. */

import type { Dictionary } from '../state/dictionary.ts';
import type { EntityTable } from '../state/entity-table.ts';
import type { IdWindow } from '../state/id-window.ts';
import type { KeyList } from '../state/key-list.ts';
import type { Producers } from '../state/producers.ts';

export interface Tables {
  /** In the order of `Plan.entities`. */
  readonly entities: readonly EntityTable[];
  /** Takes of limits, in the order of `layOutLimits`; absent: the plan has none. */
  readonly limits?: readonly EntityTable[];
  readonly producers: Producers;
  /** null where the pipeline names no event id. */
  readonly ids: IdWindow | null;
  readonly dictionary: Dictionary;
  /** In the order of `Plan.lists`; absent: as the plan was compiled with. */
  readonly lists?: readonly KeyList[];
}
