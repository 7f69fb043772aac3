/**
 * Five million players, and neither a snapshot nor an account: the time that a start takes by SQL alone is printed, and the
 * tables are compared with those before. HUNT_ENTITIES sets another number; HUNT_REBUILD_FOLDER keeps the history in a
 * folder, and uses it again where it is there.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { hunt, root, startServer, type Server } from './server.ts';
import { entitySums } from './snapshot-contents.ts';

const ENTITIES = Number(process.env.HUNT_ENTITIES ?? 5_000_000);
const WAIT_MS = 900_000;
const kept = process.env.HUNT_REBUILD_FOLDER;
const folder = kept ?? mkdtempSync(join(tmpdir(), 'hunt-rebuild-'));
const servers = new Set<Server>();
afterAll(async () => {
  for (const server of servers) await server.kill();
  if (kept === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function start(): Promise<Server> {
  const pipeline = join(folder, 'many.yaml');
  mkdirSync(folder, { recursive: true });
  const text = readFileSync(join(root, 'src', 'examples', 'treasure-hunt', 'pipeline.yaml'), 'utf8');
  const max = `max: ${Math.ceil(ENTITIES / 1e5) + 5}00k`;
  writeFileSync(pipeline, text.slice(0, text.indexOf('\ntests:')).replace('max: 2M', max));
  const server = await startServer({ data: join(folder, 'data'), pipeline, waitMsMax: WAIT_MS });
  servers.add(server);
  return server;
}

async function stop(server: Server): Promise<void> {
  expect(await server.stop()).toBe(0);
  servers.delete(server);
}

async function players(server: Server): Promise<number> {
  const [line] = await server.query<{ n: string }>('SELECT countIf(player_seq = 1) AS n FROM events');
  return Number(line!.n);
}

/** Everybody comes about equally often. */
async function makeHistory(): Promise<void> {
  const server = await start();
  for (let i = 0; (await players(server)) < ENTITIES; i++) {
    const draw = ['--players', String(Math.ceil(ENTITIES * 1.02)), '--zipf', '0', '--seed', String(i)];
    const load = await hunt(['load', '--url', server.url, '--duration', '15s', ...draw]);
    expect(load.code, load.stdout + load.stderr).toBe(0);
    console.log(`players=${await players(server)}`);
  }
  await stop(server);
}

test(
  'many entities come back by SQL',
  async () => {
    if (!existsSync(join(folder, 'data'))) await makeHistory();
    const before = entitySums(join(folder, 'data'));
    console.log(JSON.stringify(before));
    // Without the account all epochs come from ClickHouse, whatever the spool still has.
    for (const name of ['snapshots', 'account']) rmSync(join(folder, 'data', name), { recursive: true });
    const begun = performance.now();
    const server = await start();
    console.log(`ready after ${((performance.now() - begun) / 1000).toFixed(1)} s by SQL`);
    const lines = server
      .log()
      .split('\n')
      .filter((line) => /rebuil|recovered|"ready"/.test(line));
    console.log(lines.join('\n'));
    expect(lines.some((line) => line.includes('rebuilt from ClickHouse'))).toBe(true);
    await stop(server);
    expect(entitySums(join(folder, 'data'))).toEqual(before);
  },
  WAIT_MS * 2,
);
