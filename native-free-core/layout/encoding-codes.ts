/**
 * Encodings of frames, by the numbers that OPEN records and dead letters have for them. A number is never given to another
 * one.
 */

export const ENCODING_CODES = { protobuf: 0, json: 1, ndjson: 2 } as const;

export type EncodingName = keyof typeof ENCODING_CODES;
