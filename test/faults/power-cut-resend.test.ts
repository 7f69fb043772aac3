/**
 * On the real server, with two workers that share players and hunts: everything is inserted, the server is killed and
 * started again, every frame is sent again. All are DUPLICATE with the decisions of the first time, and every feature is
 * what it was.
 */

import { afterAll, expect, test } from 'vitest';
import { hunt, startServer, temporaryFolder, until, type Server } from '../e2e/server.ts';
import { openStream, type AnswerBody, type Dig } from '../e2e/wire-client.ts';
import { seeded } from '../random.ts';

const SEED = Number(process.env['TEST_SEED'] ?? 5);
const PRODUCERS = 6;
const FRAMES = 60;
const EVENTS = 20;
const PLAYERS = 25;
const HUNTS = 4;
/** Below what the hello allows. */
const IN_FLIGHT = 16;

const folder = temporaryFolder();
const servers = new Set<Server>();
afterAll(async () => {
  for (const server of servers) await server.kill();
  folder.remove();
});

async function start(): Promise<Server> {
  const server = await startServer({ data: folder.path, options: ['--workers', '2', '--batch-age', '100'] });
  servers.add(server);
  return server;
}

function makeFrames(now: number): Dig[][][] {
  const random = seeded(SEED);
  const dig = (id: string): Dig => ({
    id,
    player: 1 + Math.floor(random() ** 2 * PLAYERS),
    hunt: 1 + Math.floor(random() * HUNTS),
    at: now - 200_000 + Math.floor(random() * 200_000),
    depth: Math.floor(random() * 300) / 100,
  });
  return Array.from({ length: PRODUCERS }, (_, producer) =>
    Array.from({ length: FRAMES }, (_frame, frame) =>
      Array.from({ length: EVENTS }, (_event, i) => dig(`${producer}-${frame}-${i}`)),
    ),
  );
}

/** All producers at once, each on a connection of its own; answers in the order of the frames. */
function sendAll(server: Server, frames: readonly Dig[][][]): Promise<AnswerBody[][]> {
  return Promise.all(
    frames.map(async (mine, producer) => {
      const stream = await openStream(server.url, { protocol: 'hunt.v1.proto', producer: `phone-${producer}` });
      const answers: AnswerBody[] = [];
      for (let from = 0; from < mine.length; from += IN_FLIGHT) {
        const flying = mine.slice(from, from + IN_FLIGHT).map((digs, i) => stream.send(1 + from + i, digs));
        answers.push(...(await Promise.all(flying)));
      }
      await stream.close();
      return answers;
    }),
  );
}

function entities(server: Server): Promise<unknown[]> {
  const paths = [
    ...Array.from({ length: PLAYERS }, (_, i) => `player/${i + 1}`),
    ...Array.from({ length: HUNTS }, (_, i) => `hunt/${i + 1}`),
  ];
  return Promise.all(paths.map((path) => server.get(`/v1/entities/${path}`)));
}

test('insert everything, restart, send everything again', async () => {
  console.log(`seed=${SEED}`);
  const frames = makeFrames(Date.now());
  const total = PRODUCERS * FRAMES * EVENTS;
  const before = await start();
  const answers = await sendAll(before, frames);
  expect(new Set(answers.flat().map(({ status }) => status))).toEqual(new Set(['OK']));
  const stored = async (server: Server): Promise<{ n: number; ids: number }> =>
    (
      await server.query<{ n: number; ids: number }>(
        'SELECT toUInt32(count()) AS n, toUInt32(uniqExact(event_id)) AS ids FROM events',
      )
    )[0];
  await until(async () => (await stored(before)).n >= total, 'all rows in ClickHouse');
  const states = await entities(before);
  await before.kill();
  servers.delete(before);

  const after = await start();
  expect(await entities(after)).toEqual(states);
  const repeated = await sendAll(after, frames);
  expect(new Set(repeated.flat().map(({ status }) => status))).toEqual(new Set(['DUPLICATE']));
  expect(repeated.map((mine) => mine.map(({ decisions }) => decisions))).toEqual(
    answers.map((mine) => mine.map(({ decisions }) => decisions)),
  );
  expect(await entities(after)).toEqual(states);
  expect(await stored(after)).toEqual({ n: total, ids: total });
  const audit = await hunt(['audit', '--url', after.url]);
  expect(audit.code, audit.stdout + audit.stderr).toBe(0);
  const shared = await after.query<{ n: number }>(
    'SELECT toUInt32(uniqExact(_epoch)) AS n FROM (SELECT _epoch, _producer FROM events GROUP BY _epoch, _producer)',
  );
  console.log(`events=${total} epochs=${shared[0].n} repeated_frames=${repeated.flat().length}`);
});
