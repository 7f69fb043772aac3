/**
 * HTTP as attackers speak it, to real ingress threads: requests that two readers could cut apart differently, heads and
 * bodies without end in bytes or in time, bodies that unpack to something huge. Nothing of them may reach a worker, nobody
 * else may notice, and the harmless neighbour of each must pass.
 */

import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { frameJson, startRig, until, type Rig } from '../ingress/rig.ts';
import { patient } from '../patience.ts';
import { KEY_HEADERS, isKeyed, testTransport } from '../doors.ts';
import { sendRaw, type RawAnswer } from './raw-http.ts';

const CRLF = '\r\n';
const BODY = frameJson(1, 1);
const LENGTH = `Content-Length: ${BODY.length}`;
const CHUNKED = `${BODY.length.toString(16)}${CRLF}${BODY}${CRLF}0${CRLF}${CRLF}`;
const KEEP = [
  'Host: hunt.test',
  'Content-Type: application/json',
  ...Object.entries(KEY_HEADERS).map(([name, value]) => `${name}: ${value}`),
];

function request(headers: readonly string[], body = '', first = 'POST /v1/events HTTP/1.1'): string {
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

const plain = [request([LENGTH], BODY)];
const chunked = [request(['Transfer-Encoding: chunked'], CHUNKED)];
const refused = [400, 501, 505];

const SMUGGLING: readonly Attack[] = [
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

function packed(coding: string, body: Uint8Array): (string | Uint8Array)[] {
  return [request([`Content-Encoding: ${coding}`, `Content-Length: ${body.length}`]), body];
}
const zeros = Buffer.alloc(64 << 20, ' ');
const small = Buffer.from(BODY);

const CODINGS: readonly Attack[] = [
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

const transport = testTransport();

describe(`over ${transport}`, () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig({ allowHosts: ['hunt.test'], limits: { bodyMsMax: 1500 } });
  });
  afterAll(async () => {
    await rig.stop();
    expect(rig.logged.filter((line) => line.startsWith('FAILED'))).toEqual([]);
  });

  const taken = (): number => rig.echo.taken.length;
  const send = (pieces: readonly (string | Uint8Array)[]): Promise<RawAnswer> =>
    sendRaw(rig.ingress.port, pieces, { quietMs: 80, msMax: patient(700) });

  test.each([...SMUGGLING, ...CODINGS])('$name', async ({ send: pieces, statuses, control }) => {
    const before = taken();
    const answer = await send(pieces);
    for (const status of answer.statuses) expect(statuses, answer.text).toContain(status);
    expect(answer.statuses.length, answer.text).toBeLessThanOrEqual(1);
    expect(taken()).toBe(before);
    const passed = await send(control);
    expect(passed.statuses, passed.text).toEqual([200]);
    expect(taken()).toBe(before + 1);
  });

  test.runIf(isKeyed)('without the key nothing is unpacked, and nothing taken', async () => {
    const before = taken();
    const withoutKey = (pieces: readonly (string | Uint8Array)[]): (string | Uint8Array)[] =>
      pieces.map((piece) => (typeof piece === 'string' ? piece.replace(/authorization: .*\r\n/g, '') : piece));
    for (const { control } of CODINGS) expect((await send(withoutKey(control))).statuses).toEqual([401]);
    expect(taken()).toBe(before);
    expect((await send(plain)).statuses).toEqual([200]);
  });

  test('of a bomb the bound is named, of an unknown coding its name and those that are known', async () => {
    const bomb = await send(packed('gzip', gzipSync(zeros)));
    expect(bomb.text).toContain('more than 1048576 bytes');
    const unknown = await send(packed('zip', small));
    expect(unknown.text).toMatch(/content-encoding=zip; send gzip, deflate, br/);
    expect(unknown.text).toMatch(/accept-encoding: gzip, deflate, br/i);
    expect((await send(packed('zstd', small))).statuses).toEqual([400]);
  });

  test('what is answered is what is stored: pipelined requests in one piece', async () => {
    const before = taken();
    const answer = await send([request([LENGTH], BODY).repeat(3)]);
    expect(answer.statuses.every((status) => status === 200)).toBe(true);
    expect(taken() - before).toBe(answer.statuses.length);
    // The library of the one closes the connection; the other answers in turn.
    expect(answer.statuses.length).toBe(transport === 'node' ? 3 : 0);
  });

  test('pipelined requests in pieces of their own wait for one another', async () => {
    const before = taken();
    rig.echo.holdDurable = true;
    const answer = sendRaw(rig.ingress.port, Array(2).fill(request([LENGTH], BODY)));
    await until(
      () => taken() > before,
      () => 'the first frame',
    );
    await new Promise((next) => setTimeout(next, 200));
    rig.echo.holdDurable = false;
    expect((await answer).statuses).toEqual([200, 200]);
    expect(taken() - before).toBe(2);
  });

  test('a request before garbage is answered', async () => {
    const before = taken();
    const answer = await send([request([LENGTH], BODY), 'GARBAGE\r\n\r\n']);
    expect(answer.statuses[0]).toBe(200);
    expect(taken() - before).toBe(1);
  });

  test('a body of single bytes costs no more than it holds', async () => {
    const bytes = `1${CRLF} ${CRLF}`.repeat(100_000);
    const answer = await send([request(['Transfer-Encoding: chunked'], `${bytes}${CHUNKED}`)]);
    expect(answer.statuses).toEqual([200]);
  });

  test('bodies and heads that trickle are ended in time, and others are served meanwhile', async () => {
    const before = taken();
    const slowly = (pieces: readonly string[]): Promise<RawAnswer> =>
      sendRaw(rig.ingress.port, pieces, { pauseMs: 400, msMax: 20_000, quietMs: 1000 });
    const started = performance.now();
    const silence = sendRaw(rig.ingress.port, [`POST /v1/events HTTP/1.1${CRLF}Host: 127`], { msMax: 20_000 });
    const body = slowly([request([LENGTH]), ...BODY.slice(0, 8).split('')]);
    const head = slowly(
      Array.from({ length: 40 }, (_, i) => (i === 0 ? 'POST /v1/events HTTP/1.1\r\n' : `X-${i}: y\r\n`)),
    );
    expect((await send(plain)).statuses).toEqual([200]);
    expect((await body).statuses).toEqual([408]);
    expect(performance.now() - started).toBeLessThan(8000);
    expect((await send(plain)).statuses).toEqual([200]);
    expect((await head).closed).toBe(true);
    expect((await silence).closed).toBe(true);
    expect(performance.now() - started).toBeLessThan(18_000);
    expect(taken() - before).toBe(2);
  }, 30_000);

  test('HTTP/1.0: answered and ended where the library speaks it, else refused with nothing stored', async () => {
    const before = taken();
    const old = (headers: readonly string[]): string => request([LENGTH, ...headers], BODY, 'POST /v1/events HTTP/1.0');
    const answer = await send([old([])]);
    const kept = await send([old(['Connection: keep-alive'])]);
    const expected = transport === 'node' ? 200 : 505;
    expect([...answer.statuses, ...kept.statuses]).toEqual([expected, expected]);
    expect(answer.closed).toBe(true);
    expect(kept.closed).toBe(transport === 'uws');
    expect(answer.text).not.toMatch(/transfer-encoding/i);
    expect(taken() - before).toBe(transport === 'node' ? 2 : 0);
  });
});
