/** `/v1/stream` through real sockets: hello, order, credit, RETRY, duplicates, slow readers, slots used anew. */

import { afterEach, describe, expect, test } from 'vitest';
import { SPOOL_FULL } from '../../native-free-core/layout/control-layout.ts';
import { frameProto, openStream, startRig, until, type Rig, type RigOptions } from './rig.ts';
import { canSharePort } from '../../src/http/choose-transport.ts';
import { testTransport } from '../doors.ts';

let rig: Rig;
afterEach(async () => {
  await rig.stop();
  expect(rig.logged.filter((line) => line.startsWith('FAILED'))).toEqual([]);
});
const start = async (options: RigOptions = {}): Promise<Rig> => (rig = await startRig(options));
const seqs = (answers: readonly { readonly seq: number }[]): number[] => answers.map(({ seq }) => seq);
const oneTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

describe.each(['hunt.v1.proto', 'hunt.v1.json'])('%s', (protocol) => {
  test('hello first, then every frame answered in order', async () => {
    await start();
    const stream = await openStream(rig, '?producer=phone&dedup=1', protocol);
    // Sent before the hello has come: the hello still stands first.
    oneTo(100).forEach((seq) => stream.send(seq, seq % 5));
    expect(await stream.hello).toMatchObject({
      pipeline: 'treasure-hunt',
      pipelineVersion: '7',
      decisions: [
        { name: 'assistance', actions: ['hint', 'continue'] },
        { name: 'trust', actions: ['allow', 'challenge'] },
      ],
      framesInFlight: 256,
      frameBytesMax: 1 << 20,
      frameEventsMax: 8192,
    });
    const answers = await stream.until(100);
    expect(seqs(answers)).toEqual(oneTo(100));
    expect(answers.every(({ status, events, seq }) => status === 'OK' && events === seq % 5)).toBe(true);
    expect(rig.echo.opened).toMatchObject([{ producer: 'phone', dedup: true, stored: false, hello: true }]);
    expect(Math.abs(rig.echo.taken[0].admittedAt - Date.now())).toBeLessThan(20_000);
    const again = await openStream(rig, '?producer=phone', protocol);
    expect(Number((await again.hello).highestSeq)).toBe(100);
  });

  test('what is over the credit is answered RETRY behind the answers that are outstanding', async () => {
    await start({ limits: { framesInFlight: 10 } });
    const stream = await openStream(rig, '?producer=eager', protocol);
    await stream.hello;
    rig.echo.holdDurable = true;
    oneTo(15).forEach((seq) => stream.send(seq, 3));
    await until(
      () => rig.echo.taken.length === 10,
      () => 'ten frames taken',
    );
    await until(
      () => rig.ingress.figures().refusedFrames === 5,
      () => 'five frames refused',
    );
    expect(stream.answers).toEqual([]);
    rig.echo.holdDurable = false;
    const answers = await stream.until(15);
    expect(seqs(answers)).toEqual(oneTo(15));
    expect(answers.map(({ status }) => status)).toEqual([...Array(10).fill('OK'), ...Array(5).fill('RETRY')]);
    expect(answers.slice(10).every(({ retryAfterMs }) => retryAfterMs > 0)).toBe(true);
    expect(rig.ingress.figures()).toMatchObject({ refusedEvents: 15, refusedByProducer: new Map([['eager', 15]]) });
    // Nothing of them was kept: they come in now.
    oneTo(5).forEach((i) => stream.send(10 + i));
    expect(seqs((await stream.until(20)).slice(15))).toEqual([11, 12, 13, 14, 15]);
  });
});

test('a full lane refuses, and what it took is still answered first', async () => {
  await start({ laneBytes: 1 << 16 });
  const stream = await openStream(rig);
  await stream.hello;
  rig.echo.paused = true;
  for (const seq of oneTo(20)) stream.socket.send(frameProto(seq, 1, 8000));
  await until(
    () => rig.ingress.figures().refusedFrames > 0,
    () => 'refused frames',
  );
  rig.echo.paused = false;
  const answers = await stream.until(20);
  const ok = answers.filter(({ status }) => status === 'OK').length;
  expect(ok).toBeGreaterThan(3);
  expect(seqs(answers)).toEqual(oneTo(20));
  expect(answers.slice(ok).every(({ status }) => status === 'RETRY')).toBe(true);
});

