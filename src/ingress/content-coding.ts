/**
 * Bodies that come compressed (`Content-Encoding`, RFC 9110 8.4): which codings are understood, and unpacking within a
 * bound, so that a small body cannot become a large one. zlib works on Node's own threads; nothing waits. Ingress thread.
 */

import zlib from 'node:zlib';
import type { RequestHead } from '../http/request-head.ts';
import { unpackZstd } from '../http/zstd.ts';
import type { HttpProblem } from './http-answer.ts';

type Done = (error: Error | null, bytes: Buffer) => void;
type Unpack = (bytes: Uint8Array, options: { maxOutputLength: number }, done: Done) => void;

const CODINGS: ReadonlyMap<string, Unpack> = new Map<string, Unpack>([
  ['gzip', zlib.gunzip],
  ['x-gzip', zlib.gunzip],
  ['deflate', unpackDeflate],
  ['br', zlib.brotliDecompress],
  ['zstd', zstd],
]);

/** One on top of the other; more is nobody's wish. */
const CODINGS_MAX = 3;

/** What has to be undone, in that order; empty where the body is plain. */
export function codingsOf(head: RequestHead): readonly Unpack[] | HttpProblem {
  const header = head.header('content-encoding');
  if (header === '') return [];
  const names = header
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
  if (names.length > CODINGS_MAX) return unsupported(`too many codings: content-encoding=${header.slice(0, 100)}`);
  const codings: Unpack[] = [];
  for (const name of names) {
    const unpack = CODINGS.get(name);
    if (unpack === undefined) return unsupported(unknown(name));
    codings.unshift(unpack);
  }
  return codings;
}

/** Calls `done` later, once. */
export function unpack(
  body: Uint8Array,
  codings: readonly Unpack[],
  bytesMax: number,
  done: (unpacked: Uint8Array | HttpProblem) => void,
): void {
  const [first, ...rest] = codings;
  if (first === undefined) return done(body);
  first(body, { maxOutputLength: bytesMax }, (error, bytes) => {
    if (error === null) unpack(bytes, rest, bytesMax, done);
    else done((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(bytesMax) : broken(error));
  });
}

/** At once where Node has it only in JavaScript: a body is at most a mebibyte. */
function zstd(bytes: Uint8Array, { maxOutputLength }: { maxOutputLength: number }, done: Done): void {
  let unpacked: Buffer;
  try {
    unpacked = unpackZstd(bytes, maxOutputLength);
  } catch (error) {
    return done(error as Error, Buffer.alloc(0));
  }
  done(null, unpacked);
}

/** Some send it as the standard has it, in zlib's envelope, some without. */
function unpackDeflate(bytes: Uint8Array, options: { maxOutputLength: number }, done: Done): void {
  const hasEnvelope = bytes.length >= 2 && (bytes[0]! & 0x0f) === 8 && (bytes[0]! * 256 + bytes[1]!) % 31 === 0;
  (hasEnvelope ? zlib.inflate : zlib.inflateRaw)(bytes, options, done);
}

function unknown(name: string): string {
  const understood = `send ${[...CODINGS.keys()].filter((one) => !one.startsWith('x-')).join(', ')} or no coding`;
  return `unknown content coding: content-encoding=${name.slice(0, 100)}; ${understood}`;
}

function unsupported(message: string): HttpProblem {
  const headers = { 'accept-encoding': [...CODINGS.keys()].filter((one) => !one.startsWith('x-')).join(', ') };
  return { status: 415, code: 'unknown_content_coding', message, headers };
}

function tooLarge(bytesMax: number): HttpProblem {
  const message = `unpacked, the body has more than ${bytesMax} bytes; send less at a time`;
  return { status: 413, code: 'body_too_large', message };
}

function broken(error: Error): HttpProblem {
  const message = `the body does not unpack as its Content-Encoding says: ${error.message}`;
  return { status: 400, code: 'bad_content_coding', message };
}
