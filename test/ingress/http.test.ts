/** HTTP on the events' port, through real sockets: frames, look-ups, control requests, and what is said to wrong ones. */

import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { frameJson, frameProto, openStream, readAnswer, startRig, until, type Rig, type RigOptions } from './rig.ts';

let rig: Rig;
afterEach(async () => {
  await rig.stop();
  expect(rig.logged.filter((line) => line.startsWith('FAILED'))).toEqual([]);
});
const start = async (options: RigOptions = {}): Promise<Rig> => (rig = await startRig(options));

const PROTO = 'application/x-protobuf';
const JSON_TYPE = 'application/json';
const NDJSON = 'application/x-ndjson';

interface Posted {
  readonly status: number;
  readonly headers: Headers;
  readonly answer: ReturnType<typeof readAnswer>;
}

async function post(body: string | Uint8Array, type: string, headers: Record<string, string> = {}): Promise<Posted> {
  const response = await fetch(`${rig.ingress.url}/v1/events`, {
    method: 'POST',
    body: body as string,
    headers: { 'content-type': type, ...headers },
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  return {
    status: response.status,
    headers: response.headers,
    answer: readAnswer(bytes, type === PROTO && response.status !== 415),
  };
}

async function problem(
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; code: string; message: string }> {
  const response = await fetch(`${rig.ingress.url}${path}`, init);
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return { status: response.status, ...error };
}

describe('names that nobody knows', () => {
  const json = { method: 'POST', body: '{"events":[]}' };
  const typed = (headers: Record<string, string>): RequestInit => ({
    ...json,
    headers: { 'content-type': JSON_TYPE, ...headers },
  });
  test.each<[string, RequestInit, RegExp]>([
    ['/v1/events?producr=a', typed({}), /unknown parameter: producr; did you mean producer\?/],
    ['/v1/events?producer=a&producer=b', typed({}), /given twice: parameter=producer/],
    ['/v1/events?producer=a', typed({ 'x-hunt-producer': 'b' }), /differently: producer/],
    ['/v1/events?dedup=yes', typed({}), /not served: dedup=yes/],
    ['/v1/events', typed({ 'x-hunt-producr': 'a' }), /unknown header: x-hunt-producr; did you mean x-hunt-producer\?/],
    ['/v1/events', typed({ 'x-hunt-sequence': '1' }), /unknown header: x-hunt-sequence/],
    ['/v1/entities/player/7?att=now', {}, /unknown parameter: att; did you mean at\?/],
    ['/v1/server?verbose=1', {}, /unknown parameter: verbose; \/v1\/server takes key/],
    ['/v1/pipeline', { headers: { 'x-hunt-seq': '1' } }, /unknown header: x-hunt-seq/],
  ])('%s', async (path, init, message) => {
    await start();
    expect(await problem(path, init)).toMatchObject({ status: 400, message: expect.stringMatching(message) });
  });

  test('what is known, and what is not ours, goes', async () => {
    await start();
    const headers = { 'x-hunt-producer': 'a', 'x-request-id': '1', 'content-type': JSON_TYPE };
    const url = `${rig.ingress.url}/v1/events?producer=a&ack=durable&dedup=1&key=`;
    expect((await fetch(url, { method: 'POST', body: frameJson(1, 1), headers })).status).toBe(200);
    expect((await fetch(`${rig.ingress.url}/healthz?from=balancer`)).status).toBe(200);
  });
});

describe('POST /v1/events', () => {
  test('protobuf, JSON and NDJSON, answered in their own type', async () => {
    await start();
    const proto = await post(frameProto(7, 3), PROTO, { 'x-hunt-producer': 'p' });
    expect(proto).toMatchObject({ status: 200, answer: { seq: 7, status: 'OK', events: 3 } });
    expect(proto.headers.get('content-type')).toBe(PROTO);
    const json = await post(frameJson(8, 2), `${JSON_TYPE}; charset=utf-8`, {
      'x-hunt-producer': 'j',
      'x-hunt-dedup': '1',
    });
    expect(json).toMatchObject({ status: 200, answer: { seq: 8, status: 'OK', events: 2 } });
    expect(json.headers.get('content-type')).toBe(JSON_TYPE);
    const lines = await post('{"a":1}\n\n{"b":2}\n', NDJSON, {
      'x-hunt-producer': 'n',
      'x-hunt-seq': '9007199254740990',
    });
    expect(lines).toMatchObject({ status: 200, answer: { seq: 9007199254740990, events: 2 } });
    const inHeader = await post('{"events":[1]}', JSON_TYPE, { 'x-hunt-seq': '5', 'x-hunt-producer': 'j' });
    expect(inHeader.answer.seq).toBe(5);
    expect(rig.echo.opened).toMatchObject([
      { producer: 'p', encoding: 0, dedup: false, hello: false },
      { producer: 'j', encoding: 1, dedup: true, hello: false },
      { producer: 'n', encoding: 2 },
      { producer: 'j', encoding: 1, dedup: false },
    ]);
  });

  test('requests of one producer share a session and are answered each its own', async () => {
    await start();
    const seqs = Array.from({ length: 50 }, (_, i) => i + 1);
    const answers = await Promise.all(seqs.map((seq) => post(frameProto(seq, 1), PROTO, { 'x-hunt-producer': 'p' })));
    expect(answers.map(({ answer }) => answer.seq)).toEqual(seqs);
    expect(rig.echo.opened).toHaveLength(1);
  });

  test('ack=stored waits for ClickHouse', async () => {
    await start();
    rig.echo.holdStored = true;
    const stored = post(frameProto(1, 1), PROTO, { 'x-hunt-ack': 'stored' });
    expect((await post(frameProto(2, 1), PROTO)).status).toBe(200);
    await until(
      () => rig.echo.taken.length === 2,
      () => 'both frames',
    );
    rig.echo.holdStored = false;
    expect((await stored).answer.seq).toBe(1);
  });

  test('a large body in many pieces comes whole', async () => {
    await start();
    const { status, answer } = await post(frameProto(1, 100, 10_000), PROTO);
    expect({ status, events: answer.events }).toEqual({ status: 200, events: 100 });
  });

  test('a duplicate is answered with what was looked up', async () => {
    await start();
    rig.ingress.onLookup(async () => Buffer.from('{"seq":"1","status":"DUPLICATE","events":1}'));
    const headers = { 'x-hunt-producer': 'p' };
    await post(frameJson(1, 1), JSON_TYPE, headers);
    expect(await post(frameJson(1, 1), JSON_TYPE, headers)).toMatchObject({
      status: 200,
      answer: { status: 'DUPLICATE' },
    });
  });

  test('REJECTED is 400, RETRY is 429 and says when', async () => {
    await start({ laneBytes: 1 << 16 });
    expect(await post('no json', JSON_TYPE)).toMatchObject({ status: 400, answer: { status: 'REJECTED' } });
    rig.echo.paused = true;
    const posted = Array.from({ length: 12 }, (_, i) => post(frameProto(i + 1, 1, 8000), PROTO));
    const refused = await Promise.race(posted);
    expect(refused).toMatchObject({ status: 429, answer: { status: 'RETRY', retryAfterMs: 20 } });
    expect(refused.headers.get('retry-after')).toBe('1');
    rig.echo.paused = false;
    const statuses = (await Promise.all(posted)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
  });

  test('wrong requests are told what to do', async () => {
    await start({ limits: { bodyMsMax: 300 } });
    const send = (headers: Record<string, string>, body = '{}') =>
      problem('/v1/events', { method: 'POST', headers, body });
    expect(await send({ 'content-type': 'text/plain' })).toMatchObject({
      status: 415,
      message: expect.stringContaining('application/x-protobuf, application/json, application/x-ndjson'),
    });
    expect(await send({ 'content-type': JSON_TYPE, 'x-hunt-ack': 'later' })).toMatchObject({
      status: 400,
      code: 'unknown_ack',
    });
    for (const seq of ['0', '-1', 'x', '9007199254740992']) {
      expect(await send({ 'content-type': JSON_TYPE, 'x-hunt-seq': seq })).toMatchObject({
        status: 400,
        code: 'bad_seq',
      });
    }
    expect(await send({ 'content-type': JSON_TYPE }, 'x'.repeat((1 << 20) + 1))).toMatchObject({
      status: 413,
      code: 'body_too_large',
    });
    const chunked = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 40; i++) controller.enqueue(new Uint8Array(32 << 10));
        controller.close();
      },
    });
    const init = {
      method: 'POST',
      headers: { 'content-type': JSON_TYPE },
      body: chunked,
      duplex: 'half',
    } as RequestInit;
    expect(await problem('/v1/events', init)).toMatchObject({ status: 413, code: 'body_too_large' });
    expect(await problem('/v1/events')).toMatchObject({ status: 405 });
    expect(
      await slowly(
        `POST /v1/events HTTP/1.1\r\nhost: 127.0.0.1:${rig.ingress.port}\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{`,
      ),
    ).toMatch(/^HTTP\/1.1 408/);
  });

  test('a client that hangs up takes nobody else with it', async () => {
    await start();
    rig.echo.holdDurable = true;
    const gone = new AbortController();
    const aborted = fetch(`${rig.ingress.url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': PROTO },
      body: frameProto(1, 1) as unknown as string,
      signal: gone.signal,
    });
    await until(
      () => rig.echo.taken.length === 1,
      () => 'the first frame',
    );
    const second = post(frameProto(2, 1), PROTO);
    await until(
      () => rig.echo.taken.length === 2,
      () => 'the second frame',
    );
    gone.abort();
    await expect(aborted).rejects.toThrow();
    rig.echo.holdDurable = false;
    expect((await second).answer.seq).toBe(2);
  });

  test('what is with the workers at a stop is answered', async () => {
    await start();
    rig.echo.holdDurable = true;
    const answer = post(frameProto(1, 1), PROTO);
    await until(
      () => rig.echo.taken.length === 1,
      () => 'the frame',
    );
    const stopped = rig.ingress.stop();
    rig.echo.holdDurable = false;
    expect((await answer).status).toBe(200);
    await stopped;
  });
});

/** Writes the beginning of a request and waits for what comes back. */
function slowly(text: string): Promise<string> {
  const { port } = rig.ingress;
  return new Promise((done, failed) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.once('data', (bytes) => {
      done(bytes.toString());
      socket.destroy();
    });
    socket.once('error', failed);
  });
}

describe('GET /v1/entities', () => {
  test('asks a worker, with the key as it was written', async () => {
    await start({ workers: 2 });
    const get = async (path: string) => {
      const response = await fetch(`${rig.ingress.url}/v1/entities/${path}`);
      return { status: response.status, body: await response.json() };
    };
    expect(await get('player/42')).toEqual({ status: 200, body: { entity: 0, key: '42' } });
    expect(await get('team/7,St%2C%20Pauli%2F%C3%A9')).toEqual({
      status: 200,
      body: { entity: 1, key: '7,St%2C%20Pauli%2F%C3%A9' },
    });
    expect(await get('player/nobody')).toMatchObject({ status: 404 });
    expect(await problem('/v1/entities/dragon/1')).toMatchObject({
      status: 404,
      code: 'unknown_entity',
      message: expect.stringContaining('player, team'),
    });
    expect(await problem(`/v1/entities/player/${'9'.repeat(4097)}`)).toMatchObject({
      status: 400,
      code: 'key_too_long',
    });
    expect(await problem('/v1/entities/player/1?at=yesterday')).toMatchObject({ status: 400 });
  });

  test('a worker that does not answer is waited for only so long', async () => {
    await start({ limits: { answerMsMax: 200 } });
    rig.echo.paused = true;
    expect(await problem('/v1/entities/player/42')).toMatchObject({ status: 504 });
    rig.echo.paused = false;
    // Its late answer finds nobody, and the slot serves the next.
    await until(
      () => rig.echo.reads.length === 1,
      () => 'the late read',
    );
    expect((await fetch(`${rig.ingress.url}/v1/entities/player/43`)).status).toBe(200);
  });
});

describe('control requests', () => {
  test('health and readiness', async () => {
    await start({ keys: ['secret'] });
    const status = async (path: string) => (await fetch(rig.ingress.url + path)).status;
    expect(await status('/healthz')).toBe(200);
    expect(await status('/readyz')).toBe(503);
    rig.ingress.setReady({ ready: true, failing: [] });
    await expect.poll(() => status('/readyz')).toBe(200);
    rig.ingress.setReady({ ready: false, failing: [{ part: 'storing', reason: 'a table is gone' }] });
    await expect.poll(() => status('/readyz')).toBe(503);
  });

  test('are answered by whoever has been set on the main thread', async () => {
    await start();
    expect(await problem('/v1/ledger')).toMatchObject({ status: 503, code: 'starting' });
    rig.ingress.onRequest(async ({ method, path, query, headers, body }) => {
      if (path === '/v1/server') throw new Error('broken');
      if (path === '/v1/lists') return { status: 404, headers: {}, body: new Uint8Array([1, 2, 3]) };
      const text = JSON.stringify({ method, path, query, type: headers['content-type'], bytes: body.length });
      return { status: 201, headers: { 'content-type': 'application/json', 'x-more': 'yes' }, body: text };
    });
    const body = 'x'.repeat(3 << 20);
    const response = await fetch(`${rig.ingress.url}/v1/pipelines?key=a%20b`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json; charset=utf-8' },
    });
    expect(response.status).toBe(201);
    expect(response.headers.get('x-more')).toBe('yes');
    expect(await response.json()).toEqual({
      method: 'POST',
      path: '/v1/pipelines',
      query: 'key=a%20b',
      type: 'application/json; charset=utf-8',
      bytes: 3 << 20,
    });
    expect(await (await fetch(`${rig.ingress.url}/v1/ledger`)).json()).toMatchObject({ method: 'GET', bytes: 0 });
    const bytes = await fetch(`${rig.ingress.url}/v1/lists`);
    expect([bytes.status, ...new Uint8Array(await bytes.arrayBuffer())]).toEqual([404, 1, 2, 3]);
    expect(await problem('/v1/server')).toMatchObject({ status: 500, code: 'internal' });
    expect(
      await problem('/v1/pipelines/rules', {
        method: 'POST',
        body: 'x'.repeat((4 << 20) + 1),
        headers: { 'content-type': 'application/json' },
      }),
    ).toMatchObject({
      status: 413,
    });
  });

  test('that are not answered in time end with 504', async () => {
    await start({ limits: { answerMsMax: 200 } });
    rig.ingress.onRequest(() => new Promise(() => undefined));
    expect(await problem('/v1/ledger')).toMatchObject({ status: 504, code: 'no_answer' });
  });

  test('need a key where there are keys', async () => {
    await start({ keys: ['one', 'two'] });
    rig.ingress.onRequest(() => ({ status: 200, headers: {}, body: '{}' }));
    expect(await problem('/v1/ledger')).toMatchObject({ status: 401, code: 'unauthorized' });
    expect(await problem('/v1/entities/player/1')).toMatchObject({ status: 401 });
    expect(await problem('/v1/events', { method: 'POST', headers: { 'x-hunt-key': 'three' } })).toMatchObject({
      status: 401,
    });
    for (const headers of [{ 'x-hunt-key': 'one' }, { authorization: 'bearer two' }]) {
      expect((await fetch(`${rig.ingress.url}/v1/ledger`, { headers: headers as Record<string, string> })).status).toBe(
        200,
      );
    }
  });
});

test('counters tell what came in and what went out', async () => {
  await start();
  const stream = await openStream(rig);
  await stream.hello;
  const frame = frameProto(1, 2);
  stream.socket.send(frame);
  await post(frame, PROTO);
  await stream.until(1);
  await until(
    () => rig.ingress.figures().answers === 2,
    () => 'the counters',
  );
  expect(rig.ingress.figures()).toEqual({
    connections: 1,
    frames: 2,
    bytes: frame.length * 2,
    answers: 2,
    busySeconds: expect.any(Number) as number,
    queueAgeMsMax: expect.any(Number) as number,
    eventsInFlightMax: 6144,
    refusedFrames: 0,
    refusedBecause: { closed: 0, frames: 0, events: 0, age: 0, stored: 0, rate: 0, lane: 0 },
    refusedEvents: 0,
    refusedByProducer: new Map(),
    refusedConnections: 0,
  });
});
