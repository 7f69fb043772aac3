/**
 * A text with its number, as blocks hold dictionary entries and the names of producers. The worker writes it into its block.
 *
 *   byte 0 u32 number   of the dictionary's entry; row of the producer table
 *   byte 4 u32 bytes    of the text
 *   byte 8 the text, UTF-8, padded with zeros to 8
 */
// hot path: no allocation

export const TEXT_HEADER_BYTES = 8;
const LENGTH_AT = 4;

export function textEntryBytes(length: number): number {
  return TEXT_HEADER_BYTES + ((length + 7) & -8);
}

export function writeTextHeader(view: DataView, at: number, number: number, length: number): void {
  view.setUint32(at, number, true);
  view.setUint32(at + LENGTH_AT, length, true);
}

/** The same at a word of a log. */
export function storeTextHeader(words: Int32Array, at: number, number: number, length: number): void {
  words[at] = number;
  words[at + LENGTH_AT / 4] = length;
}

export function readTextNumber(view: DataView, at: number): number {
  return view.getUint32(at, true);
}

export function readTextLength(view: DataView, at: number): number {
  return view.getUint32(at + LENGTH_AT, true);
}
