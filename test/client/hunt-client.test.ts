/** HuntClient against a server that leads it through RETRY, DUPLICATE, lost connections and restarts. */

import { createServer } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  FRAMES_HELD_MAX,
  HuntClient,
  JsonText,
  type ClientAnswer,
  type ClientEvent,
  type Encoding,
  type ClientOptions,
} from '../../src/client/index.ts';
import { seeded } from '../../src/cli/load/random.ts';
import { startWireServer, type WireServer, type WireServerOptions } from './wire-server.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function serve(options: WireServerOptions = {}): Promise<WireServer> {
  const server = await startWireServer(options);
  open.push(server);
  return server;
}

/** Answers come together, every few milliseconds. */
async function serveSlowly(options: WireServerOptions): Promise<WireServer> {
  const server = await serve({ ...options, fate: () => 'hold' });
  const timer = setInterval(() => server.release(), 5);
  open.push({ close: () => Promise.resolve(clearInterval(timer)) });
  return server;
}

async function connect(server: WireServer, options: Partial<ClientOptions> = {}): Promise<HuntClient> {
  const client = await HuntClient.connect({
    url: server.url,
    producer: 'tester',
    encoding: 'proto',
    reconnectMs: 5000,
    ...options,
  });
  open.push({ close: () => client.abort() });
  return client;
}

function events(encoding: Encoding, frame: number, count = 3): ClientEvent[] {
  const texts = Array.from({ length: count }, (_, i) => `${frame}.${i}`);
  return texts.map((text) => (encoding === 'proto' ? Buffer.from(text) : { text }));
}

/** Sends `frames` frames and awaits every answer. */
async function sendAll(client: HuntClient, encoding: Encoding, frames: number): Promise<ClientAnswer[]> {
  const answers: Promise<ClientAnswer>[] = [];
  for (let frame = 1; frame <= frames; frame++) {
    await client.room();
    answers.push(client.send(events(encoding, frame)));
  }
  return Promise.all(answers);
}

/** Every frame was taken once, under its own number. */
function expectAllTaken(server: WireServer, frames: number): void {
  expect([...server.taken.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: frames }, (_, i) => i + 1));
  for (const [seq, texts] of server.taken) expect(texts).toEqual([0, 1, 2].map((i) => `${seq}.${i}`));
}

describe.each(['proto', 'json'] as const)('%s', (encoding) => {
  test('answers by name, rejections by index', async () => {
    const server = await serve();
    const client = await connect(server, { encoding });
    expect(client.hello).toMatchObject({ pipeline: 'test', framesInFlight: 64, highestSeq: 0 });
    const answer = await client.send(events(encoding, 1));
    expect(answer).toMatchObject({
      seq: 1,
      status: 'OK',
      events: 3,
      decisions: [null, { assistance: 'hint', trust: 'challenge' }, { assistance: 'continue', trust: 'allow' }],
      rejections: [{ index: 0, code: 'no_key' }],
    });
    await client.close();
  });
});

test('JSON text goes out as it is, digits and all', async () => {
  const raw: string[] = [];
  const server = await serve({ fate: ({ events: texts }) => (raw.push(...texts), 'ok') });
  const client = await connect(server, { encoding: 'json' });
  await client.send([new JsonText('{"id":"18446744073709551615"}'), { id: 7 }]);
  expect(raw).toEqual(['{"id":"18446744073709551615"}', '{"id":7}']);
});

test('keeps to its credits, and to fewer where it is told so', async () => {
  const server = await serve({ framesInFlight: 8 });
  await sendAll(await connect(server), 'proto', 200);
  expect(server.inFlightMost()).toBeLessThanOrEqual(8);
  expectAllTaken(server, 200);
  const narrow = await serve({ framesInFlight: 8 });
  await sendAll(await connect(narrow, { framesInFlightMax: 2 }), 'proto', 50);
  expect(narrow.inFlightMost()).toBeLessThanOrEqual(2);
});

test.each(['proto', 'json'] as const)('keeps to its credit in events: %s', async (encoding) => {
  const server = await serveSlowly({ eventsInFlight: 30 });
  await sendAll(await connect(server, { encoding }), encoding, 100);
  expect(server.eventsInFlightMost()).toBeGreaterThan(12);
  expect(server.eventsInFlightMost()).toBeLessThanOrEqual(30);
});

test.each(['proto', 'json'] as const)('keeps to another credit once an answer has said so: %s', async (encoding) => {
  const server = await serveSlowly({ eventsInFlight: 6000, creditAt: (seq) => (seq === 1 ? 12 : 0) });
  const client = await connect(server, { encoding });
  await client.send(events(encoding, 1));
  await sendAll(client, encoding, 100);
  expect(server.eventsInFlightMost()).toBeGreaterThan(0);
  expect(server.eventsInFlightMost()).toBeLessThanOrEqual(12);
});

