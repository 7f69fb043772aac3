/** The encodings, by name and by the number that records have for them. A new one is a number, a file and an entry here. */

import { fail } from '../base/fail.ts';
import { ENCODING_CODES, type EncodingName } from '../layout/encoding-codes.ts';
import type { WireEncoding } from './encoding.ts';
import { JSON_TEXT } from './json.ts';
import { NDJSON } from './ndjson.ts';
import { PROTOBUF } from './protobuf.ts';

export const ENCODINGS = { protobuf: PROTOBUF, json: JSON_TEXT, ndjson: NDJSON } satisfies Record<
  EncodingName,
  WireEncoding
>;

const NAMES = Object.keys(ENCODING_CODES) as EncodingName[];

const byCode: WireEncoding[] = [];
for (const name of NAMES) byCode[ENCODING_CODES[name]] = ENCODINGS[name];

export function encodingOf(code: number): WireEncoding {
  return byCode[code] ?? fail('encoding', code);
}

/** The number of the encoding of the answers to frames in this one. */
export function answerCodeOf(code: number): number {
  return ENCODING_CODES[encodingOf(code).answersIn];
}

/** Content types of requests, the usual ones first. */
export const MEDIA_TYPES: readonly [string, ...string[]] = [
  ENCODINGS.protobuf.mediaTypes[0],
  ...NAMES.slice(1).map((name) => ENCODINGS[name].mediaTypes[0]),
  ...NAMES.flatMap((name) => ENCODINGS[name].mediaTypes.slice(1)),
];

/** Numbers by what requests call the encodings: content types, and subprotocols of a WebSocket. */
export const CODE_OF_MEDIA_TYPE: ReadonlyMap<string, number> = new Map(
  NAMES.flatMap((name) => ENCODINGS[name].mediaTypes.map((type) => [type, ENCODING_CODES[name]] as const)),
);
export const CODE_OF_SUBPROTOCOL: ReadonlyMap<string, number> = new Map(
  NAMES.flatMap((name) => {
    const { subprotocol } = ENCODINGS[name];
    return subprotocol === null ? [] : [[subprotocol, ENCODING_CODES[name]] as const];
  }),
);
