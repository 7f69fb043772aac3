/** HTTP as browsers and libraries speak it: HEAD, OPTIONS, pages of another origin, other names of content types, pings. */

import { afterEach, describe, expect, test } from 'vitest';
import { frameProto, openStream, readAnswer, startRig, until, type Rig, type RigOptions } from './rig.ts';

let rig: Rig;
afterEach(async () => {
  await rig.stop();
  expect(rig.logged.filter((line) => line.startsWith('FAILED'))).toEqual([]);
});
const start = async (options: RigOptions = {}): Promise<Rig> => (rig = await startRig(options));
const ask = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`${rig.ingress.url}${path}`, init);

const PAGE = 'https://game.example';
const JSON_TYPE = { 'content-type': 'application/json' };

describe('pages of another origin', () => {
  test('that are allowed may ask first, send and read, errors too', async () => {
    await start({ allowOrigins: [PAGE], keys: ['secret'] });
    const preflight = await ask('/v1/events', {
      method: 'OPTIONS',
      headers: {
        origin: PAGE,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,x-hunt-key',
      },
    });
    expect(preflight.status).toBe(204);
    expect(await preflight.text()).toBe('');
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      'access-control-allow-origin': PAGE,
      'access-control-allow-methods': 'POST, OPTIONS',
      'access-control-allow-headers': 'content-type,x-hunt-key',
      vary: 'Origin',
    });
    const headers = { origin: PAGE, 'x-hunt-key': 'secret', ...JSON_TYPE };
    const sent = await ask('/v1/events', { method: 'POST', headers, body: '{"events":[1]}' });
    expect([sent.status, sent.headers.get('access-control-allow-origin')]).toEqual([200, PAGE]);
    const refused = await ask('/v1/events', { method: 'POST', headers: { origin: PAGE, ...JSON_TYPE }, body: '{}' });
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, PAGE]);
  });

  test('that are not allowed are refused, and no browser lets them read even that', async () => {
    await start({ allowOrigins: [PAGE] });
    for (const method of ['OPTIONS', 'POST', 'GET']) {
      const headers = { origin: 'https://elsewhere.example', ...JSON_TYPE };
      const answer = await ask('/v1/events', { method, headers, ...(method === 'POST' ? { body: '{}' } : {}) });
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    }
    expect(rig.echo.taken).toEqual([]);
  });

  test('programs see nothing of it', async () => {
    await start({ allowOrigins: [PAGE] });
    const answer = await ask('/healthz');
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

test('OPTIONS tells what a path takes, and 404 where there is none', async () => {
  await start();
  const allowed = async (path: string) => (await ask(path, { method: 'OPTIONS' })).headers.get('allow');
  expect(await allowed('/v1/events')).toBe('POST, OPTIONS');
  expect(await allowed('/v1/server')).toBe('GET, HEAD, OPTIONS');
  expect((await ask('/nowhere', { method: 'OPTIONS' })).status).toBe(404);
});

test('HEAD is GET without the body', async () => {
  await start();
  rig.ingress.onRequest(({ method }) => ({ status: 200, headers: { 'x-method': method }, body: '0123456789' }));
  for (const path of ['/healthz', '/readyz', '/v1/server', '/v1/entities/player/42']) {
    const get = await ask(path);
    const head = await ask(path, { method: 'HEAD' });
    expect(head.status, path).toBe(get.status);
    expect(head.headers.get('content-length'), path).toBe(String((await get.arrayBuffer()).byteLength));
    expect(await head.text()).toBe('');
  }
  expect((await ask('/v1/server', { method: 'HEAD' })).headers.get('x-method')).toBe('GET');
  // The connection is still in step.
  expect((await ask('/v1/server')).status).toBe(200);
});

test('protobuf under its registered name is answered under that name', async () => {
  await start();
  for (const type of ['application/protobuf', 'application/x-protobuf']) {
    const answer = await ask('/v1/events', {
      method: 'POST',
      headers: { 'content-type': type },
      body: frameProto(3, 2) as unknown as string,
    });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type]);
    expect(readAnswer(Buffer.from(await answer.arrayBuffer()), true)).toMatchObject({ seq: 3, events: 2 });
  }
});

describe('pings', () => {
  test('come to every connection, and answering them keeps it', async () => {
    await start({ limits: { pingMs: 250, idleSeconds: 1 } });
    const streams = await Promise.all([1, 2, 3].map(() => openStream(rig)));
    const pings = streams.map(() => 0);
    streams.forEach((stream, i) => stream.socket.on('ping', () => pings[i]++));
    await until(
      () => pings.every((count) => count >= 8),
      () => `eight pings each, got ${pings.join(', ')}`,
    );
    for (const [i, stream] of streams.entries()) {
      stream.send(1);
      expect((await stream.until(1))[0], String(i)).toMatchObject({ status: 'OK' });
    }
  });

  test('a connection that gives no sign of life is ended, one that only sends is not', async () => {
    await start({ limits: { pingMs: 250, idleSeconds: 1 } });
    const [silent, sending] = await Promise.all(
      ['silent', 'sending'].map((name) => openStream(rig, `?producer=${name}`, 'hunt.v1.proto', {}, false)),
    );
    let seq = 0;
    const timer = setInterval(() => sending!.send(++seq), 100);
    expect(await silent!.closed).toMatchObject({ code: 1001, reason: expect.stringMatching(/no sign of life/) });
    await sending!.until(30);
    clearInterval(timer);
  });
});
