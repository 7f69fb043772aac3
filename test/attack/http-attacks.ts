/**
 * HTTP that two readers could cut apart differently, and bodies that unpack to something huge, each beside a harmless
 * neighbour. Sent by c3-http.test.ts.
 */

import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { KEY_HEADERS } from '../doors.ts';
import { frameJson } from '../ingress/rig.ts';

export const CRLF = '\r\n';
export const BODY = frameJson(1, 1);
export const LENGTH = `Content-Length: ${BODY.length}`;
export const CHUNKED = `${BODY.length.toString(16)}${CRLF}${BODY}${CRLF}0${CRLF}${CRLF}`;
const KEEP = [
  'Host: hunt.test',
  'Content-Type: application/json',
  ...Object.entries(KEY_HEADERS).map(([name, value]) => `${name}: ${value}`),
];

export function request(headers: readonly string[], body = '', first = 'POST /v1/events HTTP/1.1'): string {
  return [first, ...KEEP, ...headers, '', body].join(CRLF);
}

/** What an attacker hides behind another request. */
const HIDDEN = request([LENGTH], BODY);

interface Attack {
  readonly name: string;
  readonly send: readonly (string | Uint8Array)[];
  /** Statuses that may be answered; closing, or saying nothing, is as good. */
  readonly statuses: readonly number[];
  readonly control: readonly (string | Uint8Array)[];
}

export const plain = [request([LENGTH], BODY)];
const chunked = [request(['Transfer-Encoding: chunked'], CHUNKED)];
const refused = [400, 501, 505];

export const SMUGGLING: readonly Attack[] = [
  {
    name: 'length and chunks',
    send: [request([LENGTH, 'Transfer-Encoding: chunked'], `0${CRLF}${CRLF}${HIDDEN}`)],
    statuses: refused,
    control: chunked,
  },
  { name: 'two lengths', send: [request(['Content-Length: 0', LENGTH], BODY)], statuses: refused, control: plain },
  {
    name: 'two lengths that hide a request',
    send: [request([`Content-Length: ${HIDDEN.length}`, 'Content-Length: 0'], HIDDEN)],
    statuses: refused,
    control: plain,
  },
  {
    name: 'lengths as a list',
    send: [request([`Content-Length: ${BODY.length}, ${BODY.length}`], BODY)],
    statuses: refused,
    control: plain,
  },
  {
    name: 'a signed length',
    send: [request([`Content-Length: +${BODY.length}`], BODY)],
    statuses: refused,
    control: plain,
  },
  { name: 'a negative length', send: [request(['Content-Length: -1'], BODY)], statuses: refused, control: plain },
  {
    name: 'a hexadecimal length',
    send: [request([`Content-Length: 0x${BODY.length.toString(16)}`], BODY)],
    statuses: refused,
    control: plain,
  },
  {
    name: 'a length beyond 2^64',
    send: [request(['Content-Length: 18446744073709551617'], BODY)],
    statuses: [...refused, 413],
    control: plain,
  },
  {
    name: 'another transfer coding',
    send: [request(['Transfer-Encoding: gzip'], CHUNKED)],
    statuses: refused,
    control: chunked,
  },
  {
    name: 'a coding that only ends in chunked',
    send: [request(['Transfer-Encoding: xchunked'], CHUNKED)],
    statuses: refused,
    control: chunked,
  },
  {
    name: 'chunked under another',
    send: [request(['Transfer-Encoding: chunked, gzip'], CHUNKED)],
    statuses: refused,
    control: chunked,
  },
  {
    name: 'two transfer codings',
    send: [request(['Transfer-Encoding: identity', 'Transfer-Encoding: chunked'], CHUNKED)],
    statuses: refused,
    control: chunked,
  },
  {
    name: 'chunked in quotes',
    send: [request(['Transfer-Encoding: "chunked"'], CHUNKED)],
    statuses: refused,
    control: chunked,
  },
  {
    name: 'a space before the colon',
    send: [request([`Content-Length : ${BODY.length}`], BODY)],
    statuses: refused,
    control: plain,
  },
  { name: 'a folded header', send: [request(['X-A: b', ' c', LENGTH], BODY)], statuses: refused, control: plain },
  {
    name: 'lines that end in LF only',
    send: [request([LENGTH], BODY).replaceAll(CRLF, '\n')],
    statuses: refused,
    control: plain,
  },
  { name: 'a zero byte in a name', send: [request(['X\0A: b', LENGTH], BODY)], statuses: refused, control: plain },
  {
    name: 'a chunk of 2^68 bytes',
    send: [request(['Transfer-Encoding: chunked'], `fffffffffffffffff${CRLF}${BODY}`)],
    statuses: [...refused, 413],
    control: chunked,
  },
  {
    name: 'a chunk of 3 GB',
    send: [request(['Transfer-Encoding: chunked'], `c0000000${CRLF}${'x'.repeat(1 << 20)}`), 'x'.repeat(1 << 20)],
    statuses: [...refused, 413],
    control: chunked,
  },
  {
    name: 'a chunk whose size is no number',
    send: [request(['Transfer-Encoding: chunked'], `zz${CRLF}${BODY}${CRLF}0${CRLF}${CRLF}`)],
    statuses: refused,
    control: chunked,
  },
  {
    name: 'a negative chunk',
    send: [request(['Transfer-Encoding: chunked'], `-1${CRLF}${BODY}${CRLF}0${CRLF}${CRLF}`)],
    statuses: refused,
    control: chunked,
  },
  { name: 'two hosts', send: [request(['Host: elsewhere', LENGTH], BODY)], statuses: refused, control: plain },
  {
    name: 'two content types',
    send: [request(['Content-Type: application/x-ndjson', LENGTH], BODY)],
    statuses: refused,
    control: plain,
  },
  {
    name: 'two keys',
    send: [request(['X-Hunt-Key: a', 'X-Hunt-Key: b', LENGTH], BODY)],
    statuses: refused,
    control: plain,
  },
  {
    name: 'an expectation that nobody knows',
    send: [request(['Expect: 200-ok', LENGTH], BODY)],
    statuses: [417],
    control: [request(['Expect: 100-continue', LENGTH]), BODY],
  },
  {
    name: 'HTTP/2 without asking',
    send: ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', HIDDEN],
    statuses: refused,
    control: plain,
  },
  {
    name: 'TLS on a plain port',
    send: [Buffer.from('160301020001000000fc0303', 'hex'), HIDDEN],
    statuses: refused,
    control: plain,
  },
  {
    name: 'an upgrade to HTTP/2 in clear is a plain request',
    send: [
      request(
        ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk', 'Content-Length: 1'],
        'x',
      ).replace('json', 'xml'),
    ],
    statuses: [415],
    control: [
      request(['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk', LENGTH], BODY),
    ],
  },
  {
    name: 'a head of 64 KB',
    send: [request([`X-Long: ${'x'.repeat(65_536)}`, LENGTH], BODY)],
    statuses: [400, 413, 431],
    control: [request([`X-Long: ${'x'.repeat(2000)}`, LENGTH], BODY)],
  },
  {
    name: 'a thousand headers',
    send: [request([...Array.from({ length: 1000 }, (_, i) => `X-${i}: y`), LENGTH], BODY)],
    statuses: [400, 413, 431],
    control: [request([...Array.from({ length: 30 }, (_, i) => `X-${i}: y`), LENGTH], BODY)],
  },
  {
    name: 'a body over the bound by its length',
    send: [request(['Content-Length: 1048577'])],
    statuses: [413],
    control: plain,
  },
  {
    name: 'a body over the bound in chunks',
    send: [request(['Transfer-Encoding: chunked'], `180000${CRLF}${' '.repeat(0x180000)}${CRLF}0${CRLF}${CRLF}`)],
    statuses: [413],
    control: chunked,
  },
  {
    name: 'a body in another charset',
    send: [request([LENGTH], BODY).replace('json', 'json; charset=utf-16')],
    statuses: [415],
    control: [request([LENGTH], BODY).replace('json', 'json; charset="UTF-8"')],
  },
];

