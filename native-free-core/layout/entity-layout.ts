/**
 * Byte layout of an entity table: one or more regions of stripes. A key's hash names its stripe; a stripe owns its index and
 * its rows, and can be copied whole under its lock. Stripe s has lock number s mod `locks`: one worker takes one lock for a
 * run of many rows, several workers meet only on the same of many.
 *
 *   region   byte 16  Int32  stripes in this region
 *            byte 20  Int32  1 while rows of a former table are moving over (state/adoption.ts); first region only
 *            byte 24  Int32  live         rows in use, over all stripes; first region only
 *            byte 64  ...    stripes, one after another
 *
 *   stripe   word 0   lock        of stripes 0 to locks - 1: compare-exchange (state/lock.ts); whoever holds it writes the rest
 *            word 1   live        rows in use
 *            word 2   used        the same: rows in use lie at the start, and what is behind them holds nothing
 *            word 3   hand        where the CLOCK hand stands
 *            word 4   evicted     rows evicted so far, for the metrics (wraps)
 *            word 5   barren      low bits of the epoch in which nothing was found to evict: it is not looked for again
 *            word 16  index       Int32 a slot, a power of two: row + 1, 0: empty; linear probing
 *            then     rows        `rowBytes` each, 8-aligned
 *
 *   row      word 0-3   key        128 bits
 *            f64 2      seq        events of this life so far
 *            f64 3      life       epoch that created the state
 *            f64 4      clock      C(n) of docs/semantics.md §5, ms
 *            f64 5      last seen  received_at of the last event, ms
 *            f64 6 ...  features   features/record-layout.ts
 */

export const ENTITIES_VERSION = 1;
export const ENTITIES_STRIPES_AT = 16;
export const ENTITIES_ADOPTING_AT = 20;
export const ENTITIES_LIVE_AT = 24;
export const STRIPE_LOCK = 0;
export const STRIPE_LIVE = 1;
export const STRIPE_USED = 2;
export const STRIPE_HAND = 3;
export const STRIPE_EVICTED = 4;
export const STRIPE_BARREN = 5;
export const STRIPE_HEADER_WORDS = 16;

/** Offsets within a row: `_SLOT` in f64, key words in Int32. */
export const ROW_SEQ_SLOT = 2;
export const ROW_LIFE_SLOT = 3;
export const ROW_CLOCK_SLOT = 4;
export const ROW_SEEN_SLOT = 5;
export const ROW_FEATURES_SLOT = 6;

export interface EntityTableShape {
  /** Rows in use, over all stripes, at the end of every epoch. */
  readonly max: number;
  readonly rowBytes: number;
  readonly rowsPerStripe: number;
  readonly indexSlots: number;
  readonly stripeBytes: number;
  readonly stripes: number;
  readonly stripesPerRegion: number;
  /** A power of two; they lie in the first region. */
  readonly locks: number;
}

/** Rows that a stripe should hold: large enough to even out the hash, small enough to copy within a millisecond. */
const ROWS_PER_STRIPE_AIM = 512;
const STRIPES_MAX = 16384;
/** Two workers meet on one of so many now and then; a full block has still runs of 256 rows of a lock. */
export const LOCKS_MAX = 64;

/**
 * `max`: declared maximum of entities. `epochRows`: rows that one epoch can bring; the state created in an epoch is not
 * evicted in it, so there is room for one epoch's newcomers besides the declared ones. They are trimmed to `max` when the
 * epoch ends (state/trim-entities.ts). `locksMax`: how many the table may have, where it has stripes enough.
 */
export function shapeEntityTable(
  max: number,
  rowBytes: number,
  epochRows: number,
  regionBytesMax: number,
  locksMax = 1,
): EntityTableShape {
  let stripes = 1;
  while (stripes < STRIPES_MAX && max / stripes > ROWS_PER_STRIPE_AIM) stripes *= 2;
  const declared = stripeShare(max, stripes);
  const rowsPerStripe = declared + stripeShare(epochRows, stripes);
  let indexSlots = 16;
  while (indexSlots < declared * 1.6 || indexSlots < rowsPerStripe * 1.1) indexSlots *= 2;
  const stripeBytes = Math.ceil(((STRIPE_HEADER_WORDS + indexSlots) * 4 + rowsPerStripe * rowBytes) / 64) * 64;
  const stripesPerRegion = Math.max(1, Math.min(stripes, Math.floor((regionBytesMax - 64) / stripeBytes)));
  let locks = 1;
  while (locks * 2 <= Math.min(locksMax, stripes, stripesPerRegion)) locks *= 2;
  return { max, rowBytes, rowsPerStripe, indexSlots, stripeBytes, stripes, stripesPerRegion, locks };
}

/** Hashing is uneven by about the square root: five deviations more, so that all find room wherever their keys lie. */
function stripeShare(rows: number, stripes: number): number {
  const even = Math.ceil(rows / stripes);
  return stripes === 1 ? rows : Math.ceil(even + 5 * Math.sqrt(even));
}
