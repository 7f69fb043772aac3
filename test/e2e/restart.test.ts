/**
 * Stopped or killed and started again: features, producers, event ids and answers are what they were. A stop by a signal to
 * the server alone, which other tests end with, waits for the long form.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { isLong } from '../long.ts';
import { hunt, startServer, temporaryFolder, until, type Server } from './server.ts';
import { digJson, openStream, post, type AnswerBody, type Dig } from './wire-client.ts';

const now = Date.now();
const folders: ReturnType<typeof temporaryFolder>[] = [];
const servers = new Set<Server>();
afterAll(async () => {
  for (const server of servers) await server.kill();
  for (const folder of folders) folder.remove();
});

async function start(data: string): Promise<Server> {
  const server = await startServer({ data, options: ['--batch-age', '100'] });
  servers.add(server);
  return server;
}

type End = 'stop' | 'kill' | 'SIGINT' | 'SIGTERM';

async function end(server: Server, how: End): Promise<void> {
  if (how === 'kill') await server.kill();
  else expect(how === 'stop' ? await server.stop() : await server.stopGroup(how)).toBe(0);
  servers.delete(server);
}

/** Forty-one digs in a few seconds: the last is challenged. */
const fast: Dig[] = Array.from({ length: 41 }, (_, i) => ({ id: `fast-${i}`, player: 7, hunt: 3, at: now + i * 50 }));
const byId = JSON.stringify({ events: [digJson({ id: 'only-once', player: 8, at: now })] });

interface Entity {
  readonly seq: number;
  readonly life: number;
  readonly features: Readonly<Record<string, number | null>>;
}

async function entities(server: Server): Promise<Entity[]> {
  return Promise.all(['player/7', 'player/8', 'hunt/3'].map((path) => server.get<Entity>(`/v1/entities/${path}`)));
}

describe.each<End>(isLong ? ['stop', 'kill', 'SIGINT', 'SIGTERM'] : ['kill', 'SIGINT', 'SIGTERM'])('%s', (how) => {
  test('and start: everything is as it was, and every event is stored once', async () => {
    const folder = temporaryFolder();
    folders.push(folder);
    const data = folder.path;
    const before = await start(data);
    const stream = await openStream(before.url, { protocol: 'hunt.v1.json', producer: 'phone' });
    const original = await stream.send(1, fast);
    await stream.send(2, [{ id: 'another', player: 7, hunt: 3, at: now + 3000 }]);
    expect(
      (JSON.parse((await post(before.url, byId, { type: 'application/json' })).bytes.toString()) as AnswerBody)
        .rejections,
    ).toEqual([]);
    const state = await entities(before);
    if (how === 'stop') await stream.close();
    await end(before, how);

    const after = await start(data);
    expect(await entities(after)).toEqual(state);
    const again = await openStream(after.url, { protocol: 'hunt.v1.json', producer: 'phone' });
    expect(again.hello.highestSeq).toBe('2');
    const repeated = await again.send(1, fast);
    expect(repeated.status).toBe('DUPLICATE');
    expect(repeated.decisions).toEqual(original.decisions);
    expect(repeated.decisions.at(-1)).toEqual({ assistance: 'continue', trust: 'challenge' });
    const known = JSON.parse(
      (await post(after.url, byId, { type: 'application/json' })).bytes.toString(),
    ) as AnswerBody;
    expect(known.rejections.map(({ code }) => code)).toEqual(['duplicate']);
    expect(await entities(after)).toEqual(state);
    const next = await again.send(3, [{ id: 'next', player: 7, hunt: 3, at: now + 4000 }]);
    expect(next.status).toBe('OK');
    expect((await after.get<Entity>('/v1/entities/player/7')).features).toMatchObject({ digs_5m: 43 });
    await again.close();

    const rows = (): Promise<{ n: number; ids: number }[]> =>
      after.query('SELECT toUInt32(count()) AS n, toUInt32(uniqExact(event_id)) AS ids FROM events');
    await until(async () => (await rows())[0].n >= 44, 'all rows');
    expect(await rows()).toEqual([{ n: 44, ids: 44 }]);
    const audit = await hunt(['audit', '--url', after.url]);
    expect(audit.code, audit.stdout + audit.stderr).toBe(0);
    await end(after, 'stop');
  });
});