export function packed(coding: string, body: Uint8Array): (string | Uint8Array)[] {
  return [request([`Content-Encoding: ${coding}`, `Content-Length: ${body.length}`]), body];
}
export const zeros = Buffer.alloc(64 << 20, ' ');
export const small = Buffer.from(BODY);

export const CODINGS: readonly Attack[] = [
  {
    name: 'a gzip bomb',
    send: packed('gzip', gzipSync(zeros)),
    statuses: [413],
    control: packed('gzip', gzipSync(small)),
  },
  {
    name: 'a brotli bomb',
    send: packed('br', brotliCompressSync(zeros)),
    statuses: [413],
    control: packed('br', brotliCompressSync(small)),
  },
  {
    name: 'a deflate bomb',
    send: packed('deflate', deflateSync(zeros)),
    statuses: [413],
    control: packed('deflate', deflateSync(small)),
  },
  {
    name: 'a bomb without an envelope',
    send: packed('deflate', deflateRawSync(zeros)),
    statuses: [413],
    control: packed('deflate', deflateRawSync(small)),
  },
  {
    name: 'a bomb in a bomb',
    send: packed('gzip, br', brotliCompressSync(gzipSync(zeros))),
    statuses: [413],
    control: packed('gzip, br', brotliCompressSync(gzipSync(small))),
  },
  {
    name: 'four codings',
    send: packed('gzip, gzip, gzip, gzip', gzipSync(gzipSync(gzipSync(gzipSync(small))))),
    statuses: [415],
    control: packed('gzip, gzip', gzipSync(gzipSync(small))),
  },
  { name: 'what is no gzip', send: packed('gzip', small), statuses: [400], control: packed('X-GZIP', gzipSync(small)) },
  {
    name: 'half a gzip',
    send: packed('gzip', gzipSync(small).subarray(0, 30)),
    statuses: [400],
    control: packed('identity, GZip', gzipSync(small)),
  },
  {
    name: 'nothing that is called gzip',
    send: [request(['Content-Encoding: gzip', 'Content-Length: 0'])],
    statuses: [400],
    control: packed('identity', small),
  },
  { name: 'a coding that nobody knows', send: packed('compress', small), statuses: [415], control: packed('', small) },
  {
    name: 'a coding named like a property of objects',
    send: packed('constructor', small),
    statuses: [415],
    control: packed('identity', small),
  },
];