test('two frames may always be in flight, however large they are', async () => {
  const server = await serveSlowly({ eventsInFlight: 2 });
  await sendAll(await connect(server), 'proto', 50);
  expect(server.inFlightMost()).toBe(2);
  expectAllTaken(server, 50);
});

test('a server that says nothing of events is kept to by frames alone', async () => {
  const server = await serve({ framesInFlight: 8, fate: ({ seq }) => (seq <= 8 ? 'hold' : 'ok') });
  const client = await connect(server);
  const answers = Array.from({ length: 8 }, (_, i) => client.send(events('proto', i + 1, 1000)));
  await vi.waitFor(() => expect(server.inFlightMost()).toBe(8));
  server.release();
  await Promise.all(answers);
});

test('after a RETRY half as many frames go as were refused, down to one, and with each that is taken twice as many', async () => {
  let busy = true;
  const server = await serve({ retryAfterMs: 1, fate: () => (busy ? 'retry' : 'ok') });
  const client = await connect(server);
  const answers = Array.from({ length: 64 }, (_, i) => client.send(events('proto', i + 1)));
  await vi.waitFor(() => expect(client.retries).toBeGreaterThan(64 + 63 + 5));
  const seen = server.seen.map(({ seq }) => seq);
  const oneTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
  expect(seen.slice(0, 64 + 63)).toEqual([64, 32, 16, 8, 4, 2, 1].flatMap(oneTo));
  expect(new Set(seen.slice(64 + 63))).toEqual(new Set([1]));
  busy = false;
  expect((await Promise.all(answers)).every(({ status }) => status === 'OK')).toBe(true);
});

test('RETRY is sent again, before what is newer, until it is taken', async () => {
  const server = await serve({
    framesInFlight: 4,
    fate: ({ seq }, times) => (seq % 7 === 0 && times < 4 ? 'retry' : 'ok'),
  });
  const client = await connect(server);
  const answers = await sendAll(client, 'proto', 60);
  expect(answers.every(({ status }) => status === 'OK')).toBe(true);
  expect(client.retries).toBe(8 * 3);
  expectAllTaken(server, 60);
});

test('a frame that is asked for again for too long is given back', async () => {
  const server = await serve({ fate: ({ seq }) => (seq === 2 ? 'retry' : 'ok') });
  const client = await connect(server, { retryMs: 50 });
  const [first, second, third] = await Promise.allSettled(
    [1, 2, 3].map((frame) => client.send(events('proto', frame))),
  );
  expect([first.status, third.status]).toEqual(['fulfilled', 'fulfilled']);
  expect(second).toMatchObject({ status: 'rejected', reason: { code: 'server_busy', retryable: true } });
  await client.close();
});

test('no number runs away from one that is asked for again: all stay within what the server remembers', async () => {
  let spread = 0;
  let refused = true;
  const server = await serve({
    framesInFlight: 256,
    retryAfterMs: 1,
    fate: ({ seq }) => {
      if (seq === 5 && refused) return 'retry';
      spread = Math.max(spread, seq - 5);
      if (spread === 1023) refused = false;
      return 'ok';
    },
  });
  await sendAll(await connect(server), 'proto', 3000);
  expect(spread).toBeGreaterThanOrEqual(1023);
  const before = server.seen.slice(
    0,
    server.seen.findLastIndex(({ seq }) => seq === 5),
  );
  expect(Math.max(...before.map(({ seq }) => seq))).toBe(5 + 1023);
  expectAllTaken(server, 3000);
});

test('lost connections: what was taken is answered DUPLICATE, what was not is taken, nothing twice', async () => {
  const seed = 20_240_607;
  const random = seeded(seed);
  const server = await serve({
    framesInFlight: 16,
    fate: () => {
      const dice = random();
      return dice < 0.01 ? 'end' : dice < 0.02 ? 'take-and-end' : dice < 0.05 ? 'retry' : 'ok';
    },
  });
  const client = await connect(server);
  const answers = await sendAll(client, 'proto', 500);
  expect(server.connections(), `seed=${seed}`).toBeGreaterThan(3);
  expect(client.reconnects).toBe(server.connections() - 1);
  expect(answers.map(({ seq }) => seq)).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
  expect(answers.some(({ status }) => status === 'DUPLICATE')).toBe(true);
  expect(answers.every(({ decisions }) => decisions[1]?.['assistance'] === 'hint')).toBe(true);
  expectAllTaken(server, 500);
});

