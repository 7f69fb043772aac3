/**
 * `hunt serve --frames-per-second`: the bound holds for each producer on its own, and what is refused is told when to come
 * again.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hunt, startServer, temporaryFolder, type Server } from './server.ts';
import { digJson, post } from './wire-client.ts';

const folder = temporaryFolder();
let server: Server;
beforeAll(async () => {
  server = await startServer({ data: folder.path, options: ['--frames-per-second', '3'] });
});
afterAll(async () => {
  await server?.stop();
  folder.remove();
});

test('three frames a second, by producer', async () => {
  const send = (producer: string, seq: number): ReturnType<typeof post> => {
    const dig = { id: `${producer}-${seq}`, player: 1, at: Date.now() };
    return post(server.url, JSON.stringify({ events: [digJson(dig)] }), { type: 'application/json', producer, seq });
  };
  const statuses: number[] = [];
  for (let seq = 1; seq <= 8; seq++) statuses.push((await send('eager', seq)).status);
  expect(statuses.slice(0, 3)).toEqual([200, 200, 200]);
  expect(new Set(statuses.slice(3))).toContain(429);
  expect((await send('patient', 1)).status).toBe(200);
});

test('a bound that is none is refused by name', async () => {
  const { code, stderr } = await hunt(['serve', '--data', `${folder.path}/none`, '--frames-per-second', '-1']);
  expect(code).not.toBe(0);
  expect(stderr).toContain('frames-per-second=-1');
});
