/**
 * HTTP as attackers speak it, to real ingress threads: requests that two readers could cut apart differently, heads and
 * bodies without end in bytes or in time, bodies that unpack to something huge. Nothing of them may reach a worker, nobody
 * else may notice, and the harmless neighbour of each must pass.
 */

import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRig, until, type Rig } from '../ingress/rig.ts';
import { patient } from '../patience.ts';
import { isKeyed, testTransport } from '../doors.ts';
import {
  BODY,
  CHUNKED,
  CODINGS,
  CRLF,
  LENGTH,
  SMUGGLING,
  packed,
  plain,
  request,
  small,
  zeros,
} from './http-attacks.ts';
import { sendRaw, type RawAnswer } from './raw-http.ts';

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
