/**
 * How every record on the disk begins. The core has no checksum of its own: whoever writes a record computes it over all
 * that follows it and puts it in place last.
 *
 *   byte 0 u32 magic   what the record is
 *   byte 4 u32 crc32   of everything from byte 8 on
 */

const CHECKSUM_AT = 4;
/** Where the checked bytes begin, from the record's begin. */
export const CHECKED_FROM = 8;

export function readMagic(view: DataView, at: number): number {
  return view.getUint32(at, true);
}

export function writeMagic(view: DataView, at: number, magic: number): void {
  view.setUint32(at, magic, true);
}

export function readChecksum(view: DataView, at: number): number {
  return view.getUint32(at + CHECKSUM_AT, true);
}

export function writeChecksum(view: DataView, at: number, checksum: number): void {
  view.setUint32(at + CHECKSUM_AT, checksum, true);
}
