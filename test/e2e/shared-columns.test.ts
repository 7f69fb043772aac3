/** Fields of branches that share columns mean what they mean in columns of their own: the same events, twice, row by row. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { HuntClient } from '../../src/client/index.ts';
import { seeded } from '../random.ts';
import { hunt, root, startServer, temporaryFolder, until, type Server } from './server.ts';

const EVENTS = 2000;
const servers: Server[] = [];
const folder = temporaryFolder();
afterAll(async () => {
  for (const server of servers) await server.kill();
  folder.remove();
});

function events(): object[] {
  const random = seeded(77);
  const below = (n: number): number => Math.floor(random() * n);
  const maybe = <T>(value: T): T | undefined => (random() < 0.7 ? value : undefined);
  const actions = [
    () => ({
      walk: {
        steps: maybe(below(12)),
        metres: maybe(below(500) / 10),
        via: maybe(`road-${below(3)}`),
        fast: random() < 0.5,
        mood: below(2),
      },
    }),
    () => ({
      shop: {
        pieces: maybe(below(9)),
        price: maybe(below(9999) / 100),
        item: maybe(['axe', 'map', 'rope'][below(3)]),
        gift: random() < 0.3,
        ware: below(2),
        team: below(5),
      },
    }),
    () => ({
      talk: {
        words: maybe(below(100) - 50),
        volume: random() * 10,
        topic: maybe(`t${below(4)}`),
        where: maybe({ lat: random() * 90, place: ['inn', 'mill'][below(2)] }),
        to: maybe([1, below(9)]),
      },
    }),
    () => ({ shout: ['hey', 'ho', ''][below(3)] }),
    () => ({ rest: {} }),
    () => ({}),
  ];
  return Array.from({ length: EVENTS }, (_, i) => ({
    id: `e${i}`,
    player: 1 + below(40),
    at: new Date(Date.now() - 60_000 + i).toISOString(),
    ...actions[below(actions.length)]!(),
  }));
}

async function rowsOf(
  mode: 'own' | 'shared',
  sent: readonly object[],
): Promise<{ rows: Record<string, unknown>[]; columns: string[] }> {
  const from = join(root, 'test', 'e2e', 'shared-columns');
  const to = join(folder.path, mode);
  cpSync(from, to, { recursive: true });
  const pipeline = join(to, 'pipeline.yaml');
  writeFileSync(pipeline, readFileSync(pipeline, 'utf8').replace('branch_columns: own', `branch_columns: ${mode}`));
  const server = await startServer({ data: join(to, 'data'), pipeline, options: ['--batch-age', '50'] });
  servers.push(server);
  const client = await HuntClient.connect({ url: server.url, producer: 'one' });
  for (let at = 0; at < sent.length; at += 100) await client.send(sent.slice(at, at + 100) as never);
  await client.close();
  const count = async (): Promise<number> =>
    (await server.query<{ n: number }>('SELECT toUInt32(count()) AS n FROM events'))[0]!.n;
  await until(async () => (await count()) === sent.length, 'all rows');
  const rows = await server.query<Record<string, unknown>>('SELECT * FROM events ORDER BY _frame_seq, _frame_index');
  const columns = await server.query<{ name: string }>(
    "SELECT name FROM system.columns WHERE table = 'events' AND default_kind != 'ALIAS'",
  );
  expect((await hunt(['audit', '--url', server.url])).code).toBe(0);
  // Killed, and its rows replayed: the state is what it was.
  const before = await server.get('/v1/entities/player/7');
  const team = await server.get('/v1/entities/team/3');
  await server.kill();
  const again = await startServer({ data: join(to, 'data'), pipeline });
  servers.push(again);
  expect(await again.get('/v1/entities/player/7')).toEqual(before);
  expect(await again.get('/v1/entities/team/3')).toEqual(team);
  return { rows, columns: columns.map(({ name }) => name) };
}

test('shared and own columns hold the same', async () => {
  const sent = events();
  const own = await rowsOf('own', sent);
  const shared = await rowsOf('shared', sent);
  expect(shared.columns.length).toBeLessThan(own.columns.length);
  expect(shared.columns).not.toContain('walk_steps');
  const changing = new Set([
    'received_at',
    '_log',
    '_batch',
    '_row',
    '_epoch',
    '_pipeline',
    'player_life',
    'team_life',
  ]);
  const names = Object.keys(own.rows[0]!).filter((name) => !changing.has(name));
  expect(names).toContain('walk_steps');
  expect(new Set(own.rows.map((row) => row['act_rule']))).toEqual(
    new Set(['walked', 'bought', 'talked', 'shouted', 'via', 'default']),
  );
  for (const [i, row] of own.rows.entries()) {
    for (const name of names) expect(shared.rows[i]![name], `${name} of row ${i}`).toEqual(row[name]);
  }
});