test('a server that goes away and comes back', async () => {
  const first = await serve({ fate: ({ seq }) => (seq > 2 ? 'hold' : 'ok') });
  const notices: string[] = [];
  const client = await connect(first, { onReconnect: (notice) => notices.push(notice) });
  const answers = [1, 2, 3, 4].map((frame) => client.send(events('proto', frame)));
  await Promise.all(answers.slice(0, 2));
  await expect.poll(() => first.taken.size).toBe(4);
  const port = Number(new URL(first.url).port);
  await first.close();
  const second = await serve({ port, taken: first.taken });
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(['OK', 'OK', 'DUPLICATE', 'DUPLICATE']);
  expect(notices.at(-1)).toMatch(/connected again/);
  await client.close();
  expectAllTaken(second, 4);
});

test('a server that stays away: everything unanswered fails, and says what to do', async () => {
  const server = await serve({ fate: () => 'hold' });
  const client = await connect(server, { reconnectMs: 200 });
  const answer = client.send(events('proto', 1));
  await expect.poll(() => server.seen.length).toBe(1);
  const closed = server.close();
  await expect(answer).rejects.toMatchObject({
    code: 'server_unreachable',
    message: expect.stringContaining('hunt serve') as string,
  });
  await expect(client.send(events('proto', 2))).rejects.toMatchObject({ code: 'server_unreachable' });
  await expect(client.room()).rejects.toMatchObject({ code: 'server_unreachable' });
  await closed;
});

test('close waits for what is unanswered; abort does not', async () => {
  const server = await serve({ fate: () => 'hold' });
  const client = await connect(server);
  const answer = client.send(events('proto', 1));
  let closed = false;
  const closing = client.close().then(() => (closed = true));
  await expect.poll(() => server.seen.length).toBe(1);
  expect(closed).toBe(false);
  await expect(client.send(events('proto', 2))).rejects.toMatchObject({ code: 'client_closed' });
  server.release();
  expect((await answer).status).toBe('OK');
  await closing;

  const other = await connect(server, { producer: 'other' });
  const lost = expect(other.sendFrame(9, events('proto', 9))).rejects.toMatchObject({ code: 'client_aborted' });
  await other.abort();
  await lost;
});

test('a producer goes on where it stopped, and may send again what it names by number', async () => {
  const server = await serve();
  const before = await connect(server);
  await sendAll(before, 'proto', 5);
  await before.close();
  const after = await connect(server);
  expect(after.nextSeq).toBe(6);
  expect(await after.sendFrame(4, events('proto', 4))).toMatchObject({ seq: 4, status: 'DUPLICATE' });
  expect(await after.sendFrame(6, events('proto', 6))).toMatchObject({ seq: 6, status: 'OK' });
  await expect(after.sendFrame(6, events('proto', 6))).rejects.toMatchObject({ code: 'seq_order' });
  await after.close();
});

test('bounds: frames held, frame size, events of the wrong kind', async () => {
  const server = await serve({ fate: () => 'hold' });
  const client = await connect(server);
  await expect(client.send([Buffer.alloc(1 << 20)])).rejects.toMatchObject({ code: 'frame_too_large' });
  await expect(client.send([{ a: 1 }])).rejects.toThrow(/encoding json/);
  const event = events('proto', 1);
  for (let i = 0; i < FRAMES_HELD_MAX; i++) void client.send(event).catch(() => undefined);
  await expect(client.send(event)).rejects.toMatchObject({ code: 'client_full' });
});

describe('a connection that cannot be', () => {
  test('nobody listens', async () => {
    const port = await freePort();
    await expect(HuntClient.connect({ url: `ws://127.0.0.1:${port}` })).rejects.toMatchObject({
      code: 'server_unreachable',
      message: expect.stringMatching(/ECONNREFUSED.*hunt serve/) as string,
    });
  });

  test('the key is wrong: at once, with the server’s words, and never again', async () => {
    const server = await serve({ refuseWith: 401 });
    const refused = {
      code: 'connection_refused',
      retryable: false,
      message: expect.stringContaining('an API key is required') as string,
    };
    await expect(connect(server)).rejects.toMatchObject(refused);
  });

  test('not an address', async () => {
    await expect(HuntClient.connect({ url: 'localhost' })).rejects.toMatchObject({ code: 'bad_url' });
    await expect(HuntClient.connect({ url: 'ftp://localhost' })).rejects.toMatchObject({ code: 'bad_url' });
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  await new Promise<void>((done) => server.close(() => done()));
  return port;
}
