/** Encodings of frames, as OPEN records and dead letters name them. */

export const ENCODING_PROTO = 0;
export const ENCODING_JSON = 1;
export const ENCODING_NDJSON = 2;
