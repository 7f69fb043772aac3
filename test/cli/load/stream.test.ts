/** A connection of the load generator against a server that refuses, hangs up and comes back. */

import { build } from 'hdr-histogram-js';
import { afterEach, expect, test } from 'vitest';
import { serverAddress } from '../../../client/src/address.ts';
import { readAnswerFigures } from '../../../src/cli/load/answer-bytes.ts';
import { gameEvents } from '../../../src/examples/treasure-hunt/load-events.ts';
import { createFrameMaker } from '../../../src/cli/load/frames/frame-maker.ts';
import { eventFields } from '../../../src/cli/load/frames/key-fields.ts';
import { seeded } from '../../../src/cli/load/random.ts';
import { SentTimes } from '../../../src/cli/load/sent-times.ts';
import { LoadStream, type StreamOptions } from '../../../src/cli/load/load-stream.ts';
import { openWebSocketTransport } from '../../../src/cli/load/load-transport.ts';
import { loadPipeline } from '../../../src/config/index.ts';
import { defaultPipeline } from '../../../src/config/default-pipeline.ts';
import { startWireServer, type WireServer, type WireServerOptions } from '../../client/wire-server.ts';

const EVENTS = 3;
const plan = await loadPipeline(defaultPipeline());
const fields = eventFields(plan, { player: 1000, hunt: 100 });
const maker = createFrameMaker(plan, fields, gameEvents(plan, undefined), {
  eventsPerFrame: EVENTS,
  connections: 1,
  templateBytes: 1 << 16,
  zipfExponent: 1,
  seed: 1,
  webSocket: true,
});
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function serve(options: WireServerOptions): Promise<WireServer> {
  const server = await startWireServer(options);
  open.push(server);
  return server;
}

async function connect(server: WireServer, options: Partial<StreamOptions> = {}): Promise<LoadStream> {
  const stream = new LoadStream({
    address: serverAddress(server.url, undefined),
    open: openWebSocketTransport,
    producer: 'load-test-00',
    prefix: 'test00',
    ack: 'durable',
    maker,
    eventsPerFrame: EVENTS,
    framesInFlightMax: Infinity,
    bytesInFlightMax: Infinity,
    reconnectMs: 5000,
    latency: build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: 600_000_000,
      numberOfSignificantValueDigits: 3,
    }),
    warn: () => undefined,
    settled: () => undefined,
    ...options,
  });
  open.push(stream);
  await stream.connect();
  return stream;
}

/** As run-load.ts does: hands out what goes, sends again what must, until all are answered. */
async function sendAll(stream: LoadStream, frames: number): Promise<void> {
  await expect
    .poll(
      () => {
        if (stream.failure !== null) throw stream.failure;
        stream.send(frames - stream.sent, 0, -1);
        return stream.sent === frames && stream.unanswered === 0;
      },
      { interval: 1, timeout: 20_000 },
    )
    .toBe(true);
}

test('RETRY and lost connections: every number is taken once, and what is sent again is the same bytes', async () => {
  const seed = 4;
  const random = seeded(seed);
  const server = await serve({
    framesInFlight: 32,
    fate: () => {
      const dice = random();
      return dice < 0.003 ? 'end' : dice < 0.006 ? 'take-and-end' : dice < 0.03 ? 'retry' : 'ok';
    },
  });
  const stream = await connect(server);
  await sendAll(stream, 2000);
  expect(server.connections(), `seed=${seed}`).toBeGreaterThan(2);
  expect(stream).toMatchObject({ sent: 2000, answered: 2000, rejectedFrames: 0, lowest: 2001, inFlight: 0 });
  expect(stream.reconnects).toBe(server.connections() - 1);
  expect(stream.retried).toBeGreaterThan(10);
  expect([...server.taken.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: 2000 }, (_, i) => i + 1));
  let again = 0;
  for (const copies of server.raw.values()) {
    again += copies.length - 1;
    expect(copies.every((copy) => copy.equals(copies[0]))).toBe(true);
  }
  // What was on its way when a connection ended may never have come.
  expect(again).toBeGreaterThanOrEqual(stream.retried);
  expect(again).toBeLessThanOrEqual(stream.retried + stream.resent);
  expect(server.inFlightMost()).toBeLessThanOrEqual(32);
});

test('no number runs away from one that is asked for again', async () => {
  let refused = 0;
  const server = await serve({
    framesInFlight: 1024,
    retryAfterMs: 1,
    fate: ({ seq }) => (seq === 3 && refused++ < 20 ? 'retry' : 'ok'),
  });
  const stream = await connect(server);
  await sendAll(stream, 3000);
  const before = server.seen.slice(
    0,
    server.seen.findLastIndex(({ seq }) => seq === 3),
  );
  expect(Math.max(...before.map(({ seq }) => seq))).toBeLessThan(3 + 1024);
});

test('bytes in flight are bounded, but one frame always goes', async () => {
  const server = await serve({ framesInFlight: 64 });
  await sendAll(await connect(server, { bytesInFlightMax: 1 }), 20);
  expect(server.inFlightMost()).toBe(1);
});

test('what stays unanswered is known by number', async () => {
  const server = await serve({ framesInFlight: 8, fate: ({ seq }) => (seq === 2 || seq === 5 ? 'hold' : 'ok') });
  const stream = await connect(server);
  stream.send(6, 0, -1);
  await expect.poll(() => stream.answered).toBe(4);
  expect(stream.unansweredSeqs()).toEqual([2, 5]);
  expect(stream).toMatchObject({ lowest: 2, unanswered: 2 });
});

test('a server that stays away ends the stream, and says so', async () => {
  const server = await serve({ fate: () => 'hold' });
  const stream = await connect(server, { reconnectMs: 150 });
  stream.send(1, 0, -1);
  await server.close();
  await expect.poll(() => stream.failure?.message, { timeout: 5000 }).toMatch(/did not come back/);
});

test('answers of every kind, read in place', () => {
  const figures = { seq: 0, status: 0, rejections: 0, retryAfterMs: 0, eventsInFlight: 0 };
  const seq = [0x09, 1, 0, 0, 0, 1, 0, 0, 0];
  readAnswerFigures(
    Uint8Array.from([7, 7, ...seq, 0x10, 1, 0x1a, 3, 1, 2, 0, 0x22, 2, 8, 1, 0x22, 0, 0x30, 0x80, 1, 9]),
    2,
    27,
    figures,
  );
  expect(figures).toEqual({ seq: 2 ** 32 + 1, status: 1, rejections: 2, retryAfterMs: 0, eventsInFlight: 0 });
  readAnswerFigures(Uint8Array.from([...seq, 0x10, 4, 0x28, 0xe8, 7, 0x40, 0x80, 0x30]), 0, 17, figures);
  expect(figures).toEqual({ seq: 2 ** 32 + 1, status: 4, rejections: 0, retryAfterMs: 1000, eventsInFlight: 6144 });
});

test('sending times queue up until they are asked for, through growth and around the ring', () => {
  const times = new SentTimes();
  const taken: number[] = [];
  let visible = 0;
  for (let seq = 1; seq <= 100_000; seq++) {
    times.push(seq, seq * 10);
    if (seq % 30_000 === 0) times.takeThrough((visible = seq - 7), (at) => void taken.push(at));
  }
  times.takeThrough(100_000 + 5, (at) => void taken.push(at));
  expect(taken).toEqual(Array.from({ length: 100_000 }, (_, i) => (i + 1) * 10));
  expect([times.unmeasured, visible]).toEqual([0, 89_993]);
});
