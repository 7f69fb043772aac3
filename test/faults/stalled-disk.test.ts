/**
 * A disk that stands still for seconds while clients go on sending: beyond the queue's age frames are answered RETRY instead
 * of being kept in memory, and once it moves again everything is taken and stored once.
 */

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import type { Figures } from '../../src/contract/figures.ts';
import { HuntClient, type ClientAnswer } from '../../src/client/index.ts';
import { hunt, startServer, temporaryFolder, until, type Server } from '../e2e/server.ts';
import { digJson, post } from '../e2e/wire-client.ts';

const HOOK = new URL('death-hook.mjs', import.meta.url).href;
/** Frames of a connection, and events of each: more than any credit lets through at once. */
const FRAMES = 400;
const EVENTS = 100;
const folder = temporaryFolder();
const order = join(folder.path, 'order');
let server: Server | undefined;

afterEach(async () => {
  await server?.kill();
});
afterAll(() => folder.remove());

async function startWithHook(): Promise<Server> {
  const { NODE_OPTIONS: options = '' } = process.env;
  process.env['NODE_OPTIONS'] = `${options} --import=${HOOK}`;
  process.env['HUNT_DEATH_FILE'] = order;
  try {
    return await startServer({ data: join(folder.path, 'data'), options: ['--batch-age', '50', '--workers', '1'] });
  } finally {
    process.env['NODE_OPTIONS'] = options;
    delete process.env['HUNT_DEATH_FILE'];
  }
}

const ingressOf = async ({ get }: Server): Promise<Figures['ingress']> => (await get<Figures>('/v1/server')).ingress;

/** Once it says the same twice: counters come twice a second, and those of the server's own warm-up are among them. */
async function settledIngressOf(of: Server): Promise<Figures['ingress']> {
  for (let last = await ingressOf(of); ;) {
    await new Promise((done) => setTimeout(done, 1100));
    const now = await ingressOf(of);
    if (now.frames === last.frames) return now;
    last = now;
  }
}

function eventsOf(frame: number, count: number): object[] {
  const at = Date.now();
  return Array.from({ length: count }, (_, i) => digJson({ id: `s-${frame}-${i}`, player: 1 + i, at }));
}

test('a stalled disk: frames are refused by age, a small connection comes through as well, nothing is lost', async () => {
  const running = (server = await startWithHook());
  const large = await HuntClient.connect({ url: running.url, producer: 'large' });
  const small = await HuntClient.connect({ url: running.url, producer: 'small' });
  expect(large.hello.eventsInFlight).toBeGreaterThan(0);
  await Promise.all([large.send(eventsOf(0, EVENTS)), small.send(eventsOf(1, 1))]);

  const before = await settledIngressOf(running);
  writeFileSync(order, 'spool stall');
  const answers: Promise<ClientAnswer>[] = [];
  for (let frame = 2; frame < FRAMES; frame++) {
    answers.push(large.send(eventsOf(frame, EVENTS)));
  }
  await until(async () => (await ingressOf(running)).queueAgeMsMax > 300, 'the queue is old', 20_000);
  // A newcomer with nothing outstanding is told at once, and by HTTP with a status of its own.
  const single = await post(running.url, JSON.stringify({ events: eventsOf(FRAMES, 1) }), { type: 'application/json' });
  expect(single.status).toBe(429);
  const late = small.send(eventsOf(FRAMES + 1, 1));
  await until(() => Promise.resolve(small.retries > 1), 'the small connection is told RETRY, more than once', 20_000);
  await until(async () => (await ingressOf(running)).refusedBecause.age >= 3, 'the figures have them', 20_000);
  const stalled = await ingressOf(running);
  expect(stalled.refusedBecause.events).toBe(0);
  // The client keeps to its credit, so this is all that the server holds of the four hundred frames.
  const held = stalled.frames - before.frames - (stalled.refusedFrames - before.refusedFrames);
  expect(held).toBeLessThanOrEqual(2 + large.hello.eventsInFlight / EVENTS);

  rmSync(order);
  expect((await late).status).toBe('OK');
  expect((await Promise.all(answers)).every(({ status }) => status === 'OK')).toBe(true);
  await Promise.all([large.close(), small.close()]);
  const sent = (FRAMES - 1) * EVENTS + 2;
  await until(async () => {
    const [found] = await running.query<{ n: string; ids: string }>(
      'SELECT count() AS n, uniqExact(event_id) AS ids FROM events',
    );
    return `${found!.n} ${found!.ids}` === `${sent} ${sent}`;
  }, `${sent} events are stored, each once`);
  const audit = await hunt(['audit', '--url', running.url]);
  expect(audit.code, audit.stdout + audit.stderr).toBe(0);
}, 120_000);
