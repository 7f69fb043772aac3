/** Limits on a real server: two workers share them, and they are what they were after a stop, a kill and a start. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { root, startServer, temporaryFolder, until, type Server } from './server.ts';
import { openStream, type Dig } from './wire-client.ts';

const LIMIT = 5;
const folders: ReturnType<typeof temporaryFolder>[] = [];
const servers = new Set<Server>();
afterAll(async () => {
  for (const server of servers) await server.kill();
  for (const folder of folders) folder.remove();
});

/** The example game, where everybody is challenged five times in ten minutes. */
function limitedPipeline(folder: string): string {
  const text = readFileSync(join(root, 'src', 'examples', 'treasure-hunt', 'pipeline.yaml'), 'utf8');
  const rule = "- { id: digger, when: 'player.digs_1m > 40', then: challenge }";
  const limited = `- { id: digger, when: 'player.digs_5m > 0', then: challenge, limit: { count: ${LIMIT}, per: 10m, entity: player } }`;
  expect(text).toContain(rule);
  const file = join(folder, 'limited.yaml');
  writeFileSync(file, text.slice(0, text.indexOf('\ntests:')).replace(rule, limited));
  return file;
}

async function start(folder: string): Promise<Server> {
  const options = ['--batch-age', '100', '--workers', '2'];
  const server = await startServer({ data: join(folder, 'data'), pipeline: limitedPipeline(folder), options });
  servers.add(server);
  return server;
}

/** Digs of one player, by four producers at once; how many were challenged. */
async function challenged(server: Server, name: string, at: number): Promise<number> {
  const streams = await Promise.all(
    [0, 1, 2, 3].map((i) => openStream(server.url, { protocol: 'hunt.v1.json', producer: `${name}-${i}` })),
  );
  const digs = (i: number, frame: number): Dig[] =>
    Array.from({ length: 5 }, (_, n) => ({ id: `${name}-${i}-${frame}-${n}`, player: 7, at: at + n }));
  const answers = await Promise.all(
    streams.flatMap((stream, i) => [1, 2, 3].map((frame) => stream.send(frame, digs(i, frame)))),
  );
  await Promise.all(streams.map((stream) => stream.close()));
  const decisions = answers.flatMap((answer) => answer.decisions);
  expect(decisions).toHaveLength(60);
  return decisions.filter((decision) => decision?.trust === 'challenge').length;
}

describe.each(['stop', 'kill'] as const)('%s', (how) => {
  test('and start: what was taken is taken, until the window has passed', async () => {
    const folder = temporaryFolder();
    folders.push(folder);
    const begun = Date.now() - 30 * 60_000;
    const before = await start(folder.path);
    expect(await challenged(before, 'first', begun)).toBe(LIMIT);
    expect(await challenged(before, 'second', begun + 60_000)).toBe(0);
    await (how === 'stop' ? before.stop() : before.kill());
    servers.delete(before);

    const after = await start(folder.path);
    expect(await challenged(after, 'third', begun + 120_000)).toBe(0);
    expect(await challenged(after, 'fourth', begun + 11 * 60_000)).toBe(LIMIT);
    const rows = async (): Promise<readonly { seq: string }[]> =>
      after.query('SELECT trust_seq AS seq, trust_life FROM events WHERE trust_seq > 0 ORDER BY trust_life, trust_seq');
    await until(async () => (await rows()).length === 2 * LIMIT, 'all takes in ClickHouse');
    expect((await rows()).map(({ seq }) => Number(seq))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    await after.stop();
    servers.delete(after);
  });
});