test('a full spool refuses with a longer time', async () => {
  await start();
  const stream = await openStream(rig);
  await stream.hello;
  Atomics.store(rig.echo.control, SPOOL_FULL, 1);
  stream.send(1);
  expect(await stream.until(1)).toMatchObject([{ seq: 1, status: 'RETRY', retryAfterMs: 1000 }]);
  Atomics.store(rig.echo.control, SPOOL_FULL, 0);
  stream.send(1);
  expect((await stream.until(2))[1]).toMatchObject({ seq: 1, status: 'OK' });
});

test('the rate limit lets a second of frames through, and says when the next may come', async () => {
  await start({ limits: { framesPerSecondMax: 20 } });
  const stream = await openStream(rig);
  await stream.hello;
  oneTo(40).forEach((seq) => stream.send(seq));
  const answers = await stream.until(40);
  const ok = answers.filter(({ status }) => status === 'OK').length;
  expect(ok).toBeGreaterThanOrEqual(20);
  expect(ok).toBeLessThan(40);
  const { retryAfterMs, seq } = answers.find(({ status }) => status === 'RETRY')!;
  expect(retryAfterMs).toBeLessThanOrEqual(50);
  await until(
    () => {
      stream.send(seq);
      return stream.answers.at(-1)!.status === 'OK';
    },
    () => 'a frame admitted again',
  );
});

test('ack=stored waits for ClickHouse, ack=durable does not', async () => {
  await start();
  rig.echo.holdStored = true;
  const stored = await openStream(rig, '?producer=a&ack=stored');
  const durable = await openStream(rig, '', 'hunt.v1.proto', { 'x-hunt-producer': 'b' });
  await stored.hello;
  stored.send(1);
  durable.send(1);
  await durable.until(1);
  expect(rig.echo.opened.map(({ producer, stored: waits }) => [producer, waits])).toEqual([
    ['a', true],
    ['b', false],
  ]);
  await until(
    () => rig.echo.taken.length === 2,
    () => 'both frames',
  );
  expect(stored.answers).toEqual([]);
  rig.echo.holdStored = false;
  expect(seqs(await stored.until(1))).toEqual([1]);
});

test('while ClickHouse is away, frames that wait for it are refused before their answers fill the lane', async () => {
  await start({ laneBytes: 1 << 16, limits: { framesInFlight: 1024 } });
  rig.echo.holdStored = true;
  rig.echo.padding = 1000;
  const stored = await openStream(rig, '?ack=stored', 'hunt.v1.json');
  await stored.hello;
  for (const seq of oneTo(100)) stored.send(seq);
  await until(
    () => rig.ingress.figures().refusedFrames > 50,
    () => 'refused frames',
  );
  rig.echo.holdStored = false;
  const answers = await stored.until(100);
  expect(seqs(answers)).toEqual(oneTo(100));
});

describe('a duplicate', () => {
  test('holds back later answers until its decisions have been looked up', async () => {
    await start();
    const asked: unknown[] = [];
    let find: (bytes: Uint8Array) => void = () => undefined;
    rig.ingress.onLookup((lookup) => {
      asked.push(lookup);
      return new Promise((done) => (find = done));
    });
    const stream = await openStream(rig, '?producer=phone', 'hunt.v1.json');
    await stream.hello;
    [1, 2, 1, 3, 4].forEach((seq) => stream.send(seq));
    await until(
      () => asked.length === 1 && rig.echo.taken.length === 5,
      () => 'the look-up',
    );
    expect(asked).toMatchObject([{ producer: 'phone', seq: { low: 1, high: 0 }, encoding: 1 }]);
    expect(seqs(await stream.until(2))).toEqual([1, 2]);
    find(Buffer.from('{"seq":"1","status":"DUPLICATE","events":1}'));
    const answers = await stream.until(5);
    expect(seqs(answers)).toEqual([1, 2, 1, 3, 4]);
    expect(answers[2].status).toBe('DUPLICATE');
  });

  test('is answered RETRY where they cannot be looked up, or not in time', async () => {
    await start({ limits: { lookupMsMax: 100 } });
    let fails = true;
    rig.ingress.onLookup(() => (fails ? Promise.reject(new Error('away')) : new Promise(() => undefined)));
    const stream = await openStream(rig, '?producer=phone');
    await stream.hello;
    [1, 1].forEach((seq) => stream.send(seq));
    expect((await stream.until(2))[1]).toMatchObject({ seq: 1, status: 'RETRY' });
    expect(rig.logged).toHaveLength(1);
    fails = false;
    [1, 2].forEach((seq) => stream.send(seq));
    expect((await stream.until(4)).slice(2)).toMatchObject([
      { seq: 1, status: 'RETRY' },
      { seq: 2, status: 'OK' },
    ]);
  });
});

