/**
 * Brings tables of entities back to their bound: what an epoch brought beyond it found nothing idle to take the place of,
 * since all of it was new. Called at the end of every epoch by the workers, and once by recovery.
 */
// hot path: no allocation

import { dropRow, enterStripe, liveTotal, unlockStripe, type EntityTable } from './entity-table.ts';

/** `epoch`: the one that has ended. Rows that began after it stay, since their keys cannot begin again in theirs. */
export function trimEntities(table: EntityTable, epoch: number): void {
  if (liveTotal(table) <= table.shape.max) return;
  const { stripes, max } = table.shape;
  // Round by round one row of each stripe, so that no stripe pays for the others; where there is one, all of its own.
  for (let dropped = true; dropped && liveTotal(table) > max;) {
    dropped = false;
    for (let index = 0; index < stripes && liveTotal(table) > max; index++) {
      enterStripe(table, index);
      do {
        if (!dropRow(table, epoch + 1)) break;
        dropped = true;
      } while (stripes === 1 && liveTotal(table) > max);
      unlockStripe(table);
    }
  }
}
