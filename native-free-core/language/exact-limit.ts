/** What kernels and SQL both bound their integers by. */

/** 2^53: from here on a double no longer tells neighbouring integers apart. */
export const EXACT_LIMIT = 9007199254740992;