test('what does not parse is answered REJECTED, and the connection lives on', async () => {
  await start();
  const stream = await openStream(rig, '', 'hunt.v1.json');
  await stream.hello;
  stream.socket.send('no json');
  stream.send(1);
  expect((await stream.until(2)).map(({ status }) => status)).toEqual(['REJECTED', 'OK']);
});

test('a client that does not read its answers is cut off with a reason', async () => {
  await start({ laneBytes: 64 << 20, limits: { unreadBytesMax: 1 << 20 } });
  rig.echo.padding = 60_000;
  const stream = await openStream(rig, '', 'hunt.v1.json');
  await stream.hello;
  stream.socket.pause();
  let seq = 0;
  await until(
    () => {
      for (let i = 0; i < 4; i++) stream.send(++seq);
      return rig.echo.closed === 1;
    },
    () => 'the connection closed by the server',
  );
  stream.socket.resume();
  expect(await stream.closed).toMatchObject({ code: 1013, reason: expect.stringMatching(/not read: bytes=\d+/) });
  expect(seqs(stream.answers)).toEqual(oneTo(stream.answers.length));
});

test('answers late: beyond the age of the queue RETRY, behind what is outstanding and alone at once', async () => {
  await start({ limits: { queueAgeMsMax: 100 } });
  const stream = await openStream(rig);
  const other = await openStream(rig);
  await Promise.all([stream.hello, other.hello]);
  rig.echo.holdDurable = true;
  // So many are a queue.
  for (const seq of oneTo(16)) stream.send(seq);
  await until(
    () => rig.ingress.figures().queueAgeMsMax > 100,
    () => 'the queue is old',
  );
  stream.send(17);
  other.send(1, 3);
  const [alone] = await other.until(1);
  expect(alone).toMatchObject({ seq: 1, status: 'RETRY' });
  expect(alone.retryAfterMs).toBeGreaterThanOrEqual(50);
  await until(
    () => rig.ingress.figures().refusedFrames === 2,
    () => 'two frames refused',
  );
  expect(stream.answers).toEqual([]);
  rig.echo.holdDurable = false;
  expect((await stream.until(17)).slice(15).map(({ seq, status }) => [seq, status])).toEqual([
    [16, 'OK'],
    [17, 'RETRY'],
  ]);
  expect(rig.ingress.figures().refusedBecause).toMatchObject({ age: 2, events: 0, frames: 0 });
  stream.send(17);
  expect((await stream.until(18))[17]).toMatchObject({ seq: 17, status: 'OK' });
});

test('the hello says how many events may be in flight; beyond twice as many the answer is RETRY', async () => {
  await start();
  const stream = await openStream(rig);
  expect(await stream.hello).toMatchObject({ eventsInFlight: 6144 });
  const stored = await openStream(rig, '?ack=stored');
  expect(await stored.hello).toMatchObject({ eventsInFlight: 0 });
  rig.echo.holdDurable = true;
  rig.echo.holdStored = true;
  for (const seq of oneTo(8)) stream.send(seq, 2000);
  for (const seq of oneTo(8)) stored.send(seq, 2000);
  await until(
    () => rig.ingress.figures().refusedFrames === 2 && rig.echo.taken.length === 14,
    () => 'two frames refused, fourteen taken',
  );
  rig.echo.holdDurable = false;
  rig.echo.holdStored = false;
  const answers = await stream.until(8);
  expect(seqs(answers)).toEqual(oneTo(8));
  expect(answers.map(({ status }) => status)).toEqual([...Array(6).fill('OK'), ...Array(2).fill('RETRY')]);
  expect((await stored.until(8)).every(({ status }) => status === 'OK')).toBe(true);
  expect(rig.ingress.figures().refusedBecause).toMatchObject({ events: 2, age: 0 });
});

test('a client that ignores its credit is cut off', async () => {
  await start({ limits: { framesInFlight: 10 } });
  const stream = await openStream(rig);
  await stream.hello;
  rig.echo.holdDurable = true;
  oneTo(30).forEach((seq) => stream.send(seq));
  expect(await stream.closed).toMatchObject({ code: 1008 });
  rig.echo.holdDurable = false;
});

