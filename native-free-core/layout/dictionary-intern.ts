/**
 * How the decoder turns a low-cardinality string into an id of the shared dictionary, without knowing where that lives.
 * decide/ hands in the real one; tests hand in a small one of their own.
 */

export interface DictionaryIntern {
  /**
   * The id of bytes[start, start + length), the same for equal bytes, for ever; -1 where the dictionary is full. The empty
   * string is 0.
   */
  intern(bytes: Uint8Array, start: number, length: number): number;
}
