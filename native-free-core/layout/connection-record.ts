/**
 * How every record between ingress and workers begins: whom it is from, or for. CLOSE is nothing else: the connection has
 * ended.
 *
 *   byte 0 u32 slot         of the connection at its ingress thread    ingress, in answers the worker
 *   byte 4 u32 generation   grows each time the slot is used anew      ingress, in answers the worker
 */
// hot path: no allocation

/** A connection, or what stands for one: the requests of one HTTP producer, or an entity that is being read. */
export interface ConnectionAddress {
  readonly slot: number;
  readonly generation: number;
}

export const CONNECTION_BYTES = 8;
const GENERATION_AT = 4;

export function writeConnection(view: DataView, at: number, connection: ConnectionAddress): void {
  view.setUint32(at, connection.slot, true);
  view.setUint32(at + GENERATION_AT, connection.generation, true);
}

export function readSlot(view: DataView, at: number): number {
  return view.getUint32(at, true);
}

export function readGeneration(view: DataView, at: number): number {
  return view.getUint32(at + GENERATION_AT, true);
}