test('a frame over the limit closes the connection', async () => {
  await start();
  const stream = await openStream(rig);
  await stream.hello;
  stream.socket.send(new Uint8Array((1 << 20) + 1));
  await stream.closed;
  await until(
    () => rig.echo.closed === 1,
    () => 'CLOSE at the worker',
  );
});

test('answers for a connection that has gone do not reach the next one on its slot', async () => {
  await start();
  const first = await openStream(rig, '?producer=first');
  await first.hello;
  rig.echo.holdDurable = true;
  oneTo(50).forEach((seq) => first.send(seq));
  await until(
    () => rig.echo.taken.length === 50,
    () => 'fifty frames',
  );
  first.socket.terminate();
  await until(
    () => rig.echo.closed === 1,
    () => 'CLOSE at the worker',
  );
  const second = await openStream(rig, '?producer=second');
  await until(
    () => rig.echo.opened.length === 2,
    () => 'the second OPEN',
  );
  const [a, b] = rig.echo.opened;
  expect([b.slot, b.generation]).toEqual([a.slot, a.generation + 1]);
  second.send(1000);
  await until(
    () => rig.echo.taken.length === 51,
    () => 'the frame of the second',
  );
  rig.echo.holdDurable = false;
  expect(seqs(await second.until(1))).toEqual([1000]);
});

test('a producer stays on one worker, others are spread', async () => {
  await start({ workers: 4 });
  for (let i = 0; i < 3; i++) await openStream(rig, '?producer=phone');
  for (let i = 0; i < 4; i++) await openStream(rig);
  await until(
    () => rig.echo.opened.length === 7,
    () => 'seven OPENs',
  );
  const named = rig.echo.opened.filter(({ producer }) => producer !== '').map(({ worker }) => worker);
  const others = rig.echo.opened.filter(({ producer }) => producer === '').map(({ worker }) => worker);
  expect(new Set(named).size).toBe(1);
  expect(new Set(others).size).toBe(4);
});

test.skipIf(!canSharePort(testTransport()))('several threads share one port', async () => {
  await start({ ingresses: 2, workers: 2 });
  const streams = await Promise.all(oneTo(24).map(() => openStream(rig)));
  streams.forEach((stream) => oneTo(20).forEach((seq) => stream.send(seq)));
  for (const stream of streams) expect(seqs(await stream.until(20))).toEqual(oneTo(20));
  expect(new Set(rig.echo.opened.map(({ ingress }) => ingress)).size).toBe(2);
  await until(
    () => rig.ingress.figures().frames === 480,
    () => 'the counters of both',
  );
});

test('what is wrong with an upgrade is said', async () => {
  await start({ keys: ['secret'] });
  await expect(openStream(rig)).rejects.toThrow(/401 .*API key/);
  await expect(openStream(rig, '?key=wrong')).rejects.toThrow(/401/);
  await expect(openStream(rig, '?key=secret', 'hunt.v9')).rejects.toThrow(/400 .*hunt.v1.proto or hunt.v1.json/);
  await expect(openStream(rig, '?key=secret&ack=later')).rejects.toThrow(/400 .*durable or stored/);
  await expect(openStream(rig, `?key=secret&producer=${'x'.repeat(201)}`)).rejects.toThrow(/400 .*at most 200/);
  for (const headers of [{ 'x-hunt-key': 'secret' }, { authorization: 'Bearer secret' }]) {
    await (
      await openStream(rig, '', 'hunt.v1.proto', headers as Record<string, string>)
    ).hello;
  }
  await (
    await openStream(rig, '?key=secret')
  ).hello;
});

test('stop: what is with the workers is answered, nothing new comes in, connections close with 1001', async () => {
  await start();
  const stream = await openStream(rig);
  await stream.hello;
  rig.echo.holdDurable = true;
  oneTo(5).forEach((seq) => stream.send(seq));
  await until(
    () => rig.echo.taken.length === 5,
    () => 'five frames',
  );
  const stopped = rig.ingress.stop();
  await until(
    () => {
      stream.send(6);
      return rig.ingress.figures().refusedFrames > 0;
    },
    () => 'frames refused',
  );
  await expect(openStream(rig)).rejects.toThrow();
  rig.echo.holdDurable = false;
  expect(await stream.closed).toMatchObject({ code: 1001 });
  await stopped;
  expect(seqs(stream.answers.slice(0, 5))).toEqual(oneTo(5));
  expect(new Set(stream.answers.slice(5).map(({ status }) => status))).toEqual(new Set(['RETRY']));
});
