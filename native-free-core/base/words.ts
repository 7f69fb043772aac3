/** Numbers of more than 32 bits in 32-bit words: value = high * WORD + low, `low` unsigned. Used by all threads. */

/** 2^32: what one step of the high word counts. */
export const WORD = 4294967296;

/** The byte at which the high word of a 64-bit number stands, little-endian. */
export const HIGH_WORD_AT = 4;
