/** Lengths of time in milliseconds, the unit of every time in the engine. */

export const DAY_MS = 86_400_000;
