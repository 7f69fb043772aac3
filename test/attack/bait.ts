/**
 * A server beside what nobody may reach through it: a file whose word must never come out, a folder that must stay as it is,
 * a listener that must hear nothing. Used by a1-files.test.ts.
 */

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { useEmbeddedServer, type Call } from '../clickhouse-embedded/embedded-server.ts';

export const BAIT = 'the-bait-word';

/** FILE, FOLDER and ADDRESS stand for the bait, its folder and the listener. */
type Pair = readonly [attack: string, control: string, call?: Call];

interface BaitedServer {
  readonly server: ReturnType<typeof useEmbeddedServer>;
  /** Path of the file. */
  readonly bait: string;
  /** Each attack is refused, each neighbour works, and nothing was read, written or called. */
  expectPairs(pairs: readonly Pair[]): Promise<void>;
}

export function useBaitedServer(): BaitedServer {
  const server = useEmbeddedServer();
  const folder = mkdtempSync(join(tmpdir(), 'attack-a1-'));
  const bait = join(folder, 'bait.txt');
  let listener: Server;
  let heard = 0;
  let url = '';
  const filled = (text: string): string =>
    text.replaceAll('FILE', bait).replaceAll('FOLDER', folder).replaceAll('ADDRESS', url);
  beforeAll(async () => {
    mkdirSync(join(folder, 'sub'));
    writeFileSync(bait, `${BAIT}\n`);
    listener = createServer((socket) => {
      heard += 1;
      socket.destroy();
    });
    await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done));
    url = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
    await createTables(server);
  }, 60_000);
  afterAll(() => {
    listener.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const expectPairs = async (pairs: readonly Pair[]): Promise<void> => {
    for (const [attack, control, call] of pairs) {
      const statement = filled(attack);
      const answer = await server.ask('', { body: statement, ...call });
      expect.soft(answer.status, `${statement} => ${answer.status} ${answer.text}`).toBeGreaterThanOrEqual(400);
      expect.soft(answer.status, `${statement} => ${answer.text}`).toBeLessThan(500);
      expect.soft(answer.text, statement).not.toContain(BAIT);
      const neighbour = await server.ask('', { body: filled(control), ...call });
      expect.soft(neighbour.status, `${control} => ${neighbour.text}`).toBe(200);
    }
    expect(readdirSync(folder).sort()).toEqual(['bait.txt', 'sub']);
    expect(readdirSync(join(folder, 'sub'))).toEqual([]);
    expect(heard).toBe(0);
    const rows = await server.run("SELECT count() FROM mine.t WHERE a LIKE '%bait%'");
    expect(rows).toBe('0\n');
  };
  return { server, bait, expectPairs };
}

async function createTables(server: ReturnType<typeof useEmbeddedServer>): Promise<void> {
  await server.run('CREATE DATABASE hunt', { asEngine: true });
  await server.run('CREATE TABLE hunt.events (id UInt64, k String) ENGINE = MergeTree ORDER BY id', { asEngine: true });
  await server.run("INSERT INTO hunt.events VALUES (1, 'a'), (2, 'b')", { asEngine: true });
  await server.run('CREATE DATABASE mine');
  await server.run('CREATE TABLE mine.t (a String, n UInt64) ENGINE = MergeTree ORDER BY n');
  await server.run("INSERT INTO mine.t VALUES ('x', 1)");
  await server.run('CREATE VIEW mine.v AS SELECT a FROM mine.t WHERE n = {n:UInt64}');
}
